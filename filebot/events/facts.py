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
    """A file was kept because somebody asked for it: bytes and catalog row are on disk."""

    entry: Entry
    """The file."""
    already_known: bool
    """Whether the same bytes of the same owner were there before; ``entry`` is the old row."""
    name: str
    """Name of the file this time."""


@dataclass(frozen=True, slots=True)
class FileAutoArchived(Event):
    """A file that was posted in a room was kept unasked, as the room wants it."""

    entry: Entry
    """The file, which is the room's."""
    from_history: bool = False
    """Whether it had been posted before the room wanted that."""


@dataclass(frozen=True, slots=True)
class FileShared(Event):
    """A stored file became a room's, too, and is about to be posted there."""

    entry: Entry
    """The room's entry, which is another than that of the stored file."""


@dataclass(frozen=True, slots=True)
class FileRenamed(Event):
    """A file has another name."""

    entry: Entry
    """The file, with the new name."""
    old_name: str
    """The name before."""


@dataclass(frozen=True, slots=True)
class CaptionChanged(Event):
    """A file has another caption: its author corrected the message that it came by."""

    entry: Entry
    """The file, with the new caption."""
    old_caption: str
    """The caption before; empty for none."""


@dataclass(frozen=True, slots=True)
class OwnerChanged(Event):
    """A file was claimed, or its room was destroyed and it is its owner's alone."""

    entry: Entry
    """The file as it is now."""
    former_owner: Identity
    """The owner before."""
    former_room: BareJid | None
    """The room whose file it was; None for a private one."""


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
    RETRACTION = "retraction"
    """Whoever posted it took the message back that brought it (XEP-0424)."""
    MODERATION = "moderation"
    """A moderator of the room took that message back (XEP-0425)."""
    ROOM_DESTROYED = "room destroyed"
    """Nobody can show to be its owner any more, or its owner has another copy."""


@dataclass(frozen=True, slots=True)
class FileRemoved(Event):
    """A catalog row is gone; so are the bytes, unless another row needs them."""

    entry: Entry
    """The file as it was."""
    reason: RemovalReason
    """Why it was removed."""


@dataclass(frozen=True, slots=True)
class RoomFilePosted(Event):
    """Somebody posted files in a room without addressing the bot; replies go to the poster in private.

    Only plugins with a setting that needs consent are told, and only where the room has it on.
    """

    message: IncomingMessage
    """The message, with the files as its ``offers``."""


@dataclass(frozen=True, slots=True)
class RoomFilesAdded(Event):
    """The plugin ``announce`` has told a room of new files; the sender is the room itself."""

    first: tuple[Entry, ...]
    """Some of them, in the order of their coming."""
    count: int
    """Number of all of them."""


@dataclass(frozen=True, slots=True)
class HistoryImportProgressed(Event):
    """The import of a room's history, which the sender began, has come to a moment."""

    history_import: HistoryImport
    """The import, with its counts so far."""
    at: datetime | None
    """That moment, in UTC."""


@dataclass(frozen=True, slots=True)
class HistoryImportFinished(Event):
    """The import of a room's history has ended."""

    history_import: HistoryImport
    """The import, with its counts."""
    error: FilebotError | None
    """Why it ended too early; None if it did not."""


@dataclass(frozen=True, slots=True)
class FileRefused(Event):
    """A file was not kept; nothing of it is left."""

    name: str
    """The safe display name of what was offered."""
    error: FilebotError
    """Why it was not kept."""


@dataclass(frozen=True, slots=True)
class Greeted(Event):
    """Somebody greeted the bot, or wrote what people write first to a bot, such as ``start``."""


@dataclass(frozen=True, slots=True)
class PersonSubscribed(Event):
    """Somebody whom the bot serves asked to see it, as clients do that add it to their contacts.

    It can be told again of the same person.
    """


@dataclass(frozen=True, slots=True)
class LinkReceived(Event):
    """Somebody wrote a link that is not known to be a file of theirs; ``fetch`` would take it."""

    url: str
    """The link, as it was written."""


@dataclass(frozen=True, slots=True)
class DeliveryStarted(Event):
    """A file is about to go otherwise than by a plain link: the client may ask whether to take it."""

    entry: Entry
    """The file."""
    to: Address
    """A person; ``sender.address`` for the asker."""
    method: Method
    """Method by which it goes."""
    cause: FilebotError | None
    """Why it goes so; None if the method was asked for, or if the file has waited for this."""
    after_stream: bool
    """Whether the cause is that streams to the person's clients failed."""
    seconds: float | None
    """About how long it will take, where that is known beforehand."""
    own_server: bool
    """Whether the upload service that the cause is about is on the person's own server."""
    again: bool
    """Whether an earlier attempt did not bring it there."""


@dataclass(frozen=True, slots=True)
class FileQueued(Event):
    """A file that somebody asked for, or sent, waits because too many others are on their way."""

    name: str
    """Name of the file that waits."""
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
    """The file."""
    to: Address
    """Destination of the file."""
    method: Method
    """Method by which it went."""
    asked: bool
    """Whether the sender named the method."""


@dataclass(frozen=True, slots=True)
class DeliveryQueued(Event):
    """A file waits: it goes when the person is online with a client that takes it, or is tried again."""

    entry: Entry
    """The file."""
    to: Address
    """Destination of the file."""
    number: int
    """Number that ``cancel`` takes."""
    causes: tuple[FilebotError, ...]
    """Why it did not go yet, the first cause first."""
    tried: bool
    """Whether something was tried and failed; False if there was no client that takes it."""
    again: bool = False
    """Whether it waited already, and was asked for once more."""


@dataclass(frozen=True, slots=True)
class DeliveryAbandoned(Event):
    """A file that waited for somebody is not sent any more."""

    entry: Entry
    """The file."""
    to: Address
    """Destination of the file."""
    error: FilebotError
    """Why it was given up."""


@dataclass(frozen=True, slots=True)
class InvitationAccepted(Event):
    """The bot is in a room because the sender invited it."""

    room: BareJid
    """Address of the room."""


@dataclass(frozen=True, slots=True)
class RoomJoined(Event):
    """The bot entered a room in which it was not, to stay; the sender is the room itself.

    It is not told of after each start or lost connection.
    """

    room: BareJid
    """Address of the room."""


@dataclass(frozen=True, slots=True)
class RoomLeft(Event):
    """The bot left a room for good, or was put out of it; the sender is the room itself.

    A reply there reaches nobody.
    """

    room: BareJid
    """Address of the room."""


@dataclass(frozen=True, slots=True)
class RoomDestroyed(Event):
    """A room is no more; what became of its files was told before. The sender is the room itself."""

    room: BareJid
    """Address of the room."""


@dataclass(frozen=True, slots=True)
class PersonOnline(Event):
    """A client of the sender's came online, or can do something else now; once a minute at most."""
