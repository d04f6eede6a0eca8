"""Files: stored bytes, offers of files, entries of the catalog and sums over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from filebot.model.people import BareJid, Identity
from filebot.model.references import PostedMessage

Digest = str
"""The sha-256 of a blob, 64 lower-case hexadecimal digits."""

MACROS_PARAMETER: Final = "; macros=yes"
"""Follows the media type of a document with macros in the catalog and before people, not on the wire."""


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Reference to stored bytes, by their digest."""

    digest: Digest
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Description of a file by the peer that proposes it. Nothing in it is trusted or checked."""

    urls: tuple[str, ...] = ()
    """URLs of the bytes, in the peer's order."""
    name: str | None = None
    """Name of the file; None if the peer gave none."""
    size: int | None = None
    """Bytes, as the peer says; not negative."""
    media_type: str | None = None
    """Media type, as the peer says."""
    hashes: Mapping[str, bytes] = field(default_factory=dict)
    """Digests by their XEP-0300 algorithm name (``sha-256``); only algorithms that the bot can check."""
    hash_follows: bool = False
    """The peer promises a hash after the data, or beside it (XEP-0234, ``hash-used``, ``checksum``)."""
    description: str = ""
    """Words about the file; empty for none."""
    width: int | None = None
    """Width of a picture in pixels."""
    height: int | None = None
    """Height of a picture in pixels."""
    message: PostedMessage | None = field(default=None, compare=False)
    """Message that brings it and can be taken back (XEP-0424); set by filebot, never by a peer."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """Type of a file, read from its content."""

    media_type: str
    width: int | None = None
    """Width of a picture in pixels."""
    height: int | None = None
    has_macros: bool = False
    """Whether it is a document with programs of its own, of a media type that does not say so."""


LONGEST_NICK: Final = 100
"""Characters kept of a nick: enough to know it again."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A catalog row that has no id yet."""

    name: str
    """A safe display name, never a path."""
    owner: Identity
    """Identity of the owner."""
    room: BareJid | None
    """The room whose members may read it; None for a private file."""
    caption: str
    """Words that were sent with the file; empty for none."""
    blob: BlobRef
    """The bytes: ``blob.size`` is their number, ``blob.digest`` their SHA-256."""
    media_type: str
    """Media type, found by the content."""
    created_at: datetime
    """Time of storing, in UTC."""
    width: int | None = None
    """Width of a picture in pixels."""
    height: int | None = None
    """Height of a picture in pixels."""
    auto_archived: bool = False
    """Kept because the room wanted what is posted there to be kept, not because somebody asked for it."""
    shared_by: str = ""
    """Nick of the owner in the room at that time, for display alone; empty for a private file."""
    source_message: str | None = None
    """Id of the message and file that it came from, if that message may be read again: the address of its
    archive, a space, and what tells it from others there."""
    has_macros: bool = False
    """Whether it is a document with programs of its own, of a media type that does not say so."""

    @property
    def described_type(self) -> str:
        """The media type, with a parameter if the file has macros."""
        return f"{self.media_type}{MACROS_PARAMETER}" if self.has_macros else self.media_type


def archive_of(source_message: str) -> BareJid:
    """Return the address of the archive that has this message (see ``NewEntry.source_message``)."""
    return source_message.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Entry(NewEntry):
    """A file as the catalog knows it."""

    id: int = field(kw_only=True)
    """Short and never reused; people write it as ``#12``."""
    modified_at: datetime = field(kw_only=True)
    """Time of the row's last change (a new name), in UTC."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Share of an entry's bytes that counts for its owner and its room."""

    percent: int
    of_bytes: int
    """Bytes of the entry and of its attachments."""

    def grows_by(self, percent: int) -> int:
        """Return how much more counts at most with another percentage; 0 if it is not more."""
        more = percent - self.percent
        # Own bytes and those of attachments are rounded apart.
        return 0 if more <= 0 else self.of_bytes * more // 100 + 2


@dataclass(frozen=True, slots=True)
class Attachment:
    """File that a plugin derived from an entry, such as a thumbnail; it goes with the entry."""

    entry_id: int
    plugin: str
    name: str
    """Name for the plugin alone, such as ``thumbnail``; one entry has one of each name and plugin."""
    blob: BlobRef
    media_type: str


@dataclass(frozen=True, slots=True)
class StorageUsage:
    """Storage that somebody uses. The same bytes under two names count once."""

    files: int
    """Number of files."""
    used_bytes: int
    """Bytes of the files, with the overhead of each."""
    limit_bytes: int
    """Bytes that may be stored."""
    overhead_bytes: int
    """Bytes that each file counts beside its own."""
    in_rooms: int = 0
    """Number of those files of a person that are in rooms, and in no list of their own."""

    @property
    def left_bytes(self) -> int:
        """Bytes that may still be stored; never negative."""
        return max(self.limit_bytes - self.used_bytes, 0)
