"""Raw pictures of cameras, which are TIFF files, told by their tags (TIFF 6.0, DNG 1.7)."""

import struct
from collections.abc import Mapping
from typing import Final

from filebot.filetype.reader import BoundedReader

TIFF: Final = "image/tiff"

_MAKE: Final = 271
_SUB_DIRECTORIES: Final = 330
_COMPRESSION: Final = 259
_DNG_VERSION: Final = 50706
_PENTAX_COMPRESSION: Final = 65535
_MAX_ENTRIES: Final = 512

_MARKS: Final[Mapping[bytes, str]] = {
    b"IIRO": "image/x-olympus-orf",
    b"IIRS": "image/x-olympus-orf",
    b"MMOR": "image/x-olympus-orf",
    b"IIU\0": "image/x-panasonic-rw2",
    b"II\xbc\x01": "image/jxr",
}
_MAKERS: Final[Mapping[str, str]] = {
    "nikon": "image/x-nikon-nef",
    "sony": "image/x-sony-arw",
    "pentax": "image/x-pentax-pef",
}


def tiff_type(reader: BoundedReader) -> str | None:
    """Return the media type of a file that begins as a TIFF or nearly so, else None."""
    head = reader.head
    if head[:4] in _MARKS:
        return _MARKS[head[:4]]
    if head[:4] not in {b"II*\0", b"MM\0*"} or len(head) < 8:
        return None
    if head[8:10] == b"CR":
        return "image/x-canon-cr2"
    order = "<" if head.startswith(b"II") else ">"
    at = struct.unpack_from(order + "I", head, 4)[0]
    tags = _tags(reader, order, at)
    if _DNG_VERSION in tags:
        return "image/x-adobe-dng"
    make = reader.part(tags.get(_MAKE, 0), 32).lower().decode("latin-1") if _MAKE in tags else ""
    if _SUB_DIRECTORIES in tags or tags.get(_COMPRESSION, 0) == _PENTAX_COMPRESSION:
        for maker, kind in _MAKERS.items():
            if make.startswith(maker):
                return kind
    return TIFF


def _tags(reader: BoundedReader, order: str, at: int) -> dict[int, int]:
    """Return the values of the first directory; for what does not fit, its offset."""
    raw = reader.part(at, 2)
    if len(raw) < 2:
        return {}
    count = min(struct.unpack(order + "H", raw)[0], _MAX_ENTRIES)
    body = reader.part(at + 2, 12 * count)
    tags = {}
    for place in range(0, len(body) - 11, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", body, place)
        short = kind == 3 and number == 1  # SHORT
        tags[tag] = struct.unpack_from(order + ("H" if short else "I"), body, place + 8)[0]
    return tags
