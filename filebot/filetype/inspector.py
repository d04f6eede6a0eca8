"""Media type and dimensions of a file, found by libmagic and refined by the file's content.

However large or hostile the file is, only bounded parts of it are read: the first 64 KiB, the last, and
what they lead to, `reader.BUDGET_BYTES` in all; for the size of a picture at most a MiB more.

libmagic knows what bytes begin with. It cannot look into a compound document or a ZIP, and it cannot tell a
table from prose or a manual from a diary. Formats with a directory are read by modules of their own. Where
content cannot decide, and only there, the name and the sender's claim count: they choose among harmless
types, so that a program never passes for a picture.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Final

import magic

from filebot.concurrency.tasks import Threads
from filebot.errors import NoDescriptors, StorageError
from filebot.filenames import extension
from filebot.filetype import ole2, zip_directory, zip_members
from filebot.filetype.der import der_type
from filebot.filetype.iso_media import iso_media_type
from filebot.filetype.media_containers import container_type
from filebot.filetype.media_types import ALIASES, HINTS, TEXT, UNKNOWN, ZIP
from filebot.filetype.picture_size import picture_size
from filebot.filetype.programs import begins_as_program, program_type
from filebot.filetype.reader import BoundedReader
from filebot.filetype.signatures import signature_type
from filebot.filetype.text import named_text, text_type
from filebot.filetype.tiff import tiff_type
from filebot.model import FileKind
from filebot.system.descriptors import is_shortage

_log = logging.getLogger(__name__)

THREADS: Final = 2

_ZIPS: Final = (zip_directory.LOCAL, zip_directory.SPANNED + zip_directory.LOCAL, zip_directory.EMPTY)
_TARGA: Final = "image/x-tga"
_READERS: Final = (iso_media_type, container_type, tiff_type, signature_type)


class LibmagicInspector:
    """Implements :class:`filebot.ports.Inspector`."""

    def __init__(self) -> None:
        # One handle for all threads: it has a lock of its own, and each would hold megabytes.
        self._threads = Threads("inspect", THREADS)
        self._magic = magic.Magic(mime=True)

    async def inspect(self, file: Path, name: str, claimed: str | None) -> FileKind:
        return await self._threads.run(self.examine, file, name, claimed)

    def examine(self, path: Path, name: str, claimed: str | None) -> FileKind:
        """Do the same in the caller's thread."""
        try:
            with path.open("rb") as file:
                claim = _registered((claimed or "").partition(";")[0].strip())
                reader = BoundedReader(file)
                kind = _document(reader)
                if kind is not None:
                    return replace(kind, media_type=_hinted(kind.media_type, extension(name), claim))
                media_type = _hinted(
                    self._by_content(reader, extension(name), claim), extension(name), claim
                )
                if not media_type.startswith("image/"):
                    return FileKind(media_type)
                return FileKind(media_type, *picture_size(file))
        except OSError as error:
            raise (NoDescriptors if is_shortage(error) else StorageError)(str(error)) from error

    def _by_content(self, reader: BoundedReader, ending: str, claim: str) -> str:
        head = reader.head
        if begins_as_program(head):
            kind = program_type(head)
        else:
            kind = next((kind for read in _READERS if (kind := read(reader)) is not None), None)
        if kind is not None:
            return _registered(kind)
        found = self._by_libmagic(head)
        if found == _TARGA and not _is_targa(reader, ending):
            found = UNKNOWN
        if found == UNKNOWN or found.startswith(("text/", "message/", "application/", "image/", "video/")):
            text = text_type(head, found, named_text(ending, claim)) if reader.size else None
            if text is not None:
                return _registered(text)
        if found in {UNKNOWN, TEXT}:
            return der_type(head, reader.size) or (
                ZIP if zip_directory.directory_members(reader) else UNKNOWN
            )
        return found

    def _by_libmagic(self, head: bytes) -> str:
        try:
            return _registered(self._magic.from_buffer(head))
        except magic.MagicException as error:
            _log.warning("libmagic failed: %s", error)
            return UNKNOWN


def _document(reader: BoundedReader) -> FileKind | None:
    """Return the kind of a file that has a directory, and so may hold macros; else None."""
    if reader.head.startswith(ole2.SIGNATURE):
        return ole2.kind_of(reader)
    return zip_members.kind_of(reader) if reader.head.startswith(_ZIPS) else None


def _hinted(found: str, ending: str, claim: str) -> str:
    """Let name and claim choose among the types that a vague one may mean."""
    hints = HINTS.get(found, {})
    by_name = hints.get(ending)
    if by_name is not None:
        return by_name
    return claim if claim in hints.values() else found


def _is_targa(reader: BoundedReader, ending: str) -> bool:
    """Return whether the guess is right: old Targa pictures have no signature at all."""
    return ending in {".tga", ".targa"} or reader.tail().rstrip(b"\0").endswith(b"TRUEVISION-XFILE.")


def _registered(media_type: str) -> str:
    """Return the registered name of a type, or the type itself."""
    lower = media_type.lower()
    return ALIASES.get(lower, media_type if lower.endswith(".12") else lower)
