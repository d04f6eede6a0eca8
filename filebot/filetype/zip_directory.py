"""The members of a ZIP, from its central directory (APPNOTE 4.3) or, without one, its local headers.

No number in it is trusted. No more is looked at than a bounded part: a directory can be gigabytes long.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from filebot.filetype.reader import BoundedReader

LOCAL: Final = b"PK\x03\x04"
SPANNED: Final = b"PK\x07\x08"
"""Begins the first part of an archive in several files (APPNOTE 8.5.3)."""

EMPTY: Final = b"PK\x05\x06"
"""Begins an archive without members."""

DIRECTORY_BYTES: Final = 512 * 1024
"""Bytes read of a directory: some thousand names; those that tell the type mostly come first."""
_LOCAL_STEPS: Final = 1000
_LARGE: Final = 0xFFFFFFFF
"""Stands for a number that the ZIP64 record holds."""

# Signature, disk numbers, counts of entries, the directory's size and offset, the comment's length.
_END: Final = struct.Struct("<4sHHHHIIH")
# Signature, its length, versions, disk numbers, counts of entries, the directory's size and offset.
_END64: Final = struct.Struct("<4sQHHIIQQQQ")
# Signature, disk, offset of the record, count of disks.
_LOCATOR: Final = struct.Struct("<4sIQI")
# Signature, method, sizes, lengths of name, extra field and comment, offset of the local header.
_ENTRY: Final = struct.Struct("<4s6xH8xIIHHH8xI")
# Signature, flags, method, sizes, lengths of name and extra field.
_LOCAL: Final = struct.Struct("<4s2xHH8xIIHH")
_STREAMED: Final = 0x08
_STORED: Final = 0
_DEFLATED: Final = 8


class Member(NamedTuple):
    """A file in a ZIP."""

    name: str
    method: int
    length: int
    """Bytes that it takes in the ZIP, as claimed."""
    offset: int
    """Place of its local header in the file."""


def members(reader: BoundedReader) -> list[Member]:
    """Return the members as far as they can be read."""
    return directory_members(reader) or list(_of_local_headers(reader))


def directory_members(reader: BoundedReader) -> list[Member]:
    """Return the members that the central directory names; none if there is no directory."""
    tail = reader.tail()
    at = tail.rfind(EMPTY)
    if at < 0 or len(tail) - at < _END.size:
        return []
    length, told = _END.unpack_from(tail, at)[5:7]
    end = reader.size - len(tail) + at
    if _LARGE in {length, told}:
        large = _large_end(reader, end)
        if large is None:
            return []
        end, length, told = large
    # Counted back from the end record: programs may stand before the ZIP itself.
    start = end - length
    if start < 0:
        return []
    return list(_of_directory(reader.part(start, min(length, DIRECTORY_BYTES)), max(0, start - told)))


def _large_end(reader: BoundedReader, end: int) -> tuple[int, int, int] | None:
    """Return place of the ZIP64 end record, the directory's length and its offset."""
    locator = reader.part(end - _LOCATOR.size, _LOCATOR.size)
    if len(locator) < _LOCATOR.size or not locator.startswith(b"PK\x06\x07"):
        return None
    at = _LOCATOR.unpack(locator)[2]
    record = reader.part(at, _END64.size)
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        return None
    length, told = _END64.unpack(record)[-2:]
    return at, length, told


def content(reader: BoundedReader, member: Member, limit: int) -> bytes:
    """Return the beginning of a member's content, unpacked; empty if it cannot be."""
    header = reader.part(member.offset, _LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != LOCAL:
        return b""
    start = member.offset + _LOCAL.size + sum(_LOCAL.unpack(header)[5:7])
    if member.method == _STORED:
        return reader.part(start, min(member.length, limit))
    if member.method != _DEFLATED:
        return b""
    packed = reader.part(start, min(member.length or limit, limit))
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, limit)
    except zlib.error:
        return b""


def _of_directory(directory: bytes, shift: int) -> Iterator[Member]:
    at = 0
    while at + _ENTRY.size <= len(directory):
        signature, method, length, _, name_length, extra_length, comment_length, offset = (
            _ENTRY.unpack_from(directory, at)
        )
        if signature != b"PK\x01\x02":
            return
        start = at + _ENTRY.size
        name = directory[start : start + name_length].decode(errors="replace")
        yield Member(name, method, length, offset + shift)
        at = start + name_length + extra_length + comment_length


def _of_local_headers(reader: BoundedReader) -> Iterator[Member]:
    """Follow the local headers; behind a streamed member the next one is looked for in the head."""
    at = 4 if reader.head.startswith(SPANNED) else 0
    for _ in range(_LOCAL_STEPS):
        header = reader.part(at, _LOCAL.size)
        if len(header) < _LOCAL.size or header[:4] != LOCAL:
            return
        _, flags, method, length, _, name_length, extra_length = _LOCAL.unpack(header)
        start = at + _LOCAL.size
        yield Member(reader.part(start, name_length).decode(errors="replace"), method, length, at)
        at = start + name_length + extra_length + length
        if flags & _STREAMED and not length:
            # Whatever looks like a header may be inside what is stored, which can be a ZIP itself.
            if method == _STORED:
                return
            at = reader.head.find(LOCAL, at)
            if at < 0:
                return
