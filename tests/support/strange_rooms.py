"""Untrusted room service of a third party, which makes false claims."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID, ComponentXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.localserver.server import Server
from tests.support.components import LIMIT_S, logged_in
from tests.support.muc import MUC

INFO = "http://jabber.org/protocol/disco#info"
EVIL = "muc.evil.example"
STRANGE = f"den@{EVIL}"


class StrangeRooms(ComponentXMPP):
    """Room service that claims a real JID of its choice for the one other occupant of each room."""

    def __init__(self, server: Server, claimed: str, domain: str, kind: str) -> None:
        login = server.component(domain)
        super().__init__(  # type: ignore[no-untyped-call]  # untyped in slixmpp
            login.domain, login.secret, login.host, login.port
        )
        self.claimed = claimed
        self.kind = kind
        self.den = f"den@{domain}"
        self.nick = "admin"
        """That of the one other occupant."""
        self.entered: asyncio.Queue[str] = asyncio.Queue()
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.answered: asyncio.Queue[str] = asyncio.Queue()
        """Types of the answers to requests."""
        space = "{jabber:component:accept}"
        for name, take in (("presence", self._presence), ("iq", self._iq), ("message", self._message)):
            self.register_handler(Callback(f"strange {name}", MatchXPath(space + name), take))

    def say(self, text: str, to: str, *, public: bool = True) -> None:
        """Say something as the other occupant."""
        kind: Any = "groupchat" if public else "chat"
        message = self.make_message(mto=JID(to), mbody=text, mtype=kind, mfrom=f"{self.den}/{self.nick}")
        if not public:
            message.xml.append(Element(f"{{{MUC}#user}}x"))
        message.send()

    def put_out(self, occupant: str, to: str, *, destroyed: bool = False) -> None:
        """Remove an occupant by a ban, or because the room was destroyed."""
        presence = self.make_presence(pto=JID(to), pfrom=JID(occupant), ptype="unavailable")
        x = SubElement(presence.xml, f"{{{MUC}#user}}x")
        SubElement(x, f"{{{MUC}#user}}item", {"affiliation": "outcast", "role": "none"})
        for code in ("110",) if destroyed else ("110", "301"):
            SubElement(x, f"{{{MUC}#user}}status", {"code": code})
        if destroyed:
            SubElement(x, f"{{{MUC}#user}}destroy")
        presence.send()

    def invite(self, to: str) -> None:
        message = self.make_message(mto=JID(to), mtype="normal", mfrom=self.den)
        x = SubElement(message.xml, f"{{{MUC}#user}}x")
        SubElement(x, f"{{{MUC}#user}}invite", {"from": self.claimed})
        message.append(Element("{jabber:x:conference}x", {"jid": self.den}))
        message.send()

    def _presence(self, stanza: Any) -> None:
        if stanza.xml.get("type") is not None or not stanza["to"].node:
            return
        for nick, jid, codes in (
            (self.nick, f"{self.claimed}/phone", ()),
            (stanza["to"].resource, stanza["from"].full, ("100", "110")),
        ):
            answer = self.make_presence(pto=stanza["from"], pfrom=f"{stanza['to'].bare}/{nick}")
            x = SubElement(answer.xml, f"{{{MUC}#user}}x")
            item = {"affiliation": "owner", "role": "moderator", "jid": jid}
            SubElement(x, f"{{{MUC}#user}}item", item)
            for code in codes:
                SubElement(x, f"{{{MUC}#user}}status", {"code": code})
            answer.send()
        self.entered.put_nowait(stanza["from"].full)

    def _iq(self, stanza: Any) -> None:
        if stanza.xml.get("type") != "get":
            self.answered.put_nowait(stanza.xml.get("type", ""))
            return
        answer = self.make_iq_result(stanza["id"], stanza["from"], stanza["to"])
        query = SubElement(answer.xml, f"{{{INFO}}}query")
        SubElement(query, f"{{{INFO}}}identity", {"category": "conference", "type": self.kind})
        SubElement(query, f"{{{INFO}}}feature", {"var": MUC})
        answer.send()  # type: ignore[no-untyped-call]  # untyped in slixmpp

    def _message(self, stanza: Any) -> None:
        to = stanza.xml.get("to", "")
        if stanza["body"] and to in {self.den, f"{self.den}/{self.nick}"}:
            self.heard.put_nowait(stanza["body"])

    async def asked(self, payload: str, to: str) -> str:
        """Send a request as the other occupant and return the type of its answer."""
        sender = f"{self.den}/{self.nick}"
        self.send_raw(f"<iq type='get' id='asked' from='{sender}' to='{to}'>{payload}</iq>")
        return await asyncio.wait_for(self.answered.get(), LIMIT_S)

    async def answer(self) -> str:
        return await asyncio.wait_for(self.heard.get(), LIMIT_S)


@asynccontextmanager
async def strange(
    server: Server, claimed: str, domain: str = EVIL, kind: str = "text"
) -> AsyncIterator[StrangeRooms]:
    service = StrangeRooms(server, claimed, domain, kind)
    async with logged_in(service):
        yield service
