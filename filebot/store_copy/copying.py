"""Copying of blobs, each hashed on its way, until the target has all that the source has.

A blob is visible in the target whole or not at all, so a copy that was interrupted anywhere just goes on:
what is there already is left alone. Both stores may be in use meanwhile.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from filebot.errors import BlobCorrupt, StorageError
from filebot.model import Digest
from filebot.ports import BlobStore
from filebot.storage.file_system import SHARDS

AT_ONCE: Final = 4
"""Blobs that are under way at the same time."""


@dataclass(slots=True)
class Copied:
    """Outcome of a copy."""

    blobs: int = 0
    """Blobs of the source that are in the target now."""
    new: int = 0
    """Blobs that were not there before."""
    bytes: int = 0
    """Bytes of the new ones."""
    damaged: list[Digest] = field(default_factory=list)
    """Blobs whose bytes are not theirs, in the source or, once verified, in the target."""


class StoreCopy:
    """Copies one store into another, shard by shard."""

    def __init__(
        self, source: BlobStore, target: BlobStore, done: Callable[[int], None] = lambda _: None
    ) -> None:
        """``done`` is told of numbers of blobs that need nothing more."""
        self._source = source
        self._target = target
        self._done = done
        self.copied = Copied()

    async def count(self) -> int:
        """Return how many blobs the source has."""
        return sum([1 async for _ in self._source.digests()])

    async def run(self, *, verify: bool = False) -> Copied:
        """Copy all that is missing. With ``verify``, read and hash every blob of the target as well.

        Raises StorageError if either store cannot go on.
        """
        for shard in SHARDS:
            wanted = {digest async for digest in self._source.digests(shard)}
            there = {digest async for digest in self._target.digests(shard)}
            await self._all(sorted(wanted - there), self._copy)
            known = wanted & there
            self.copied.blobs += len(known)
            if verify:
                await self._all(sorted(wanted - set(self.copied.damaged)), self._verify)
            self._done(len(known))
        return self.copied

    async def _all(
        self, digests: Sequence[Digest], work: Callable[[Digest], Coroutine[None, None, None]]
    ) -> None:
        """Do some work on blobs, a few at a time. The first error ends it."""
        left = iter(digests)

        async def some() -> None:
            for digest in left:
                await work(digest)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(digests))):
                    group.create_task(some())
        except* StorageError as errors:
            raise errors.exceptions[0] from None

    async def _copy(self, digest: Digest) -> None:
        try:
            size = await self._written(digest)
        except BlobCorrupt:
            # A bot that runs may have removed it.
            if await self._is_in_source(digest):
                self.copied.damaged.append(digest)
        else:
            self.copied.blobs += 1
            self.copied.new += 1
            self.copied.bytes += size
        self._done(1)

    async def _written(self, digest: Digest) -> int:
        async with self._target.create() as writer, aclosing(self._source.read(digest)) as pieces:
            async for piece in pieces:
                await writer.write(piece)
            if (await writer.seal())["sha-256"].hex() != digest:
                raise BlobCorrupt(f"blob {digest} is damaged in the source")
            await writer.commit()
            return writer.size

    async def _is_in_source(self, digest: Digest) -> bool:
        return digest in [each async for each in self._source.digests(digest)]

    async def _verify(self, digest: Digest) -> None:
        try:
            await self._target.verify(digest)
        except BlobCorrupt:
            if await self._is_in_source(digest):
                self.copied.damaged.append(digest)
