"""Blobs that no entry refers to: left by a crash between the blob and its row, or by a wrong catalog.

The catalog is not trusted blindly: it may be an older copy, or damaged. So nothing is deleted at a start.
Many such blobs stop the start (see :attr:`Unreferenced.are_too_many`). A few are set aside for some days,
after the whole database was examined, and come back by themselves as soon as a row refers to them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from filebot.concurrency.locks import KeyedLocks
from filebot.model import Digest
from filebot.ports import BlobStore, Entries, Links

log = logging.getLogger(__name__)

BATCH: Final = 500
"""Digests that one catalog question takes."""

MOST: Final = 20
MOST_PERCENT: Final = 5
"""Limits of what a crash can leave; above both, a wrong catalog is likelier."""

PAUSE_S: Final = 3600.0

_PREFIXES: Final = tuple(f"{number:02x}" for number in range(256))


@dataclass(frozen=True, slots=True)
class Unreferenced:
    """Blobs that no entry refers to, at one moment, and how many blobs there are."""

    digests: tuple[Digest, ...]
    blobs: int
    missing: int = 0
    """Blobs that an entry refers to and that are not there."""
    freed: tuple[Digest, ...] = ()
    """Return the digests of attachments that are gone, as far as the catalog tells."""

    @property
    def unknown(self) -> int:
        """Number of those of which the catalog tells nothing."""
        return len(self.digests) - len(self.freed)

    @property
    def are_too_many(self) -> bool:
        """Whether a wrong catalog is likelier than a crash."""
        return self.unknown > MOST and 100 * self.unknown > MOST_PERCENT * self.blobs


async def find_unreferenced(
    store: BlobStore, entries: Entries, freed: Collection[Digest] = ()
) -> Unreferenced:
    """Compare names alone, some at a time: seconds for a million blobs. To be done before files come in.

    ``freed`` are digests of attachments that are gone.
    """
    blobs = missing = 0
    found: list[Digest] = []
    for prefix in _PREFIXES:
        names = {digest async for digest in store.digests(prefix)}
        known = await entries.digests(prefix)
        blobs += len(names)
        missing += len(known - names)
        found += names - known
    return Unreferenced(tuple(found), blobs, missing, tuple(each for each in found if each in freed))


async def bring_back_referenced(store: BlobStore, entries: Entries) -> int:
    """Bring back what is set aside and some entry refers to: a newer catalog was restored, say."""
    back = 0
    for batch in _batches(await store.aside()):
        for digest in await entries.referenced_digests(batch):
            back += await store.bring_back(digest)
    if back:
        log.warning("brought back %d files from unreferenced/ to which the catalog refers", back)
    return back


async def forget_partials(
    store: BlobStore, trusted_now: Callable[[], Awaitable[datetime | None]], older_than_s: float
) -> bool:
    """Remove what was kept of broken files long ago; False, and nothing, while the time is not certain.

    The machine's clock dates them, which is right when the time is certain.
    """
    if await trusted_now() is None:
        return False
    await store.forget_partials(older_than_s)
    return True


class UnreferencedBlobs:
    """Sets blobs aside, and removes them when their time is over."""

    def __init__(
        self,
        store: BlobStore,
        entries: Entries,
        links: Links,
        locks: KeyedLocks[asyncio.Lock],
        keep_s: float,
    ) -> None:
        self._store = store
        self._entries = entries
        self._links = links
        self._locks = locks
        self._keep_s = keep_s

    async def run(self, found: Iterable[Digest]) -> None:
        """Set aside what was found at the start, then look every hour what has expired.

        Returns only if the catalog is damaged. Raises StorageError.
        """
        if await self.set_aside(tuple(found)):
            while await self.remove_expired():  # noqa: ASYNC110 - no event tells that time has passed
                await asyncio.sleep(PAUSE_S)

    async def set_aside(self, digests: tuple[Digest, ...]) -> bool:
        """Set aside those to which still no entry refers. False if the catalog is damaged: then none."""
        if digests and not await self._catalog_is_whole():
            return False
        moved = 0
        for digest in digests:
            async with self._locks(digest):
                if not await self._entries.referenced_digests([digest]):
                    await self._store.set_aside(digest)
                    moved += 1
        if moved:
            days = self._keep_s / 86_400
            log.warning(
                "moved %d files that no entry refers to to unreferenced/; kept for %.3g days", moved, days
            )
        return True

    async def remove_expired(self) -> bool:
        """Remove what was set aside for long enough. False if the catalog is damaged: then nothing."""
        expired = await self._store.expired(self._keep_s)
        if not expired:
            return True
        if not await self._catalog_is_whole():
            return False
        removed = 0
        for digest in expired:
            async with self._locks(digest):
                if await self._entries.referenced_digests([digest]):
                    await self._store.bring_back(digest)
                else:
                    await self._store.forget_aside(digest)
                    await self._links.forget_links(digest)
                    removed += 1
        if removed:
            log.warning("removed %d files from unreferenced/: their time is over", removed)
        return True

    async def _catalog_is_whole(self) -> bool:
        damage = await self._entries.damage()
        if damage is not None:
            log.error(
                "the catalog is damaged, so no file is moved or removed; run: filebot fsck (%s)", damage
            )
        return damage is None


def _batches(digests: Iterable[Digest]) -> Iterator[list[Digest]]:
    rest = iter(digests)
    while batch := list(islice(rest, BATCH)):
        yield batch
