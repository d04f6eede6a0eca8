"""People and the addresses that reach them."""

from dataclasses import dataclass, field, replace
from enum import Enum, unique

BareJid = str
"""A bare JID, prepared (RFC 7622): lower case, no resource. In a ``Sender`` it is verified."""


Identity = str
"""Who somebody is, as far as server and room vouch for it: a ``BareJid``, or, where a room hides that or is
not to be believed, ``room/occupant-id`` (XEP-0421). A bare JID has no slash, so neither can be taken for
the other."""


@unique
class AddressKind(Enum):
    """How a message reaches an address."""

    CHAT = "chat"
    """A person: type chat to the full JID of the client in which they wrote, or to their bare one."""
    ROOM = "room"
    """Everybody in a room: type groupchat to the room's bare JID."""
    ROOM_PRIVATE = "room-private"
    """One occupant through the room: type chat to ``room/nick`` with the muc#user mark (XEP-0045 7.5)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a reply goes."""

    jid: str
    kind: AddressKind = AddressKind.CHAT
    occupant: Identity | None = None
    """Of ``room-private``: whose nick it was, as the room showed it; its next owner is sent nothing."""
    own: str = field(default="", compare=False)
    """For ``chat``: the address of the bot's that was written to, from which the answer comes. An external
    component (XEP-0114) has many; empty means the one by which the person knows it."""

    @property
    def conversation(self) -> "Address":
        """The address without the client: the same for all clients of one person."""
        if self.kind is not AddressKind.CHAT:
            return self
        return replace(self, jid=self.jid.partition("/")[0])


@dataclass(frozen=True, slots=True)
class RoomRole:
    """What somebody may do in a room where they are, as it says at this moment (XEP-0045 section 5)."""

    is_member: bool = False
    """A member, admin or owner."""
    manages: bool = False
    """An admin or owner."""
    has_voice: bool = True
    """Not a mere visitor: may speak to everybody."""


@dataclass(frozen=True, slots=True)
class Occupant:
    """Whom a nick stands for just now, as far as the room vouches for it."""

    jid: BareJid | None = None
    """The real one; None where the room hides it, or where the room is not to be believed."""
    key: Identity | None = None
    """``room/occupant-id``; None where the room has no such ids. In a room that is not to be believed and
    has none, ``room/bare JID`` as it shows it."""
    claimed: BareJid | None = None
    """The JID that a room shows which is not to be believed. It may take rights away and gives none."""

    @property
    def identity(self) -> Identity | None:
        """The one of the two that says most."""
        return self.jid or self.key
