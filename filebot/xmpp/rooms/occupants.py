"""Occupants of one room, as the room itself tells them (XEP-0045): presences in, facts out.

Theory of operation. ``presence`` is fed with every presence from the room in the order of arrival::

    OUT --self-presence (110)--> IN --unavailable about ourselves--> OUT
     |                            |
     +--error: refused            +--303: the same occupant under another nick

Real JIDs, occupant-ids and affiliations are taken from here only, and only while the bot is in the room:
outside of it nobody tells about those who leave. They are as the room tells them now: who loses an
affiliation is shown without it at once (section 9), so whoever looks here when acting, acts on what is
true then.

A room's service can write any JID into its presences. Where it is not ``believed``, that JID is nobody's: a
person is then known by something that is worth nothing outside of this room. What somebody may do in the
room is the room's own matter, so there its word always counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final
from xml.etree.ElementTree import Element

from filebot.concurrency.bounded_store import weight
from filebot.model import BareJid, Identity, Occupant, RoomRole
from filebot.protocol.stanza_error import read_error
from filebot.protocol.xml import first, named
from filebot.xmpp.connection.disco_features import CAPS, CAPS_NODE
from filebot.xmpp.xml import MUC_USER, OCCUPANT_ID, jid_or_none, sender_of

MAX_OCCUPANTS: Final = 5_000
"""Later ones stay unknown, which gives them no rights. A service can make up as many as it likes."""
MAX_OCCUPANTS_BYTES: Final = 4 * 1024 * 1024
"""Memory for those of one room: enough for that many with names of a usual length."""
MOST_OF_ALL_BYTES: Final = 128 * 1024 * 1024
"""For those of all rooms together: whoever has many rooms of their own must not take all memory."""
SMALL_BYTES: Final = 256 * 1024
"""For those of one room, whatever there is in others: some hundred people."""
LONGEST_REASON: Final = 200
OCCUPANT_BYTES: Final = 500
"""Rough size of an occupant beside names and ids."""

# Section 15.6.2 (registry of status codes).
_OURSELVES: Final = "110"
_CREATED: Final = "201"
_BANNED: Final = "301"
_RENAMED: Final = "303"
_KICKED: Final = "307"
_NO_MEMBER: Final = frozenset({"321", "322"})
_BY_ERROR: Final = "333"

_MANAGING: Final = frozenset({"owner", "admin"})
_MEMBERS: Final = _MANAGING | {"member"}
_VISITOR: Final = "visitor"
# Sections 5.1 and 5.2. Other words may be as long as a stanza, and mean nothing.
_AFFILIATIONS: Final = _MEMBERS | {"none", "outcast"}
_ROLES: Final = frozenset({"moderator", "none", "participant", _VISITOR})

LONGEST_ID: Final = 256
"""Longest occupant-id: it becomes part of what is stored of each file. XEP-0421 names no bound."""


@unique
class Change(Enum):
    """Meaning of a presence for the bot itself."""

    ENTERED = "entered"
    CREATED = "created"
    """Entered a room that did not exist: it is locked until its owner, the bot, has accepted a
    configuration (section 10.1.2)."""
    PUT_OUT = "put out"
    """By an error, or because the room's service stopped: try again."""
    KICKED = "kicked"
    """Somebody wanted the bot to be out, for now: try again, but not at once."""
    SHUT_OUT = "shut out"
    """Banned, or no member where only members may be: do not come back."""
    DESTROYED = "destroyed"
    """The room is no more. What may be made at its address is another one."""
    NICK_TAKEN = "nick taken"
    REFUSED = "refused"
    UNREACHED = "no answer"
    """Neither let in nor refused: there was no connection, or it was too slow."""
    VANISHED = "no such room"
    """It was not there however often the bot came."""


# Section 7.2.8: "forbidden" is the answer to the banned; RFC 6120 section 8.3.3.5: "gone" is for ever.
_WHY_REFUSED: Final = {
    "forbidden": Change.SHUT_OUT,
    "gone": Change.DESTROYED,
    "remote-server-not-found": Change.UNREACHED,
    "remote-server-timeout": Change.UNREACHED,
}


@dataclass(frozen=True, slots=True)
class RoomChange:
    """A change, with the room's reason for the log."""

    change: Change
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    jid: BareJid | None
    occupant_id: str
    affiliation: str
    role: str
    is_filebot: bool = False


class OccupantList:
    """List of the occupants of one room."""

    def __init__(self, room: BareJid, nick: str, in_all: Callable[[], int] = lambda: 0) -> None:
        """``in_all`` tells how many bytes the lists of all rooms take just now."""
        self._in_all = in_all
        self.room: Final = room
        self.nick = nick
        """Ours: as asked for, or as the room has it."""
        self.present = False
        self.believed = False
        """Whether the real JIDs that the room shows are those of the people there."""
        self.has_ids = False
        """Whether the room gives occupant-ids: only then are those in its stanzas its own (XEP-0421 section
        4); in other rooms everybody can write them."""
        self.has_stanza_ids = False
        """Whether the room gives each message an id (XEP-0359): in other rooms everybody can write one."""
        self._muted = False
        self._entries: dict[str, _Entry] = {}
        self._bytes = 0
        self._nicks: dict[str, set[str]] = {}
        """By JID or id: the nicks of whom the room shows it."""

    @property
    def size_bytes(self) -> int:
        """How much memory it takes, about."""
        return self._bytes

    @property
    def can_be_caught_up(self) -> bool:
        """Whether its archive tells who wrote what, and whether that already came live."""
        return self.has_ids and self.has_stanza_ids

    def occupant(self, nick: str) -> Occupant:
        """Return the occupant with this nick."""
        entry = self._entries.get(nick) if self.present else None
        return Occupant() if entry is None else self._occupant(entry)

    @property
    def has_voice(self) -> bool:
        """Whether the bot itself may speak there to everybody."""
        own = self._entries.get(self.nick)
        return self.present and not self._muted and (own is None or own.role != _VISITOR)

    def mute(self) -> None:
        """The room did not let the bot speak; that holds until it says anew what the bot is there."""
        self._muted = True

    def author(self, stanza: Element) -> Occupant | None:
        """Return the author of a message in the room, from any time; None if occupants have no ids."""
        occupant_id = _only_id(stanza) if self.has_ids and self.present else ""
        if not occupant_id:
            return None
        entries = (each for each in self._marked(occupant_id) if each.occupant_id == occupant_id)
        return self._occupant(next(entries, _Entry(None, occupant_id, "", "")))

    def is_ours(self, stanza: Element) -> bool:
        """Whether the bot itself wrote a message of the room's, at whatever time."""
        own = self._entries.get(self.nick)
        if own is None or not self.has_ids or not own.occupant_id:
            return False
        return _only_id(stanza) == own.occupant_id

    def is_filebot(self, nick: str) -> bool:
        """Whether who has this nick calls its software filebot (XEP-0115): this bot, or another one."""
        entry = self._entries.get(nick)
        return self.present and entry is not None and entry.is_filebot

    def room_role(self, who: Identity) -> RoomRole | None:
        """Return what this person may do in the room; None if they are not there."""
        # One person has one affiliation; while their clients are told of a change one after the other,
        # the lesser one counts.
        found = [self._entries[nick] for nick in self._nicks_of(who)]
        if not found:
            return None
        return RoomRole(
            is_member=all(entry.affiliation in _MEMBERS for entry in found),
            manages=all(entry.affiliation in _MANAGING for entry in found),
            has_voice=all(entry.role != _VISITOR for entry in found),
        )

    def nick_of(self, who: Identity) -> str:
        """Return a nick of this person; empty if they are not there."""
        return min(self._nicks_of(who), default="")

    def _nicks_of(self, who: Identity) -> list[str]:
        nicks = self._nicks.get(who.removeprefix(f"{self.room}/"), ()) if self.present else ()
        return [each for each in nicks if who in self._known_as(self._entries[each])]

    def _known_as(self, entry: _Entry) -> set[Identity | None]:
        return {entry.jid, self._occupant(entry).key}

    def _occupant(self, entry: _Entry) -> Occupant:
        position = entry.occupant_id if self.has_ids else ""
        if self.believed:
            return Occupant(entry.jid, f"{self.room}/{position}" if position else None)
        position = position or entry.jid or ""
        return Occupant(None, f"{self.room}/{position}" if position else None, entry.jid)

    def leave(self) -> None:
        """Forget all: the bot is out, or its stream is."""
        self.present = False
        self._entries.clear()
        self._nicks.clear()
        self._bytes = 0

    def presence(self, stanza: Element) -> RoomChange | None:
        """Take one presence from the room; what it means for the bot, if anything."""
        sender = sender_of(stanza)
        kind = stanza.get("type", "available")
        if sender is None or kind not in {"available", "unavailable", "error"}:
            return None
        if kind == "error":
            return self._refused(read_error(stanza).condition)
        x = first(stanza, MUC_USER, "x")
        if x is None or not sender.resource:
            return None
        codes = {each.get("code", "") for each in named(x, MUC_USER, "status")}
        if kind == "available":
            return self._came(sender.resource, stanza, x, codes)
        return self._went(sender.resource, x, codes)

    def _refused(self, condition: str) -> RoomChange | None:
        if self.present:
            return None  # a later presence of ours was not taken; the bot is still in
        if condition == "conflict":
            return RoomChange(Change.NICK_TAKEN, condition)
        return RoomChange(_WHY_REFUSED.get(condition, Change.REFUSED), condition)

    def _came(self, nick: str, stanza: Element, x: Element, codes: set[str]) -> RoomChange | None:
        entry = _entry(stanza, x)
        self._put(nick, None)
        if len(self._entries) < MAX_OCCUPANTS and self._has_room(_size(nick, entry)):
            self._put(nick, entry)
        if _OURSELVES not in codes:
            return None
        self._muted = False
        self.nick = nick  # section 7.2.3: the service may have changed it (status 210)
        if self.present:
            return None
        self.present = True
        return RoomChange(Change.CREATED if _CREATED in codes else Change.ENTERED)

    def _went(self, nick: str, x: Element, codes: set[str]) -> RoomChange | None:
        self._put(nick, None)
        # COMPAT(old services): some leave out 110 when they put somebody out.
        if not self.present or (_OURSELVES not in codes and nick != self.nick):
            return None
        item = first(x, MUC_USER, "item")
        if _RENAMED in codes:
            self.nick = (item.get("nick") if item is not None else None) or self.nick
            return None
        self.leave()
        return RoomChange(_why_out(x, codes), _told(x, codes))

    def _has_room(self, more_bytes: int) -> bool:
        size = self._bytes + more_bytes
        if size <= SMALL_BYTES:
            return True
        return size <= MAX_OCCUPANTS_BYTES and self._in_all() + more_bytes <= MOST_OF_ALL_BYTES

    def _marked(self, position: str) -> Iterator[_Entry]:
        """Everybody of whom the room shows this JID, or this id. Each is asked for with each command."""
        return (self._entries[nick] for nick in self._nicks.get(position, ()))

    def _put(self, nick: str, entry: _Entry | None) -> None:
        """Replace what is known of a nick."""
        before = self._entries.pop(nick, None)
        if before is not None:
            self._bytes -= _size(nick, before)
        for position in _positions(before):
            self._nicks[position].discard(nick)
            if not self._nicks[position]:
                del self._nicks[position]
        if entry is not None:
            self._entries[nick] = entry
            self._bytes += _size(nick, entry)
        for position in _positions(entry):
            self._nicks.setdefault(position, set()).add(nick)


def _entry(stanza: Element, x: Element) -> _Entry:
    item = first(x, MUC_USER, "item")
    real = None if item is None else jid_or_none(item.get("jid"))
    return _Entry(
        None if real is None else real.bare,
        _only_id(stanza),
        "" if item is None else _known(item.get("affiliation", ""), _AFFILIATIONS),
        "" if item is None else _known(item.get("role", ""), _ROLES),
        any(each.get("node") == CAPS_NODE for each in named(stanza, CAPS, "c")),
    )


def _size(nick: str, entry: _Entry) -> int:
    return OCCUPANT_BYTES + weight((nick, entry.jid, entry.occupant_id))


def _known(word: str, words: frozenset[str]) -> str:
    return word if word in words else ""


def _positions(entry: _Entry | None) -> set[str]:
    return set() if entry is None else {each for each in (entry.jid, entry.occupant_id) if each}


def _only_id(stanza: Element) -> str:
    # Two ids in one stanza would be somebody's forgery that the room let through.
    ids = [each.get("id", "") for each in named(stanza, OCCUPANT_ID, "occupant-id")]
    return ids[0] if len(ids) == 1 and len(ids[0]) <= LONGEST_ID else ""


def _why_out(x: Element, codes: set[str]) -> Change:
    # A destroyed room may name another (section 10.9). It is not followed: who was let into this one need
    # not be in the other.
    if first(x, MUC_USER, "destroy") is not None:
        return Change.DESTROYED
    if _BANNED in codes or codes & _NO_MEMBER:
        return Change.SHUT_OUT
    # Section 8.2: a service that puts somebody out for an error says so by 333 beside 307.
    return Change.KICKED if _KICKED in codes and _BY_ERROR not in codes else Change.PUT_OUT


def _told(x: Element, codes: set[str]) -> str:
    destroyed = first(x, MUC_USER, "destroy")
    if destroyed is None:
        return ", ".join(sorted(codes))[:LONGEST_REASON]
    other = jid_or_none(destroyed.get("jid"))
    return f"destroyed; it names {other.bare}: invite the bot there" if other is not None else "destroyed"
