"""The file system below the store: places, names that survive a power cut, locks, threads, and errors.

Temporary files are in folders where names are used again. A task that writes, moves or removes such a file
holds the lock of the open file, and has checked with the lock held that the name still leads to it: the
name alone may belong to a newer file by then. As all tasks do so, a name keeps leading to the same file
while its lock is held, unless the holder changes that, and nobody writes into a file that was moved
meanwhile.
"""

import asyncio
import errno
import fcntl
import logging
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from filebot.concurrency.tasks import settled
from filebot.concurrency.threads import Threads
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
