"""Blobs as files: ``blobs/ab/abcd...`` by their sha-256, each written once.

A blob is born in ``incoming/`` on the same file system, so that one rename makes it visible whole. Order
matters: bytes to the disk, then the name, then the folder. A blob that is there already is replaced by the
same bytes, freshly written and hashed, which repairs any damage. Files that a crash leaves in ``incoming/``
are removed at the next start. Files that can be resumed are in ``partial/`` from the first byte on, and
stay there. Blobs that no entry refers to are in ``unreferenced/`` for a while.
"""

import asyncio
import hashlib
import logging
import mmap
import os
import shutil
import stat
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, Self

from cachetools import TTLCache

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import BlobCorrupt, StorageError, StorageFull
from filebot.model import Digest
from filebot.storage.file_system import (
    BLOBS,
    PRIVATE,
    SHARDS,
    StorageThreads,
    digests_in,
    make_folder,
    place_in,
    shards_of,
    storage_errors,
    sync_folder,
)
from filebot.storage.reader import pieces
from filebot.storage.spool import Placing, Spool
from filebot.storage.spools import Spools
from filebot.storage.unreferenced import UnreferencedFolder

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


class DiskStore:
    """Implements :class:`filebot.ports.BlobStore` in one folder. Made by :meth:`open`."""

    def __init__(self, root: Path, threads: StorageThreads) -> None:
        self._blobs = root / BLOBS
        self._spools = Spools(root, threads)
        self._aside = UnreferencedFolder(root)
        self._threads = threads
        self.verification = Verification(threads)

    @classmethod
    async def open(cls, root: Path, *, is_shared: bool = False) -> Self:
        """Make the folders and remove what a crashed run left, unless another process may use them
        (``is_shared``). Raises StorageError.
        """
        threads = StorageThreads()
        store = cls(root, threads)
        try:
            await threads.run(store._prepare, is_shared)
        except BaseException:
            await threads.close()
            raise
        return store

    async def close(self) -> None:
        """End the threads. Every writer, reader and local file must have been left before."""
        await self._threads.close()

    def place(self, digest: Digest) -> Path:
        """Return the path of a blob. Raises BlobCorrupt if the digest is malformed."""
        return place_in(self._blobs, digest)

    def create(
        self, algorithms: Sequence[str] = (), partial: str | None = None, resume_at_most: int = 0
    ) -> AbstractAsyncContextManager[Spool]:
        placing = Placing(self.place, self.verification.note)
        return self._spools.opened(placing, algorithms, partial, resume_at_most)

    async def forget_partials(self, older_than_s: float) -> None:
        await self._spools.forget_partials(older_than_s)

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        await self._spools.trim_partials(prefix, most_bytes)

    def read(self, digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        return pieces(self.place(digest), offset, self._threads)

    @asynccontextmanager
    async def local_file(self, digest: Digest) -> AsyncIterator[Path]:
        # A second name keeps the bytes reachable while somebody deletes the blob.
        name = self._spools.temporary()
        try:
            try:
                await self._link(digest, name)
            except StorageFull:  # not even for a name; an open file serves as well, where it can be named
                async with self._open_file(digest) as opened:
                    yield opened
            else:
                await self.verification.check(digest, name)
                yield name
        finally:
            await self._threads.run(name.unlink, missing_ok=True)

    @asynccontextmanager
    async def _open_file(self, digest: Digest) -> AsyncIterator[Path]:
        await self.verify(digest)
        with storage_errors():
            fd = os.open(self.place(digest), os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield Path(f"/dev/fd/{fd}")
        finally:
            os.close(fd)

    async def _link(self, digest: Digest, name: Path) -> None:
        try:
            await self._threads.run(_link, self.place(digest), name)
        except BlobCorrupt:
            await self.verify(digest)  # says it in the log
            raise

    async def verify(self, digest: Digest) -> None:
        await self.verification.check(digest, self.place(digest))

    async def delete(self, digest: Digest) -> None:
        self.verification.forget(digest)
        with suppress(BlobCorrupt):
            await self._threads.run(_remove, self.place(digest))
            await self.forget_aside(digest)

    async def digests(self, prefix: str = "") -> AsyncGenerator[Digest, None]:
        for shard in shards_of(prefix):
            for digest in await self._threads.run(digests_in, self._blobs / shard):
                if digest.startswith(prefix):
                    yield digest

    async def set_aside(self, digest: Digest) -> None:
        await self._threads.run(self._aside.put, digest)

    async def bring_back(self, digest: Digest) -> bool:
        if await self._threads.run(self.place(digest).exists):
            with suppress(BlobCorrupt):
                await self.verify(digest)
                # Dropped again meanwhile: nothing takes the place of good bytes.
                return await self._threads.run(self._aside.forget, digest)
        return await self._threads.run(self._aside.bring_back, digest)

    async def aside(self) -> list[Digest]:
        return await self._threads.run(self._aside.digests)

    async def expired(self, older_than_s: float) -> list[Digest]:
        return await self._threads.run(self._aside.expired, older_than_s)

    async def forget_aside(self, digest: Digest) -> None:
        await self._threads.run(self._aside.forget, digest)

    async def free_bytes(self) -> int:
        return (await self._threads.run(shutil.disk_usage, self._blobs)).free

    def _prepare(self, is_shared: bool) -> None:
        make_folder(self._blobs)
        for shard in SHARDS:
            (self._blobs / shard).mkdir(PRIVATE, exist_ok=True)
        sync_folder(self._blobs)
        self._spools.prepare(is_shared=is_shared)


def _link(place: Path, name: Path) -> None:
    try:
        name.hardlink_to(place)
    except FileNotFoundError as error:
        raise BlobCorrupt(f"no blob {place.name}") from error


def _remove(place: Path) -> None:
    with suppress(FileNotFoundError):
        place.unlink()
        sync_folder(place.parent)


class _Hasher(Protocol):
    def update(self, data: mmap.mmap | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


class Verification:
    """Verification of blobs before they are sent: the file must be there and have its digest.

    Theory of operation: a blob that was hashed in the last day, and whose file has the same inode, size and
    time of change, counts as whole; that costs one stat. Any other is read and hashed once more. That is a
    trade-off: damage by the disk itself, which changes none of these, is found within a day and not at
    once, and a file that nobody asked for since yesterday is first read at the speed of the disk or of the
    hash (more than 1 GB/s). It is in memory then, and sending it is no slower than before.

    Blobs that this process stored were hashed while they were written.
    """

    def __init__(self, threads: StorageThreads, timer: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._whole: TTLCache[Digest, Identity] = TTLCache(REMEMBERED, VALID_S, timer)
        self._locks = KeyedLocks(asyncio.Lock)

    def note(self, digest: Digest, written: os.stat_result) -> None:
        """Take a file for whole that was just hashed and has this digest."""
        self._whole[digest] = identity(written)

    def forget(self, digest: Digest) -> None:
        """Forget a blob whose file may be another one now."""
        self._whole.pop(digest, None)

    async def check(self, digest: Digest, path: Path) -> None:
        """Raise BlobCorrupt, and log it as an error, unless the file at ``path`` has this digest."""
        async with self._locks(digest):  # who asks at the same time waits for the same hash
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
