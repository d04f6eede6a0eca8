"""Verification of blobs before they are sent: the file must be there and have its digest.

Theory of operation: a blob that was hashed in the last day, and whose file has the same inode, size and
time of change, counts as whole; that costs one stat. Any other is read and hashed once more. That is a
trade-off: damage by the disk itself, which changes none of these, is found within a day and not at once,
and a file that nobody asked for since yesterday is first read at the speed of the disk or of the hash (more
than 1 GB/s). It is in memory then, and sending it is no slower than before.

Blobs that this process stored were hashed while they were written.
"""

import asyncio
import hashlib
import logging
import mmap
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol
from weakref import WeakValueDictionary

from cachetools import TTLCache

from filebot.errors import BlobCorrupt, StorageError
from filebot.model import Digest
from filebot.storage.file_system import StorageThreads

VALID_S: Final = 86_400.0
"""Time for which a blob counts as whole after it was hashed."""

REMEMBERED: Final = 20_000
"""Number of blobs that are remembered, some 300 bytes each; the least recently used one is dropped."""

PIECE_BYTES: Final = 1024 * 1024
TURN_BYTES: Final = 64 * 1024 * 1024
"""Bytes after which the thread turns to another file's work."""

log = logging.getLogger(__name__)

Identity = tuple[int, int, int, int]
"""A file's device, number, size and time of its last change."""


class _Hasher(Protocol):
    def update(self, data: mmap.mmap | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


class Verification:
    """Cache of the blobs that are known to be whole."""

    def __init__(self, threads: StorageThreads, timer: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._whole: TTLCache[Digest, Identity] = TTLCache(REMEMBERED, VALID_S, timer)
        self._locks: WeakValueDictionary[Digest, asyncio.Lock] = WeakValueDictionary()

    def note(self, digest: Digest, written: os.stat_result) -> None:
        """Take a file for whole that was just hashed and has this digest."""
        self._whole[digest] = identity(written)

    def forget(self, digest: Digest) -> None:
        """Forget a blob whose file may be another one now."""
        self._whole.pop(digest, None)

    async def check(self, digest: Digest, path: Path) -> None:
        """Raise BlobCorrupt, and log it as an error, unless the file at ``path`` has this digest."""
        lock = self._locks.setdefault(digest, asyncio.Lock())
        async with lock:  # who asks at the same time waits for the same hash
            try:
                await self._check(digest, path)
            except StorageError as error:
                self.forget(digest)
                log.error("blob %s is lost or damaged: %s", digest, error)
                raise BlobCorrupt(f"blob {digest}: {error}") from error

    async def _check(self, digest: Digest, path: Path) -> None:
        found = identity(await self._threads.run(path.lstat))
        if self._whole.get(digest) == found:
            return
        file = _OpenFile()
        try:
            await self._threads.run(file.open, path)
            while await self._threads.run(file.hash_some):
                pass
        finally:
            file.close()
        if file.digest != digest:
            raise BlobCorrupt(f"its {found[2]} bytes have the digest {file.digest}")
        self._whole[digest] = found


def identity(about: os.stat_result) -> Identity:
    """Return the attributes that change with a file's bytes."""
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


class _OpenFile:
    """File that is hashed in turns, with its descriptor, to be closed after a cancellation as well."""

    def __init__(self) -> None:
        self._fd = -1
        self._hasher: _Hasher = hashlib.sha256()

    @property
    def digest(self) -> Digest:
        return self._hasher.hexdigest()

    def open(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            raise BlobCorrupt("it is no file")
        if hasattr(os, "posix_fadvise"):  # not on macOS
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    def hash_some(self) -> bool:
        """Hash a part of the file; return whether there may be more."""
        with mmap.mmap(-1, PIECE_BYTES) as buffer, memoryview(buffer) as view:
            for _ in range(TURN_BYTES // PIECE_BYTES):
                count = os.readv(self._fd, [buffer])
                if not count:
                    return False
                with view[:count] as piece:
                    self._hasher.update(piece)
        return True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
