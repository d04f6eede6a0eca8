"""Blobs as files: ``blobs/ab/abcd...`` by their sha-256, each written once.

A blob is born in ``incoming/`` on the same file system, so that one rename makes it visible whole. Order
matters: bytes to the disk, then the name, then the folder. A blob that is there already is replaced by the
same bytes, freshly written and hashed, which repairs any damage. Files that a crash leaves in ``incoming/``
are removed at the next start. Files that can be resumed are in ``partial/`` from the first byte on, and
stay there. Blobs that no entry refers to are in ``unreferenced/`` for a while.
"""

import os
import secrets
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

from filebot.errors import BlobCorrupt, LocalProtocolError, StorageFull
from filebot.model import BlobRef, Digest
from filebot.ports import Data
from filebot.storage.file_system import (
    BLOBS,
    INCOMING,
    PARTIAL,
    PRIVATE,
    SHARDS,
    StorageThreads,
    digests_in,
    make_folder,
    place_in,
    remove_unless_open,
    shards_of,
    storage_errors,
    sync_folder,
)
from filebot.storage.reader import pieces
from filebot.storage.spool import Spool
from filebot.storage.unreferenced import UnreferencedFolder
from filebot.storage.verification import Verification


class DiskWriter:
    """Implements :class:`filebot.ports.BlobWriter` by a spool."""

    def __init__(self, spool: Spool, store: "DiskStore", *, partial: bool) -> None:
        self._spool = spool
        self._partial = partial
        self._store = store
        self._digest: Digest | None = None

    @property
    def size(self) -> int:
        return self._spool.size

    async def write(self, data: Data) -> None:
        await self._spool.write(data)

    def keep(self) -> None:
        self._spool.keeps = self._partial

    async def seal(self) -> Mapping[str, bytes]:
        digests = await self._spool.seal()
        self._digest = digests["sha-256"].hex()
        return digests

    async def commit(self) -> BlobRef:
        if self._digest is None:
            raise LocalProtocolError("commit before seal")
        written = await self._spool.move(self._store.place(self._digest))
        self._store.verification.note(self._digest, written)
        return BlobRef(self._digest, self.size)


class DiskStore:
    """Implements :class:`filebot.ports.BlobStore` in one folder. Made by :meth:`open`."""

    def __init__(self, root: Path, threads: StorageThreads) -> None:
        self._blobs = root / BLOBS
        self._incoming = root / INCOMING
        self._partials = root / PARTIAL
        self._aside = UnreferencedFolder(root)
        self._threads = threads
        self.verification = Verification(threads)

    @classmethod
    async def open(cls, root: Path) -> Self:
        """Make the folders and remove what a crashed run left. Raises StorageError."""
        threads = StorageThreads()
        store = cls(root, threads)
        try:
            await threads.run(store._prepare)
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

    @asynccontextmanager
    async def create(
        self, algorithms: Sequence[str] = (), partial: str | None = None, resume_at_most: int = 0
    ) -> AsyncIterator[DiskWriter]:
        if partial is not None and not partial.isalnum():
            raise LocalProtocolError(f"{partial!r} is no name for a partial blob")
        spool = Spool(self._partials / partial if partial else self._temporary(), algorithms, self._threads)
        try:
            if partial is None:
                await spool.open()
            elif not await spool.reopen(resume_at_most):
                spool = Spool(self._temporary(), algorithms, self._threads)
                await spool.open()
                partial = None
            yield DiskWriter(spool, self, partial=partial is not None)
        finally:
            await spool.discard()

    async def forget_partials(self, older_than_s: float) -> None:
        for file in await self._threads.run(_files, self._partials):
            await self._threads.run(_forget_if_old, file, time.time() - older_than_s)

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        await self._threads.run(_trim, self._partials, prefix, most_bytes)

    def read(self, digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        return pieces(self.place(digest), offset, self._threads)

    @asynccontextmanager
    async def local_file(self, digest: Digest) -> AsyncIterator[Path]:
        # A second name keeps the bytes reachable while somebody deletes the blob.
        name = self._temporary()
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

    def _temporary(self) -> Path:
        return self._incoming / secrets.token_hex(16)

    def _prepare(self) -> None:
        make_folder(self._blobs)
        make_folder(self._incoming)
        make_folder(self._partials)
        for shard in SHARDS:
            (self._blobs / shard).mkdir(PRIVATE, exist_ok=True)
        sync_folder(self._blobs)
        for leftover in self._incoming.iterdir():
            remove_unless_open(leftover)


def _link(place: Path, name: Path) -> None:
    try:
        name.hardlink_to(place)
    except FileNotFoundError as error:
        raise BlobCorrupt(f"no blob {place.name}") from error


def _remove(place: Path) -> None:
    with suppress(FileNotFoundError):
        place.unlink()
        sync_folder(place.parent)


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _trim(folder: Path, prefix: str, most_bytes: int) -> None:
    kept = []
    for file in folder.glob(f"{prefix}*"):
        with suppress(FileNotFoundError):
            about = file.stat()
            kept.append((about.st_mtime, about.st_size, file))
    for _, size, file in sorted(kept, reverse=True):
        most_bytes -= size
        if most_bytes < 0:
            remove_unless_open(file)


def _forget_if_old(file: Path, last_written: float) -> None:
    with suppress(FileNotFoundError):
        if file.stat().st_mtime < last_written:
            remove_unless_open(file)
