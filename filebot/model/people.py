"""People, the addresses that reach them, senders of messages, and scopes of files."""

import re
from dataclasses import dataclass, field, replace
from enum import Enum, unique
from typing import Final

BareJid = str
"""A bare JID, prepared (RFC 7622): lower case, no resource. In a ``Sender`` it is verified."""

_BARE_JID: Final = re.compile(r"[^\s/@\"&'<>:]{1,1023}@[^\s/@\"&'<>]{1,1023}")

Identity = str
"""Identity of a person, as far as server and room vouch for it: a ``BareJid``, or ``room/occupant-id``
(XEP-0421) where a room hides the JID or is not trusted. A bare JID has no slash, so the two cannot be
confused."""


def as_bare_jid(text: str) -> BareJid:
    """Return an address that somebody wrote, without the client and in lower case. Raises ValueError."""
    bare = text.partition("/")[0].lower()
    if not _BARE_JID.fullmatch(bare):
        raise ValueError("no address")
    return bare


@unique
class AddressKind(Enum):
    """Kind of an address: how a message reaches it."""

    CHAT = "chat"
    """A person: type chat to the full JID of the client that they wrote from, or to their bare JID."""
    ROOM = "room"
    """Everybody in a room: type groupchat to the room's bare JID."""
    ROOM_PRIVATE = "room-private"
    """One occupant through the room: type chat to ``room/nick`` with the muc#user mark (XEP-0045 7.5)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Destination of a reply."""

    jid: str
    """Bare or full JID; of one occupant, ``room/nick``."""
    kind: AddressKind = AddressKind.CHAT
    """How a message reaches it."""
    occupant: Identity | None = None
    """For ``room-private``: the person who had the nick; a later owner of the nick is sent nothing."""
    own: str = field(default="", compare=False)
    """For ``chat``: the bot's address that the message went to, from which the answer comes. An external
    component (XEP-0114) has many; empty means the one by which the person knows it."""

    @property
    def conversation(self) -> "Address":
        """The address without the client: the same for all clients of one person."""
        if self.kind is not AddressKind.CHAT:
            return self
        return replace(self, jid=self.jid.partition("/")[0])


@dataclass(frozen=True, slots=True)
class Scope:
    """Set of entries: one person's private ones, or one room's."""

    owner: Identity | None = None
    room: BareJid | None = None

    def __post_init__(self) -> None:
        if (self.owner is None) == (self.room is None):
            raise ValueError("a scope is either a person's or a room's")

    def covers(self, owner: Identity, room: BareJid | None) -> bool:
        """Tell whether an entry of this owner and room belongs to this scope."""
        if self.room is not None:
            return room == self.room
        return room is None and owner == self.owner


@dataclass(frozen=True, slots=True)
class RoomRole:
    """Rights of an occupant at this moment, as the room tells them (XEP-0045 section 5)."""

    is_member: bool = False
    """A member, admin or owner."""
    manages: bool = False
    """An admin or owner."""
    has_voice: bool = True
    """May speak to everybody: no mere visitor."""


@dataclass(frozen=True, slots=True)
class Occupant:
    """Person behind a nick at this moment, as far as the room vouches for it."""

    jid: BareJid | None = None
    """The real JID; None if the room hides it, or if the room is not trusted."""
    key: Identity | None = None
    """``room/occupant-id``; None if the room has no such ids. In an untrusted room without them,
    ``room/bare JID`` as the room shows it."""
    claimed: BareJid | None = None
    """The JID that an untrusted room shows. It can take rights away, but gives none."""

    @property
    def identity(self) -> Identity | None:
        """The JID if it is known, else the key."""
        return self.jid or self.key


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Reference to a message that another one replies to (XEP-0461)."""

    author: str
    """The JID that it came from; in a room, the occupant's."""
    message_id: str
    """Its id; in a room, the id that the room gave it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sender of a message, as far as the server or the room vouches for it."""

    address: Address
    """Destination of an answer to this message."""
    jid: BareJid | None
    """The verified bare JID; None if a room hides it. The only base of rights beyond a room."""
    room: BareJid | None = None
    """The room spoken in, or through which a private message came."""
    nick: str = ""
    """For display only; never a base of rights."""
    occupant: Identity | None = None
    """``room/occupant-id``, where the room has such: the base of rights in it, and there only."""
    claimed: BareJid | None = None
    """The JID that an untrusted room shows. It can take rights away, but gives none."""
    message_ref: MessageRef | None = field(default=None, compare=False)
    """The message itself, for the answer to refer to; in rooms, where others speak in between."""
    message_id: str = field(default="", compare=False)
    """Id of a message in private, by which a reply refers to it; empty if it has none."""

    @property
    def spoken_id(self) -> str:
        """Id by which a reply refers to the sender's message (XEP-0461 section 3.1); empty for none."""
        return self.message_id if self.message_ref is None else self.message_ref.message_id

    @property
    def identity(self) -> Identity | None:
        """The JID, else the occupant id; None if nothing but a nick is known."""
        return self.jid or self.occupant

    @property
    def identities(self) -> frozenset[Identity]:
        """All identities known here: a room may have hidden the JID once, and show it now."""
        return frozenset(each for each in (self.jid, self.occupant) if each is not None)

    @property
    def author(self) -> Identity | None:
        """By whom a message counts as the same person's as an earlier one: in a room the occupant-id."""
        return self.occupant or self.jid

    @property
    def rate_key(self) -> str:
        """Key under which requests are counted: the identity, else the nick, which gives no right here."""
        return self.identity or f"{self.room}/{self.nick}"

    @property
    def privately(self) -> "Sender":
        """The same sender, with a private message through the room as destination."""
        if not self.in_public:
            return self
        address = Address(f"{self.room}/{self.nick}", AddressKind.ROOM_PRIVATE, self.identity)
        return replace(self, address=address, message_ref=None)

    @property
    def in_public(self) -> bool:
        """Whether the whole room reads the answer."""
        return self.address.kind is AddressKind.ROOM
