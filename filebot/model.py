"""The values that everything else speaks of: frozen, without behaviour that needs I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, unique

BareJid = str
"""A bare JID, prepared (RFC 7622): lower case, no resource. In a ``Sender`` it is verified."""

Identity = str
"""Who somebody is, as far as server and room vouch for it: a ``BareJid``, or, where a room hides that or is
not to be believed, ``room/occupant-id`` (XEP-0421). A bare JID has no slash, so neither can be taken for
the other."""

LONGEST_TEXT = 4000
"""Characters of the longest command or caption that is read."""

Digest = str
"""The sha-256 of a blob, 64 lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Names stored bytes by what they are."""

    digest: Digest
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a peer says of a file that it proposes. Nothing in it is trusted or checked."""

    urls: tuple[str, ...] = ()
    """Where the bytes can be had, in the peer's order."""
    name: str | None = None
    size: int | None = None
    """In bytes, not negative."""
    media_type: str | None = None
    hashes: Mapping[str, bytes] = field(default_factory=dict)
    """Digests by their XEP-0300 algorithm name (``sha-256``); only algorithms that we can check."""
    hash_follows: bool = False
    """The peer promises a hash after the data, or beside it (XEP-0234, ``hash-used``, ``checksum``)."""
    description: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is, read from its content."""

    media_type: str
    width: int | None = None
    """Of a picture, in pixels; likewise ``height``."""
    height: int | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A catalog row that has no id yet."""

    name: str
    """A safe display name (see ``filenames``), never a path."""
    owner: Identity
    room: BareJid | None
    """The room whose members may read it; None for a private file."""
    caption: str
    blob: BlobRef
    media_type: str
    created_at: datetime
    """In UTC."""
    width: int | None = None
    """Of a picture, in pixels; likewise ``height``."""
    height: int | None = None
    auto_archived: bool = False
    """Kept because its room keeps what is posted there; not because somebody asked for it."""
    source_message: str | None = None
    """Which file of which message made this row, where the message is one that may be met again."""


@dataclass(frozen=True, slots=True)
class Entry(NewEntry):
    """A file as the catalog knows it."""

    id: int = field(kw_only=True)
    """Short, never used twice; people write it as ``#12``."""
    modified_at: datetime = field(kw_only=True)
    """When the row last changed (a new name), in UTC."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which entries a question is about: one person's private ones, or one room's."""

    owner: Identity | None = None
    room: BareJid | None = None

    def __post_init__(self) -> None:
        if (self.owner is None) == (self.room is None):
            raise ValueError("a scope is either a person's or a room's")

    def covers(self, entry: NewEntry) -> bool:
        """Whether the entry belongs to this scope."""
        if self.room is not None:
            return entry.room == self.room
        return entry.room is None and entry.owner == self.owner


@dataclass(frozen=True, slots=True)
class StorageUsage:
    """How much somebody stores. The same bytes under two names count once."""

    files: int
    used_bytes: int
    """With what each file takes beside its bytes."""
    limit_bytes: int

    @property
    def left_bytes(self) -> int:
        """What may still be stored; never negative."""
        return max(self.limit_bytes - self.used_bytes, 0)

    @property
    def fraction(self) -> float:
        """Used share of the limit, 0.0 and up."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 1.0


@dataclass(frozen=True, slots=True)
class Link:
    """An upload of a blob that may still be alive."""

    digest: Digest
    name: str
    """The entry's name at the time of upload: it is part of the URL, so a renamed file needs another."""
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """Where to PUT and where it can be had afterwards (XEP-0363)."""

    put_url: str
    get_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Only Authorization, Cookie and Expires, without newlines (XEP-0363 sections 4 and 9)."""


@unique
class Method(Enum):
    """How the bytes of a file move. The values are what people type."""

    HTTP = "http"
    """An upload and a link to it (XEP-0363)."""
    SOCKS5 = "socks5"
    """A SOCKS5 bytestream (XEP-0065), direct or through a proxy."""
    IBB = "ibb"
    """In-band, inside of the XMPP stream (XEP-0047)."""


@unique
class Negotiation(Enum):
    """How two clients agree on a stream, in the order in which they are to be preferred."""

    JINGLE = "jingle"
    """Jingle file transfer (XEP-0234)."""
    SI = "si"
    """Stream initiation (XEP-0095, XEP-0096)."""


@dataclass(frozen=True, slots=True)
class Client:
    """One of a person's clients that is online, as its disco#info describes it."""

    jid: str
    """A full JID."""
    streams: Mapping[Negotiation, frozenset[Method]]
    """The streams by which it takes files: by each way of agreeing on one, SOCKS5, IBB or both."""
    software: str = ""
    """What it calls itself: the node of its caps (XEP-0115), such as ``https://dino.im``. A hint."""

    @property
    def methods(self) -> frozenset[Method]:
        """Those of all its streams."""
        return frozenset().union(*self.streams.values())


@dataclass(frozen=True, slots=True)
class StreamMethod:
    """One way for a file to a client by a stream."""

    negotiation: Negotiation
    method: Method


@dataclass(frozen=True, slots=True)
class QueuedDelivery:
    """A file that goes to a person by a stream, or waits until it can; kept until that has ended."""

    number: int
    """The same as its transfer's while it moves; people write it after ``cancel``."""
    entry_id: int
    asker: BareJid
    """On whose behalf it goes."""
    recipient: BareJid
    language: str | None
    """Of the asker's request."""
    method: Method | None
    """The one that the asker named; None if the bot chooses."""
    created_at: datetime
    """In UTC."""
    tries: int = 0
    """Attempts that failed although the recipient was online."""


@dataclass(frozen=True, slots=True)
class RememberedRoom:
    """A room that the bot was told to be in, beside those of the config."""

    jid: BareJid
    password: str = field(default="", repr=False)
    """Empty if the room asks for none."""
    invited_by: BareJid | None = None
    """Whose invitation brought the bot there; None if those who run it did."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody wants the bot in a room, as far as a server that is believed vouches for it."""

    room: BareJid
    inviter: BareJid | None
    """None where the room hides who it is."""
    password: str = field(default="", repr=False)
    """Empty if the room asks for none."""
    mediated_for: str = ""
    """As whom the room knows the inviter, if it came through the room, which passes on a refusal (XEP-0045
    sections 7.8.2 and 7.8.3); empty if it came from the inviter (XEP-0249)."""
    language: str | None = None
    """``xml:lang`` of a direct one."""
    own: str = field(default="", compare=False)
    """The address that a direct one was sent to; see :class:`Address`."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What the admins of a room want there."""

    archive: bool = False
    """Keep what people post there without being asked, as far as they do not mind."""
    announce: bool = False
    """Tell the room which files are new, a few at a time."""
    members_only: bool = False
    """Files are for members of the room, not for everybody present."""
    max_size: int | None = None
    """The largest file, in bytes, if that is less than what the bot takes."""
    retention_days: int | None = None
    """After so many days a file goes; None for never."""


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


@dataclass(frozen=True, slots=True)
class HistoryImport:
    """Going through what was posted in a room before its archive was on: how far it is, and for whom."""

    room: BareJid
    asker: Identity
    address: Address
    """Where the asker is told."""
    language: str | None
    since: datetime
    """Nothing older is looked at, in UTC; nothing newer than ``until``, either."""
    until: datetime
    last_id: str = ""
    """Up to which all is done; empty at the beginning."""
    messages: int = 0
    """Looked at."""
    kept: int = 0
    """Files that were not there before."""
    failed: int = 0
    """Files that are gone, too large, or otherwise not to be had."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is."""

    done_bytes: int
    total_bytes: int | None

    @property
    def fraction(self) -> float | None:
        """0.0 to 1.0, or None while the total is unknown."""
        return min(self.done_bytes / self.total_bytes, 1.0) if self.total_bytes else None
