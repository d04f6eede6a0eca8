"""Random access to a file with a limit on the bytes that are read in all."""

import os
from typing import BinaryIO, Final

HEAD_BYTES: Final = 64 * 1024
TAIL_BYTES: Final = 65536 + 22
"""Bytes at the end that hold the end record of a ZIP: only a comment of 16-bit length may follow it."""

BUDGET_BYTES: Final = 3 * 1024 * 1024
"""Bytes read of one file to tell its type; the size of a picture takes at most another MiB."""


class BoundedReader:
    """Parts of a file. Past the end, or with the budget spent, fewer bytes are returned than asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        self._left = BUDGET_BYTES
        self.head = self.at(0, HEAD_BYTES)

    def at(self, offset: int, length: int) -> bytes:
        """Return at most ``length`` bytes from ``offset``."""
        if offset < 0 or offset >= self.size:
            return b""
        length = min(length, self._left, self.size - offset)
        if length <= 0:
            return b""
        self._left -= length
        self._file.seek(offset)
        return self._file.read(length)

    def part(self, offset: int, length: int) -> bytes:
        """Return the same, without reading again what the head holds."""
        if offset >= 0 and offset + length <= len(self.head):
            return self.head[offset : offset + length]
        return self.at(offset, length)

    def tail(self) -> bytes:
        """Return the last bytes."""
        start = max(0, self.size - TAIL_BYTES)
        return self.part(start, self.size - start)
