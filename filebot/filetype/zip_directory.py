"""The names in a ZIP's central directory (APPNOTE 4.3), read without trusting one number in it.

Nothing is unpacked, and no more is looked at than the caller read: a directory can be gigabytes long.
"""

import struct
from collections.abc import Iterator
from typing import Final

TAIL_BYTES: Final = 65536 + 22
"""Bytes at the end that hold the end record: only a comment of 16-bit length may follow it."""

# Signature, disk numbers, counts of entries, the directory's size and offset, the comment's length.
_END: Final = struct.Struct("<4sHHHHIIH")
# Signature, then up to the lengths of name, extra field and comment, then the rest.
_ENTRY: Final = struct.Struct("<4s24xHHH12x")


def directory_range(tail: bytes, file_size: int) -> tuple[int, int] | None:
    """Start and length of the directory in a file that ends with ``tail``; None if there is none.

    The start is counted back from the end record: programs may stand before the ZIP itself.
    """
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        return None
    length = _END.unpack_from(tail, at)[5]
    start = file_size - len(tail) + at - length
    return (start, length) if start >= 0 else None


def member_names(directory: bytes) -> Iterator[str]:
    """Return the names of the members, as far as the directory can be read."""
    at = 0
    while at + _ENTRY.size <= len(directory):
        signature, name_length, extra_length, comment_length = _ENTRY.unpack_from(directory, at)
        if signature != b"PK\x01\x02":
            return
        start = at + _ENTRY.size
        yield directory[start : start + name_length].decode(errors="replace")
        at = start + name_length + extra_length + comment_length
