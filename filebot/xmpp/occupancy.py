"""Who is in one room, as the room itself tells it (XEP-0045): presences in, facts out.

Theory of operation. ``presence`` is fed with every presence from the room in the order of arrival::

    OUT --self-presence (110)--> IN --unavailable about ourselves--> OUT
     |                            |
     +--error: refused            +--303: the same occupant under another nick

Real JIDs are taken from here only, and only while the bot is in the room: outside of it nobody tells about
those who leave.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final
from xml.etree.ElementTree import Element

from filebot.model import BareJid
from filebot.xmpp.elements import MUC_USER, condition_of, first, jid_or_none, named, sender_of

MAX_OCCUPANTS: Final = 20_000
"""Later ones stay unknown, which gives them no rights."""

_OURSELVES: Final = "110"
_CREATED: Final = "201"
_BANNED: Final = "301"
_RENAMED: Final = "303"


@unique
class Change(Enum):
    """What a presence means for the bot itself."""

    ENTERED = "entered"
    CREATED = "created"
    """Entered a room that did not exist: it is locked until its owner, the bot, has accepted a
    configuration (section 10.1.2)."""
    PUT_OUT = "put out"
    """Kicked, lost its membership, or the room's service stopped: try again."""
    SHUT_OUT = "shut out"
    """Banned, or the room was destroyed: do not come back."""
    NICK_TAKEN = "nick taken"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class News:
    """A change, with the room's reason for the log."""

    change: Change
    reason: str = ""


class Occupancy:
    """The roll of one room."""

    def __init__(self, nick: str) -> None:
        self.nick = nick
        """Ours: as asked for, or as the room has it."""
        self.present = False
        self._real: dict[str, BareJid | None] = {}

    def real_jid(self, nick: str) -> BareJid | None:
        """Who the room says the occupant of this nick is."""
        return self._real.get(nick) if self.present else None

    def shows(self, jid: BareJid) -> bool:
        """Whether some occupant is known to be this person."""
        return self.present and jid in self._real.values()

    def leave(self) -> None:
        """Forget all: the bot is out, or its stream is."""
        self.present = False
        self._real.clear()

    def presence(self, stanza: Element) -> News | None:
        """Take one presence from the room; what it means for the bot, if anything."""
        sender = sender_of(stanza)
        kind = stanza.get("type", "available")
        if sender is None or kind not in {"available", "unavailable", "error"}:
            return None
        if kind == "error":
            return self._refused(condition_of(stanza))
        x = first(stanza, MUC_USER, "x")
        if x is None or not sender.resource:
            return None
        codes = {each.get("code", "") for each in named(x, MUC_USER, "status")}
        if kind == "available":
            return self._came(sender.resource, x, codes)
        return self._went(sender.resource, x, codes)

    def _refused(self, condition: str) -> News | None:
        if self.present:
            return None  # a later presence of ours was not taken; the bot is still in
        if condition == "conflict":
            return News(Change.NICK_TAKEN, condition)
        # Section 7.2.8: "forbidden" is the answer to the banned.
        return News(Change.SHUT_OUT if condition == "forbidden" else Change.REFUSED, condition)

    def _came(self, nick: str, x: Element, codes: set[str]) -> News | None:
        item = first(x, MUC_USER, "item")
        real = None if item is None else jid_or_none(item.get("jid"))
        if nick in self._real or len(self._real) < MAX_OCCUPANTS:
            self._real[nick] = None if real is None else real.bare
        if _OURSELVES not in codes:
            return None
        self.nick = nick  # section 7.2.3: the service may have changed it (status 210)
        if self.present:
            return None
        self.present = True
        return News(Change.CREATED if _CREATED in codes else Change.ENTERED)

    def _went(self, nick: str, x: Element, codes: set[str]) -> News | None:
        self._real.pop(nick, None)
        # COMPAT(old services): some leave out 110 when they put somebody out.
        if not self.present or (_OURSELVES not in codes and nick != self.nick):
            return None
        item = first(x, MUC_USER, "item")
        if _RENAMED in codes:
            self.nick = (item.get("nick") if item is not None else None) or self.nick
            return None
        self.leave()
        final = _BANNED in codes or first(x, MUC_USER, "destroy") is not None
        return News(Change.SHUT_OUT if final else Change.PUT_OUT, ", ".join(sorted(codes)))
