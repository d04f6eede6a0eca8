"""The file system below the store: places, durable names, locks, threads, errors, and write-back.

Temporary files are in folders where names are used again. A task that writes, moves or removes such a file
holds the lock of the open file, and has checked with the lock held that the name still leads to it: the
name alone may belong to a newer file by then. As all tasks do so, a name keeps leading to the same file
while its lock is held, unless the holder changes that, and nobody writes into a file that was moved
meanwhile.
"""

import asyncio
import ctypes
import errno
import fcntl
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from filebot.concurrency.tasks import Threads, settled
from filebot.errors import BlobCorrupt, NoDescriptors, StorageError, StorageFull
from filebot.model import Digest
from filebot.system.descriptors import is_shortage

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

PRIVATE: Final = 0o700

BLOBS: Final = "blobs"
INCOMING: Final = "incoming"
PARTIAL: Final = "partial"
UNREFERENCED: Final = "unreferenced"
QUARANTINE: Final = "quarantine"

FOLDERS: Final = (BLOBS, INCOMING, PARTIAL, UNREFERENCED, QUARANTINE)

DIGEST: Final = re.compile(r"[0-9a-f]{64}")

SHARDS: Final = tuple(f"{number:02x}" for number in range(256))
"""Folders by the digest's first two digits, all made at the start: none is ever new at a commit."""

THREADS: Final = 4
"""More would only make more seeks: hashing is bound by the cores, writing by the disk."""

SYNCERS: Final = 2

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

_NO_LOCKS: Final = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""Answers of file systems that have no such locks, or none for folders."""

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


# --- places -----------------------------------------------------------------------------------


def place_in(blobs: Path, digest: Digest) -> Path:
    """Return where the blob of that digest lives. Raises BlobCorrupt if it is no digest at all."""
    if not DIGEST.fullmatch(digest):
        raise BlobCorrupt("not a digest")
    return blobs / digest[:2] / digest


def is_blob(name: str, shard: str) -> bool:
    """Tell whether a file of that name in that folder is a blob."""
    return name.startswith(shard) and DIGEST.fullmatch(name) is not None


def digests_in(shard: Path) -> list[Digest]:
    """Return the blobs in a folder of them. Raises OSError."""
    return [entry.name for entry in os.scandir(shard) if is_blob(entry.name, shard.name)]


def shards_of(prefix: str) -> Iterator[str]:
    """Return the folders with the blobs whose digests begin so."""
    return (shard for shard in SHARDS if shard.startswith(prefix[:2]))


# --- durable names ------------------------------------------------------------------------------


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Create a private folder and those above it, durably; one that exists is left as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    sync_folder(folder.parent)


# --- locks of temporary files -------------------------------------------------------------------


def lock(fd: int) -> bool:
    """Take the lock of an open file, until it is closed. False if somebody else has it.

    Where there are no locks, the lock of the whole folder has to do, or the operator's care.
    """
    return try_lock(fd, fcntl.LOCK_EX) is not False


def has_name(fd: int, path: Path) -> bool:
    """Tell whether the name leads to this open file, whose lock must be held."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def remove_unless_open(path: Path) -> None:
    """Remove a temporary file that no process is writing; one that cannot be removed is logged and left."""
    try:
        # To write: NFS has no exclusive lock for readers. Without waiting: it may be no file at all.
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if lock(fd) and has_name(fd, path):
                path.unlink()
        finally:
            os.close(fd)
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("%s cannot be removed and stays: %s", path, error.strerror)


def try_lock(fd: int, kind: int) -> bool | None:
    """Take the lock of an open file if it is free, and tell whether it was; None if there are none here."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return None
    return True


# --- threads ------------------------------------------------------------------------------------


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn OSError into StorageFull, NoDescriptors or StorageError."""
    try:
        yield
    except OSError as error:
        kind = StorageFull if error.errno in _NO_ROOM else StorageError
        if is_shortage(error):
            kind = NoDescriptors
        raise kind(str(error)) from error


class StorageThreads(Threads):
    """Pool that the whole store shares. OSErrors of its jobs come out as StorageErrors."""

    def __init__(self) -> None:
        super().__init__("disk", THREADS)
        self.syncers = ThreadPoolExecutor(SYNCERS, thread_name_prefix="filebot-sync")
        """Threads for syncs that nobody waits for just now."""

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        def job() -> T:
            with storage_errors():
                return work(*args, **kwargs)

        return super().start(job)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a job and wait for its end, cancelled or not."""
        return await settled(self.start(work, *args, **kwargs))

    async def close(self) -> None:
        await super().close()
        await settled(asyncio.get_running_loop().run_in_executor(None, self.syncers.shutdown))


# --- early write-back ---------------------------------------------------------------------------


class EarlyWriteback:
    """Early write-back of one growing file: dirty pages go to the disk while more bytes still come.

    Without it the kernel keeps up to gigabytes in memory, and the final fdatasync waits for all of them at
    once. Starting the write-out (sync_file_range, Linux only) costs nothing; but the device and the file
    system have work of their own to finish, so every now and then a thread beside the writer waits for
    that, too.

    Linux tells a failed write-out to one sync of an open file and to no later one. So what a sync here is
    told is kept, and is raised in the end: the last sync would know nothing of it.
    """

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
