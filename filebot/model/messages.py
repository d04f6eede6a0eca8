"""Messages as they were read, and positions in message archives."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from filebot.model.files import Offer
from filebot.model.people import Address, AddressKind, BareJid, Identity

LONGEST_TEXT = 4000
"""Characters of the longest command or caption that is read."""


@dataclass(frozen=True, slots=True)
class ArchivePosition:
    """How far somebody's message archive (XEP-0313) has been dealt with."""

    archive: BareJid
    """Whose archive it is."""
    last_id: str
    """The archive's id of a message: it and all before it are dealt with. Empty if there was none yet."""
    at: datetime
    """About when that message was archived, in UTC: where to go on if the archive no longer has it."""
    ahead: frozenset[str] = frozenset()
    """Ids after it that are dealt with as well, although something between is not."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message that another one refers to (XEP-0461)."""

    author: str
    """The JID that it came from; in a room, the occupant's."""
    message_id: str
    """As the XEP wants it: in a room the id that the room gave it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks, as far as the server or the room vouches for it."""

    address: Address
    """Where an answer to this message goes."""
    jid: BareJid | None
    """The verified bare JID; None where a room hides it. The only base of rights beyond a room."""
    room: BareJid | None = None
    """The room spoken in, or through which a private message came."""
    nick: str = ""
    """For display only; never a base of rights."""
    occupant: Identity | None = None
    """``room/occupant-id``, where the room has such: the base of rights in it, and there only. See
    ``Occupant.key``."""
    claimed: BareJid | None = None
    """See ``Occupant.claimed``."""
    message_ref: MessageRef | None = field(default=None, compare=False)
    """What was said just now, for the answer to refer to; in rooms, where others speak in between."""

    @property
    def identity(self) -> Identity | None:
        """Who it is; None for those of whom nothing but a nick is known."""
        return self.jid or self.occupant

    @property
    def identities(self) -> frozenset[Identity]:
        """All that it is known as here: a room may have hidden the JID once, and show it now."""
        return frozenset(each for each in (self.jid, self.occupant) if each is not None)

    @property
    def rate_key(self) -> str:
        """Key under which requests are counted: the identity, else the nick, which gives no right here."""
        return self.identity or f"{self.room}/{self.nick}"

    @property
    def privately(self) -> "Sender":
        """The same person, to be answered where the rest of the room does not read it."""
        if not self.in_public:
            return self
        address = Address(f"{self.room}/{self.nick}", AddressKind.ROOM_PRIVATE, self.identity)
        return replace(self, address=address, message_ref=None)

    @property
    def in_public(self) -> bool:
        """Whether the whole room reads the answer."""
        return self.address.kind is AddressKind.ROOM


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message stanza, read."""

    sender: Sender
    text: str
    """What the person wrote, without the fallback text of its files and, save in a caption, without
    the prefix or the bot's nick."""
    offers: tuple[Offer, ...] = ()
    language: str | None = None
    """``xml:lang``, where the client gave one."""
    replies_to: str = ""
    """The id of the message that it replies to (XEP-0461), as the client says; empty if it is no reply."""
    addressed: bool = True
    """Whether the bot is meant: always in private; in a room only by prefix or nick."""
    maybe_handled: bool = False
    """An earlier run of the bot, killed since, seems to have dealt with it: no command is done twice."""
    delayed_since: datetime | None = None
    """When the message was sent, if a server held it back (XEP-0203); in UTC."""
    wants_chat_states: bool = False
    """Whether the client shows interest in chat states (XEP-0085 5.1)."""
    by_bot: bool = False
    """This bot posted it, or another filebot did: what bots give back is nothing new."""
    mam_id: str | None = None
    """What its archive calls the message, which is like no name in another one; None if it is in none."""
    left_out: int = 0
    """Characters that were cut from the end of the text: nothing so long is read."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A part of what was said in a room before, the oldest first."""

    posts: tuple[IncomingMessage, ...]
    """Messages with files whose authors the room tells apart; ``delayed_since`` is when each was said."""
    messages: int
    """How many there are in all."""
    last_id: str
    """After which the next page begins."""
    complete: bool
    """Nothing comes after it."""
    at: datetime | None
    """When the last of them was said, in UTC; None if there are none."""
