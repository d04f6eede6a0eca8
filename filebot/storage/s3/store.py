"""Blobs as objects: ``blobs/ab/abcd...`` by their sha-256, each written once.

Bytes arrive in a spool on the local disk, which is hashed and can be resumed, and go into the bucket when
they are complete: so no reader sees a part of them, and a sender hears that they are kept only when they
are. An object is written on the condition that none is there; one that is there and whole is left
alone, and one that is damaged is replaced.
"""

import asyncio
import hashlib
import logging
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Self

from cachetools import TTLCache

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import BlobCorrupt, LocalProtocolError, StorageUnavailable
from filebot.model import BlobRef, Digest
from filebot.ports import Data
from filebot.storage.disk import REMEMBERED, VALID_S
from filebot.storage.file_system import DIGEST, StorageThreads, shards_of
from filebot.storage.s3.bucket import PART_BYTES, About, Bucket
from filebot.storage.s3.failures import ObjectChanged, ObjectExists, ObjectMissing
from filebot.storage.s3.unreferenced import UnreferencedObjects
from filebot.storage.spool import Placing, Spool
from filebot.storage.spools import Spools

BLOBS: Final = "blobs"

UPLOADS: Final = 4
"""Most uploads at once; others wait with their bytes on the disk."""

log = logging.getLogger(__name__)


class S3Blobs:
    """Implements :class:`filebot.ports.BlobStore` in a bucket. Made by :meth:`open`."""

    def __init__(self, bucket: Bucket, root: Path, threads: StorageThreads) -> None:
        self._bucket = bucket
        self._threads = threads
        self._spools = Spools(root, threads)
        self._aside = UnreferencedObjects(bucket)
        self._whole: TTLCache[Digest, About] = TTLCache(REMEMBERED, VALID_S)
        self._locks = KeyedLocks(asyncio.Lock)
        self._uploads = asyncio.Semaphore(UPLOADS)

    @classmethod
    async def open(cls, bucket: Bucket, root: Path) -> Self:
        """Make the folders for what arrives, and remove what a crashed run left. Raises StorageError."""
        threads = StorageThreads()
        store = cls(bucket, root, threads)
        try:
            await threads.run(store._spools.prepare)
        except BaseException:
            await threads.close()
            raise
        return store

    async def close(self) -> None:
        """End the threads. Every writer, reader and local file must have been left before."""
        await self._threads.close()

    @asynccontextmanager
    async def create(
        self, algorithms: Sequence[str] = (), partial: str | None = None, resume_at_most: int = 0
    ) -> AsyncIterator["S3Writer"]:
        done = self._spools.temporary()
        placing = Placing(lambda _: done, _unnoted)
        async with self._spools.opened(placing, algorithms, partial, resume_at_most) as spool:
            try:
                yield S3Writer(self, spool)
            finally:
                await self._threads.run(done.unlink, missing_ok=True)

    async def read(self, digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._bucket.read(key_of(digest), offset)) as pieces:
                async for piece in pieces:
                    yield piece
        except ObjectMissing as error:
            raise BlobCorrupt(f"no blob {digest}") from error
        except ObjectChanged as error:
            raise BlobCorrupt(f"blob {digest} was changed while it was read") from error

    @asynccontextmanager
    async def local_file(self, digest: Digest) -> AsyncIterator[Path]:
        placing = Placing(lambda _: self._spools.temporary(), _unnoted)
        async with self._spools.opened(placing) as spool:
            await self._fetch(digest, spool)
            async with spool.local_file() as path:
                yield path

    async def _fetch(self, digest: Digest, spool: Spool) -> None:
        """Copy a blob to the disk. Raises BlobCorrupt, and logs it as an error, if it is not whole."""
        about = await self._bucket.head(key_of(digest))
        if about is None:
            raise self._damaged(digest, "it is missing")
        try:
            async with aclosing(self._bucket.read(key_of(digest), 0, about.e_tag)) as pieces:
                async for piece in pieces:
                    await spool.write(piece)
        except (ObjectMissing, ObjectChanged):
            raise self._damaged(digest, "it was changed while it was read") from None
        found = (await spool.seal())["sha-256"].hex()
        if found != digest:
            raise self._damaged(digest, f"its {spool.size} bytes have the digest {found}")
        self._whole[digest] = about

    async def verify(self, digest: Digest) -> None:
        key = key_of(digest)
        async with self._locks(digest):  # who asks at the same time waits for the same hash
            about = await self._bucket.head(key)
            if about is None:
                raise self._damaged(digest, "it is missing")
            if self._whole.get(digest) != about:
                found = await self._hash(key, about)
                if found != digest:
                    raise self._damaged(digest, f"its {about.size} bytes have the digest {found}")
                self._whole[digest] = about

    async def _hash(self, key: str, about: About) -> str:
        hasher = hashlib.sha256()
        with suppress(ObjectMissing, ObjectChanged):
            async with aclosing(self._bucket.read(key, 0, about.e_tag)) as pieces:
                async for piece in pieces:
                    await self._threads.run(hasher.update, piece)
            return hasher.hexdigest()
        return "of another object"

    def _damaged(self, digest: Digest, why: str) -> BlobCorrupt:
        self._whole.pop(digest, None)
        log.error("blob %s is lost or damaged: %s", digest, why)
        return BlobCorrupt(f"blob {digest}: {why}")

    async def delete(self, digest: Digest) -> None:
        self._whole.pop(digest, None)
        with suppress(BlobCorrupt):
            await self._bucket.delete(key_of(digest))
            await self._aside.forget(digest)

    async def digests(self, prefix: str = "") -> AsyncGenerator[Digest, None]:
        # Lists are by folder: one of all, or those of some beginnings.
        for folder in [BLOBS] if not prefix else [f"{BLOBS}/{shard}" for shard in shards_of(prefix)]:
            async for each in self._bucket.listed(folder):
                name = each.key.rpartition("/")[2]
                if name.startswith(prefix) and DIGEST.fullmatch(name) and each.key == key_of(name):
                    yield name

    async def set_aside(self, digest: Digest) -> None:
        self._whole.pop(digest, None)
        await self._aside.put(digest, key_of(digest))

    async def bring_back(self, digest: Digest) -> bool:
        place = key_of(digest)
        if await self._bucket.head(place) is not None:
            with suppress(BlobCorrupt):
                await self.verify(digest)
                # Dropped again meanwhile: nothing takes the place of good bytes.
                return await self._aside.forget(digest)
        return await self._aside.bring_back(digest, place)

    async def aside(self) -> list[Digest]:
        return await self._aside.digests()

    async def expired(self, older_than_s: float) -> list[Digest]:
        return await self._aside.expired(older_than_s)

    async def forget_aside(self, digest: Digest) -> None:
        await self._aside.forget(digest)

    async def forget_partials(self, older_than_s: float) -> None:
        await self._spools.forget_partials(older_than_s)

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        await self._spools.trim_partials(prefix, most_bytes)

    async def free_bytes(self) -> int:
        """Return the free bytes of the local disk, where every file arrives; the bucket has no end."""
        return (await self._threads.run(shutil.disk_usage, self._spools.incoming)).free

    async def put(self, digest: Digest, file: Path, size: int) -> None:
        """Have a blob in the bucket, whole. ``file`` has its bytes, which were just hashed."""
        key = key_of(digest)
        async with self._uploads, self._locks(digest):
            if size <= PART_BYTES:
                data = await self._threads.run(file.read_bytes)
                try:
                    self._whole[digest] = await self._bucket.put_new(key, data)
                except ObjectExists:
                    if not await self._is_whole(digest, key):
                        self._whole[digest] = await self._bucket.replace(key, data)
            elif not await self._is_whole(digest, key):
                await self._bucket.upload(key, file, size, self._threads)
                about = await self._bucket.head(key)
                if about is None or about.size != size:
                    raise StorageUnavailable(f"blob {digest} is not in the bucket as it was sent")
                self._whole[digest] = about

    async def _is_whole(self, digest: Digest, key: str) -> bool:
        about = await self._bucket.head(key)
        if about is None:
            return False
        if self._whole.get(digest) == about:
            return True
        if await self._hash(key, about) != digest:
            return False
        self._whole[digest] = about
        return True


class S3Writer:
    """Implements :class:`filebot.ports.BlobWriter`: a spool on the disk that is committed to a bucket."""

    def __init__(self, store: S3Blobs, spool: Spool) -> None:
        self._store = store
        self._spool = spool
        self._digest: Digest | None = None

    @property
    def size(self) -> int:
        return self._spool.size

    async def write(self, data: Data) -> None:
        await self._spool.write(data)

    async def seal(self) -> Mapping[str, bytes]:
        digests = await self._spool.seal()
        self._digest = digests["sha-256"].hex()
        return digests

    def local_file(self) -> AbstractAsyncContextManager[Path]:
        return self._spool.local_file()

    def keep(self) -> None:
        self._spool.keep()

    async def commit(self) -> BlobRef:
        """Do as the port says; if the bucket is away, keep the bytes under their ``partial`` name."""
        if self._digest is None:
            raise LocalProtocolError("commit before seal")
        try:
            await self._store.put(self._digest, self._spool.path, self.size)
        except StorageUnavailable:
            self._spool.keep()
            raise
        return await self._spool.commit()


def key_of(digest: Digest) -> str:
    """Return the key of a blob. Raises BlobCorrupt if that is no digest at all."""
    if not DIGEST.fullmatch(digest):
        raise BlobCorrupt("not a digest")
    return f"{BLOBS}/{digest[:2]}/{digest}"


def _unnoted(_digest: Digest, _written: os.stat_result) -> None:
    """Note nothing: the file that is left on the disk is about to be removed."""
