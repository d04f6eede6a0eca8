"""Programs in machine or byte code, told by their headers before anything behind these is looked at."""

import struct
from typing import Final

from filebot.filetype.text_encoding import decoded

WINDOWS: Final = "application/vnd.microsoft.portable-executable"
"""Also for what came before that format: libmagic has one name for all."""

_SCRIPT: Final = b"#!"
_ELF: Final = b"\x7fELF"
_FAT_OR_CLASS: Final = b"\xca\xfe\xba\xbe"
_MACH: Final = (
    b"\xca\xfe\xba\xbf",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
)
_OLDEST_CLASS: Final = 45
"""The first version of Java's class files; a binary for several processors has their count there."""


def begins_as_program(head: bytes) -> bool:
    """Return whether a file begins as programs do, so that no mark behind its beginning counts."""
    return head.startswith((b"MZ", _SCRIPT, _ELF, _FAT_OR_CLASS, *_MACH))


def program_type(head: bytes) -> str | None:
    """Return the media type of a program whose kind libmagic might mistake, else None."""
    if head.startswith(b"MZ") and decoded(head) is None:
        return WINDOWS
    if head.startswith(_FAT_OR_CLASS) and len(head) >= 8:
        is_class = struct.unpack_from(">I", head, 4)[0] & 0xFFFF >= _OLDEST_CLASS
        return "application/java-vm" if is_class else "application/x-mach-binary"
    return "application/x-mach-binary" if head.startswith(_MACH) else None
