"""Bytes of attachments that are gone: deleted, unless something else has them."""

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import StorageError
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import Digest
from filebot.ports import Attachments, BlobStore

log = logging.getLogger(__name__)

BATCH: Final = 10
"""Digests that are looked at together. A kill leaves their bytes: fewer than what stops a start."""
SETTLED_TOGETHER: Final = 500
MOST_LEFT: Final = 1_000_000
"""Digests that a start looks at."""


class FreedBlobs:
    """Looks after the bytes of attachments, which go with their entries."""

    def __init__(
        self, attachments: Attachments, unused: UnusedBlobs, locks: KeyedLocks[asyncio.Lock]
    ) -> None:
        self._attachments = attachments
        self._unused = unused
        self._locks = locks
        self._collecting = self._again = False

    async def collect(self) -> None:
        """Delete the bytes of attachments that are gone. To be called after what may have removed some.

        While a call is at it, another one returns at once, and leaves its own to that. The caller holds no
        lock of a digest. Trouble is logged: what stays is set aside at the next start.
        """
        self._again = True
        if self._collecting:
            return
        self._collecting = True
        try:
            while self._again:
                self._again = False
                await self._collect()
        except StorageError as error:
            log.warning("bytes of attachments stay for now: %s", error)
        finally:
            self._collecting = False

    async def _collect(self) -> None:
        while digests := await self._attachments.freed(BATCH):
            # First: another attachment of the same bytes that goes from now on is told again.
            await self._attachments.settle(digests)
            for digest in digests:
                async with self._locks(digest):
                    await self._unused.forget(digest)


async def set_freed_aside(
    store: BlobStore, attachments: Attachments, told: Collection[Digest], unreferenced: Collection[Digest]
) -> None:
    """Set aside what a crash left of this, and settle it. Raises StorageError.

    At a start nothing is deleted, as the catalog may be an older copy. ``told`` are digests of attachments
    that are gone; ``unreferenced`` those of them that nothing refers to.
    """
    for digest in unreferenced:
        await store.set_aside(digest)
    rest = list(told)
    while rest:
        await attachments.settle(rest[:SETTLED_TOGETHER])
        del rest[:SETTLED_TOGETHER]
