"""Events: facts in the past tense, each with its actor. Plugins listen to them with ``@plugin.on``."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from filebot.errors import FilebotError
from filebot.model import (
    Address,
    AddressKind,
    BareJid,
    Entry,
    HistoryImport,
    Identity,
    IncomingMessage,
    Method,
    Sender,
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody on whose behalf something is done, as its event names them."""

    sender: Sender
    language: str | None = None
    """The language of the message behind it, if the client named one."""


def room_itself(room: BareJid) -> Actor:
    """Return the actor of what happens in a room for nobody's sake: everybody there."""
    return Actor(Sender(Address(room, AddressKind.ROOM), None, room))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on behalf of somebody."""

    sender: Sender
    """The actor; a handler's replies go to this person."""
    language: str | None
    """The language of the message behind it, if the client named one."""


@dataclass(frozen=True, slots=True)
class FileStored(Event):
    """Somebody asked for a file to be kept: bytes and catalog row are on disk."""

    entry: Entry
    already_known: bool
    """The same bytes of the same owner were there before; ``entry`` is the old row."""
    name: str
    """Name of the file this time."""


@dataclass(frozen=True, slots=True)
class FileAutoArchived(Event):
    """A file that was posted in a room was kept without anybody asking, as the room wants it."""

    entry: Entry
    from_history: bool = False
    """It was found among what had been posted there before."""


@dataclass(frozen=True, slots=True)
class FileShared(Event):
    """A stored file became a room's, too."""

    entry: Entry
    """The room's."""


@dataclass(frozen=True, slots=True)
class FileRenamed(Event):
    """A file has another name."""

    entry: Entry
    """With the new name."""
    old_name: str


@dataclass(frozen=True, slots=True)
class OwnerChanged(Event):
    """A file was claimed, or its room was destroyed and it is its owner's alone."""

    entry: Entry
    """The file as it is now."""
    former_owner: Identity
    former_room: BareJid | None


@unique
class RemovalReason(Enum):
    """Why a file was removed."""

    OWNER = "owner"
    """Its owner wanted it."""
    ADMIN = "admin"
    """An admin of the bot or of its room wanted it."""
    RETENTION = "retention"
    """Its room keeps files for some time only."""
    OPT_OUT = "opt-out"
    """Whoever posted it wants nothing kept unasked."""
    ARCHIVE_OFF = "archive off"
    """Its room stopped keeping what is posted while the file came in."""
    ROOM_DESTROYED = "room destroyed"
    """Nobody can show to be its owner any more, or its owner has another copy."""


@dataclass(frozen=True, slots=True)
class FileRemoved(Event):
    """A catalog row is gone; so are the bytes, unless another row needs them."""

    entry: Entry
    reason: RemovalReason


@dataclass(frozen=True, slots=True)
class RoomFilePosted(Event):
    """Somebody posted files in a room for the people there; replies go to the poster alone, in private.

    It is told to plugins alone that have a setting which needs consent, and where the room has it on.
    """

    message: IncomingMessage


@dataclass(frozen=True, slots=True)
class RoomFilesAdded(Event):
    """A room has new files and wants to hear of it; the sender is the room itself."""

    first: tuple[Entry, ...]
    """Some of them, in the order of their coming."""
    count: int
    """Number of all of them."""


@dataclass(frozen=True, slots=True)
class HistoryImportProgressed(Event):
    """A room's history is being gone through for the sender."""

    history_import: HistoryImport
    at: datetime | None
    """Up to which moment it is done, in UTC."""


@dataclass(frozen=True, slots=True)
class HistoryImportFinished(Event):
    """That has come to its end."""

    history_import: HistoryImport
    error: FilebotError | None
    """Why it ended too early."""


@dataclass(frozen=True, slots=True)
class FileRefused(Event):
    """A file was not kept; nothing of it is left."""

    name: str
    """The safe display name of what was offered."""
    error: FilebotError


@dataclass(frozen=True, slots=True)
class LinkReceived(Event):
    """Somebody wrote a link that is not known to be a file of theirs; ``fetch`` would take it."""

    url: str


@dataclass(frozen=True, slots=True)
class DeliveryStarted(Event):
    """A file is about to go to somebody otherwise than by a plain link: their client may ask them."""

    entry: Entry
    to: Address
    """A person; ``sender.address`` for the asker."""
    method: Method
    cause: FilebotError | None
    """Why it goes so; None if it was asked for, or if it has waited for this."""
    after_stream: bool
    """The cause is that streams to the person's clients failed."""
    seconds: float | None
    """About how long it will take, where that is known beforehand."""
    own_server: bool
    """The server whose upload service the cause is about is also the server of the person."""
    again: bool
    """An earlier attempt did not bring it there."""


@dataclass(frozen=True, slots=True)
class FileQueued(Event):
    """A file that somebody asked for, or sent, waits for others that are on their way."""

    name: str
    behind: int
    """Number of files that come first."""
    limit: int
    """Most files on their way at once."""
    whose: str
    """The party that ``limit`` is for: ``person``, ``room`` or ``all``."""


@dataclass(frozen=True, slots=True)
class FileDelivered(Event):
    """A file was delivered as far as its method can tell."""

    entry: Entry
    to: Address
    method: Method
    asked: bool
    """The sender named the method."""


@dataclass(frozen=True, slots=True)
class DeliveryQueued(Event):
    """A file could not be brought to somebody yet; it goes when they are online, or is tried again."""

    entry: Entry
    to: Address
    number: int
    """Which ``cancel`` takes."""
    causes: tuple[FilebotError, ...]
    tried: bool
    """Something was tried and did not work; False if they are not online with a client that takes it."""


@dataclass(frozen=True, slots=True)
class DeliveryAbandoned(Event):
    """A file that waited for somebody is not sent any more."""

    entry: Entry
    to: Address
    error: FilebotError


@dataclass(frozen=True, slots=True)
class InvitationAccepted(Event):
    """The bot is in a room because the sender invited it."""

    room: BareJid


@dataclass(frozen=True, slots=True)
class RoomJoined(Event):
    """The bot entered a room in which it was not, to stay; the sender is the room itself."""

    room: BareJid


@dataclass(frozen=True, slots=True)
class RoomLeft(Event):
    """The bot left a room for good, or was put out of it; the sender is the room itself."""

    room: BareJid


@dataclass(frozen=True, slots=True)
class RoomDestroyed(Event):
    """A room is no more, and its files are its owners'; the sender is the room itself."""

    room: BareJid


@dataclass(frozen=True, slots=True)
class PersonOnline(Event):
    """A client of the sender's came online."""
