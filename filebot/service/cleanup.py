"""Bytes that no catalog row refers to: left by a crash between the blob and its row."""

import asyncio
import logging
from collections.abc import AsyncIterator

from filebot.model import Digest
from filebot.ports import BlobStore, Catalog
from filebot.service.locks import Keyed
from filebot.service.unused import forget_unused

log = logging.getLogger(__name__)

BATCH = 500
"""As many digests as one catalog question takes."""


async def sweep(store: BlobStore, catalog: Catalog, locks: Keyed[asyncio.Lock]) -> int:
    """Delete blobs without a row and return how many. Safe while files come and go."""
    deleted = 0
    async for batch in _batches(store.digests()):
        for digest in set(batch) - await catalog.in_use(batch):
            async with locks(digest):
                await forget_unused(store, catalog, digest)
            deleted += 1
    if deleted:
        log.warning("removed %d blobs that no catalog row refers to", deleted)
    return deleted


async def _batches(digests: AsyncIterator[Digest]) -> AsyncIterator[list[Digest]]:
    batch: list[Digest] = []
    async for digest in digests:
        batch.append(digest)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
