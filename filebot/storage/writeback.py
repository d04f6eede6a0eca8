"""Early write-back: dirty pages go to the disk while more bytes still come.

Without it the kernel keeps up to gigabytes in memory, and the final fdatasync waits for all of them at
once. Starting the write-out (sync_file_range, Linux only) costs nothing; but the device and the file system
have work of their own to finish, so every now and then a thread beside the writer waits for that, too.

Linux tells a failed write-out to one sync of an open file and to no later one. So what a sync here is told
is kept, and is raised in the end: the last sync would know nothing of it.
"""

import ctypes
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

WINDOW_BYTES: Final = 8 * 1024 * 1024
"""Bytes handed to the disk at a time."""

SYNC_BYTES: Final = 64 * 1024 * 1024
"""Bytes made durable at a time, ahead of the end."""

_SYNC_FILE_RANGE_WRITE: Final = 2
"""<linux/fs.h>: start write-out of dirty pages, do not wait for it. Gives no promise of durability."""

_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_start = getattr(_libc, "sync_file_range", None)
if _start is not None:
    _start.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


class EarlyWriteback:
    """Early write-back of one growing file."""

    def __init__(self, syncers: ThreadPoolExecutor) -> None:
        """``syncers`` are threads of their own: whoever calls :meth:`settle` waits for one of them."""
        self._syncers = syncers
        self._started = 0
        self._synced = 0
        self._syncing: Future[None] | None = None

    def reached(self, fd: int, end: int) -> None:
        """Note that the open file is ``end`` bytes long. Blocks only while the disk's queue is full.

        Raises OSError if a sync failed, as :meth:`finish` does.
        """
        if _start is not None and end - self._started >= WINDOW_BYTES:
            _start(fd, self._started, end - self._started, _SYNC_FILE_RANGE_WRITE)
            self._started = end
        if end - self._synced >= SYNC_BYTES and (self._syncing is None or self._syncing.done()):
            self.finish()
            self._synced = end
            self._syncing = self._syncers.submit(os.fdatasync, fd)

    def finish(self) -> None:
        """Wait until no thread uses the file any more. Raises OSError if its last sync failed."""
        if self._syncing is not None:
            self._syncing.result()

    def settle(self) -> None:
        """Wait until no thread uses the file any more; it may be closed then."""
        if self._syncing is not None:
            self._syncing.exception()
