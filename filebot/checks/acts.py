"""Acts: things that are about to be done for somebody. Plugins check them with ``@plugin.check``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from filebot.checks.reading import PIECE_BYTES, read_piece
from filebot.events.facts import RemovalReason
from filebot.model import Address, BareJid, Digest, Entry, JsonValue, Sender

Changeable = Mapping[str, type | tuple[type, ...]]
"""Types of values by the names of fields."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is about to be done on behalf of somebody."""

    CHANGEABLE: ClassVar[Changeable] = {}
    """Fields that a check may change."""

    sender: Sender
    """The person on whose behalf it is done; replies of a check go there."""
    language: str | None
    """The language of the message behind it, if the client named one."""


@dataclass(frozen=True, slots=True)
class FileOffered(Act):
    """A file is about to be fetched; all that is known of it is what its sender says."""

    CHANGEABLE: ClassVar[Changeable] = {"name": str}

    name: str
    """Safe display name; empty if nobody named the file."""
    size: int | None
    """Announced bytes."""
    media_type: str | None
    """Announced media type."""
    hashes: Mapping[str, bytes]
    """Announced digests by their XEP-0300 algorithm name (``sha-256``)."""
    url: str | None
    """Address that it would be fetched from first; None for a stream."""
    room: BareJid | None
    """Room whose file it is to be; None for a private one."""
    auto_archived: bool
    """Whether it is to be kept unasked, because the room keeps what is posted there."""


@dataclass(frozen=True, slots=True)
class FileReceived(Act):
    """A file is complete, hashed and of a known type, and about to be kept."""

    CHANGEABLE: ClassVar[Changeable] = {
        "name": str,
        "replacement": (bytes, Path),
        "annotations": Mapping,
    }

    name: str
    """Safe display name that it is to have."""
    size: int
    """Bytes of the file."""
    media_type: str
    """Media type, found by the content."""
    width: int | None
    """Width of a picture in pixels."""
    height: int | None
    """Height of a picture in pixels."""
    digest: Digest
    """SHA-256 of the bytes in lower-case hexadecimal, as in ``sha256sum``."""
    path: Path
    """Place of the bytes on the disk while the check runs; to be read, never to be changed."""
    room: BareJid | None
    """Room whose file it is to be; None for a private one."""
    auto_archived: bool
    """Whether it is to be kept unasked, because the room keeps what is posted there."""
    replacement: bytes | Path | None = field(default=None, kw_only=True)
    """Bytes to be kept in place of these, or the path of a file of them. The bot takes that file over: it
    is read, then removed."""
    annotations: Mapping[str, JsonValue] = field(default_factory=dict, kw_only=True)
    """Details that the plugin keeps of the file, as ``ctx.files.annotate`` does, from its first moment on.
    Each check finds this empty."""

    async def read(self, size: int = PIECE_BYTES, offset: int = 0) -> bytes:
        """Return some of the bytes, from an offset on; a MiB at most, fewer at the end of the file."""
        return await read_piece(self.path, size, offset)


@dataclass(frozen=True, slots=True)
class FileRequested(Act):
    """A stored file is about to go to somebody, or into a room.

    A file that waits is checked each time that it is tried. If a check changes the ``entry``, the other
    file goes in its place, if the sender may have that one sent.
    """

    CHANGEABLE: ClassVar[Changeable] = {"entry": Entry}

    entry: Entry
    """The file."""
    to: Address
    """Destination of the file."""


@dataclass(frozen=True, slots=True)
class FileRemoving(Act):
    """A file is about to be removed by a command of its owner, of an admin of its room, or of the bot."""

    entry: Entry
    """The file."""
    reason: RemovalReason
    """Why it is to be removed: ``OWNER`` or ``ADMIN``."""


@dataclass(frozen=True, slots=True)
class FileRenaming(Act):
    """A file is about to be given another name."""

    CHANGEABLE: ClassVar[Changeable] = {"name": str}

    entry: Entry
    """The file, with its old name."""
    name: str
    """Safe display name that it is to have."""


@dataclass(frozen=True, slots=True)
class CommandCalled(Act):
    """A command is about to run: its words fit, and the sender may use it."""

    plugin: str
    """Name of the plugin that has the command."""
    command: str
    """Name of the command."""
    arguments: Mapping[str, Any]
    """Values of its arguments, by the names of the function's parameters."""


ACTS: Final[tuple[type[Act], ...]] = (
    FileOffered,
    FileReceived,
    FileRequested,
    FileRenaming,
    FileRemoving,
    CommandCalled,
)
"""All classes of acts that are checked."""
