"""Jingle sessions (XEP-0166) between any two clients, read from the log of a server."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from filebot.localserver.server import Server

JINGLE: Final = "{urn:xmpp:jingle:1}"
SOCKS5: Final = "{urn:xmpp:jingle:transports:s5b:1}"
IBB: Final = "{urn:xmpp:jingle:transports:ibb:1}"


class MoveBy(StrEnum):
    """Way of a file that the client chose for itself."""

    # The values differ from those of ``peers.Method``, since both are in one table.
    UPLOAD = "HTTP upload"
    DIRECT = "Jingle, SOCKS5, direct"
    PROXY = "Jingle, SOCKS5, proxy"
    IBB = "Jingle, IBB"


@dataclass
class Session:
    """Jingle session, as far as it came."""

    sid: str
    initiator: str
    """Full JID, like the responder."""
    responder: str
    actions: list[str] = field(default_factory=list)
    """Actions in the order in which the server routed them."""
    way: MoveBy | None = None
    """Way of the bytes; None before that was clear."""
    reason: str = ""
    """Reason of the end; empty while the session is open."""
    stanzas: list[str] = field(default_factory=list)
    """Stanzas with both full JIDs, for diagnosis."""

    def add(self, jingle: Element, stanza: str) -> None:
        """Update the session by its next action."""
        action = jingle.get("action", "")
        self.actions.append(action)
        self.stanzas.append(stanza)
        if (
            action in {"session-accept", "transport-accept"}
            and jingle.find(f".//{IBB}transport") is not None
        ):
            self.way = MoveBy.IBB
        if jingle.find(f".//{SOCKS5}candidate-used") is not None and self.way is None:
            self.way = MoveBy.DIRECT
        if jingle.find(f".//{SOCKS5}activated") is not None:
            self.way = MoveBy.PROXY
        if action == "session-terminate":
            reasons = [
                each.tag for each in jingle.iterfind(f"{JINGLE}reason/*") if each.tag != f"{JINGLE}text"
            ]
            self.reason = reasons[0].removeprefix(JINGLE) if reasons else "none given"


def sessions(server: Server, since: int = 0) -> list[Session]:
    """Return all sessions that began after the server's log had this many bytes, in order."""
    found: dict[str, Session] = {}
    for stanza in server.sent(since):
        if not stanza.startswith("<iq ") or f"xmlns='{JINGLE.strip('{}')}'" not in stanza:
            continue
        iq = ET.fromstring(stanza)
        jingle = iq.find(f"{JINGLE}jingle")
        if jingle is None or iq.get("type") != "set":  # an error quotes it
            continue
        sid, by, to = jingle.get("sid", ""), iq.get("from", ""), iq.get("to", "")
        if jingle.get("action") == "session-initiate":
            found[sid] = Session(sid, by, to)
        if sid in found:
            found[sid].add(jingle, stanza)
    return list(found.values())
