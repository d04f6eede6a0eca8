"""Start writing dirty pages to the disk while more bytes still come.

Without it the kernel keeps up to gigabytes in memory, and the final fdatasync waits for all of them at
once. Linux only; elsewhere nothing happens, and the file is merely slower to become durable.
"""

import ctypes
import sys
from typing import Final

WINDOW_BYTES: Final = 8 * 1024 * 1024
"""How much is handed to the disk at a time."""

_SYNC_FILE_RANGE_WRITE: Final = 2
"""<linux/fs.h>: start write-out of dirty pages, do not wait for it. Gives no promise of durability."""

_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_start = getattr(_libc, "sync_file_range", None)
if _start is not None:
    _start.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


class EarlyWriteback:
    """Follows one growing file. Errors do not matter here: the fdatasync at the end reports them."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._started = 0

    def reached(self, end: int) -> None:
        """The file is ``end`` bytes long now. Blocks only while the disk's queue is full."""
        if _start is not None and end - self._started >= WINDOW_BYTES:
            _start(self._fd, self._started, end - self._started, _SYNC_FILE_RANGE_WRITE)
            self._started = end
