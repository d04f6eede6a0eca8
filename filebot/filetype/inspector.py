"""Media type and dimensions of a file, found by libmagic, its ZIP directory and its picture header.

However large or hostile the file is, only bounded parts of it are read: the first 64 KiB, for a ZIP its end
and the beginning of its directory, for a picture at most a MiB here and there.

libmagic knows what bytes begin with. It cannot tell a table from prose or a manual from a diary, and for
it many formats are "a ZIP" or "some data". There, and only there, the name and the sender's claim count:
they choose among harmless types, so that a program never passes for a picture.
"""

import logging
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

import imagesize  # type: ignore[import-untyped] # it ships no types
import magic

from filebot.concurrency.tasks import Threads
from filebot.errors import NoDescriptors, StorageError
from filebot.filenames import extension
from filebot.filetype.media_types import ALIASES, HINTS, UNKNOWN, ZIP, ZIP_MEMBERS
from filebot.filetype.zip_directory import TAIL_BYTES, directory_range, member_names
from filebot.model import FileKind
from filebot.system.descriptors import is_shortage

_log = logging.getLogger(__name__)

HEAD_BYTES: Final = 64 * 1024
DIRECTORY_BYTES: Final = 256 * 1024
"""Bytes read of a ZIP's directory: some thousand names; those that tell the type mostly come first."""

ZIP_MEMBER: Final = b"PK\x03\x04"
"""Signature of a local file header (APPNOTE 4.3.7)."""

THREADS: Final = 2

MAX_PIXELS: Final = 200_000
"""Largest width or height that is believed; more is a mistake or a lie."""


class LibmagicInspector:
    """Implements :class:`filebot.ports.Inspector`."""

    def __init__(self) -> None:
        # One handle for all threads: it has a lock of its own, and each would hold megabytes.
        self._threads = Threads("inspect", THREADS)
        self._magic = magic.Magic(mime=True)

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        return await self._threads.run(self._inspect, file, name, claimed)

    def _inspect(self, path: Path, name: str, claimed: str | None) -> FileKind:
        try:
            with path.open("rb") as file:
                media_type = _refined(self._content_type(file), name, claimed)
                if not media_type.startswith("image/"):
                    return FileKind(media_type)
                return FileKind(media_type, *_picture_size(file))
        except OSError as error:
            raise (NoDescriptors if is_shortage(error) else StorageError)(str(error)) from error

    def _content_type(self, file: BinaryIO) -> str:
        head = file.read(HEAD_BYTES)
        try:
            found = _registered(self._magic.from_buffer(head))
        except magic.MagicException as error:
            _log.warning("libmagic failed: %s", error)
            found = UNKNOWN
        # libmagic 5.46 does not know every ZIP.
        if found == UNKNOWN and head.startswith(ZIP_MEMBER):
            found = ZIP
        if found in {ZIP, UNKNOWN}:
            return _zip_type(file) or found
        return found


def _zip_type(file: BinaryIO) -> str | None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    found = directory_range(file.read(TAIL_BYTES), size)
    if found is None:
        return None
    start, length = found
    file.seek(start)
    kind = _of_zip(member_names(file.read(min(length, DIRECTORY_BYTES))))
    return None if kind == ZIP else kind


def _registered(media_type: str) -> str:
    """Return the registered name of a type, or the type itself."""
    lower = media_type.lower()
    return ALIASES.get(lower, lower)


def _of_zip(members: Iterable[str]) -> str:
    """Return the media type of a ZIP that has these members."""
    names = {part for name in members for part in (name, name.partition("/")[0] + "/")}
    return next((kind for needed, kind in ZIP_MEMBERS if needed <= names), ZIP)


def _refined(found: str, name: str, claimed: str | None) -> str:
    """Refine a vague type by the file's name, else by the sender's claim; return others unchanged."""
    hints = HINTS.get(found, {})
    by_name = hints.get(extension(name))
    if by_name is not None:
        return by_name
    claim = _registered((claimed or "").partition(";")[0].strip())
    return claim if claim in hints.values() else found


class _LimitedReader:
    """A file with a limit for a parser that would follow any length and any number of boxes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = 1024 * 1024

    def read(self, size: int) -> bytes:
        self._left -= max(size, 1024)
        if size < 0 or self._left < 0:
            raise ValueError("too much to read for a picture's size")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)


def _picture_size(file: BinaryIO) -> tuple[int | None, int | None]:
    """Width and height as shown, in pixels; both or none."""
    file.seek(0)
    # The rotation of a HEIF picture follows tables of which imagesize keeps whatever number of entries
    # they claim, in a few bytes: gigabytes, for a file of some kilobytes.
    is_heif = file.read(8)[4:] == b"ftyp"
    width, height = imagesize.get(_LimitedReader(file), exif_rotation=not is_heif)
    if not (0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS):  # -1: unknown; NaN: a hostile SVG
        return None, None
    return math.ceil(width), math.ceil(height)
