"""Reserved disk space: a file of no use that is shrunk when the disk is full.

Even a removal has to be written: to the catalog's WAL. So a part of the disk is kept occupied, and given up
bit by bit for what must go on when no byte is free: removing, and the rows that a delivery needs. What was
given up and not used is taken back at once, and the rest when there is room again.
"""

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 16 * 1024 * 1024
"""Usual size: many times the bytes of one removal, as other processes may take what is freed."""

STEP_BYTES: Final = 256 * 1024
"""Freed at first; twice as much each time that it was not enough."""

_PIECE_BYTES: Final = 64 * 1024
_BLOCK_BYTES: Final = 4096


class DiskReserve:
    """File that holds the reserve. All methods block; none raises, as the reserve is not essential."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @property
    def missing_bytes(self) -> int:
        """Bytes by which it is smaller than it should be."""
        return max(self._size_bytes - self._size(), 0)

    def has_space(self) -> bool:
        """Tell whether it could be filled, with as much again left for others."""
        with suppress(OSError):
            return shutil.disk_usage(self._path.parent).free >= self.missing_bytes + self._size_bytes
        return False

    def fill(self) -> None:
        """Take space up to the wanted size, or all there is."""
        if not self.missing_bytes:
            return
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            fd = os.open(self._path, flags, 0o600)
            try:
                _append(fd, self.missing_bytes)
                os.fdatasync(fd)  # the space is taken only now, where allocation is delayed
            finally:
                os.close(fd)

    def give_up(self, size_bytes: int) -> bool:
        """Give so much back to the disk, or what there is; False if there was nothing."""
        size = self._size()
        if not size:
            return False
        with suppress(OSError):
            os.truncate(self._path, max(size - size_bytes, 0))
            return True
        return False

    def _size(self) -> int:
        # A link is no reserve: what it leads to is somebody's file, or on another disk.
        with suppress(OSError):
            about = self._path.lstat()
            return about.st_size if stat.S_ISREG(about.st_mode) else 0
        return 0


def _append(fd: int, size_bytes: int) -> None:
    """Write so much, or until the disk is full."""
    piece_bytes = _PIECE_BYTES
    while size_bytes > 0:
        try:
            # Random, so that no file system compresses it away.
            size_bytes -= os.write(fd, os.urandom(min(piece_bytes, size_bytes)))
        except OSError:
            if piece_bytes <= _BLOCK_BYTES:
                return
            piece_bytes = _BLOCK_BYTES
