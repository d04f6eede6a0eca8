"""Bytes of attachments that are gone: deleted, unless something else has them."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import StorageError
from filebot.files.unused_blobs import UnusedBlobs
from filebot.ports import Attachments

log = logging.getLogger(__name__)

BATCH: Final = 100
"""Digests that are looked at together."""


class FreedBlobs:
    """Looks after the bytes of attachments, which go with their entries."""

    def __init__(
        self, attachments: Attachments, unused: UnusedBlobs, locks: KeyedLocks[asyncio.Lock]
    ) -> None:
        self._attachments = attachments
        self._unused = unused
        self._locks = locks

    async def collect(self) -> None:
        """Delete the bytes of attachments that are gone. To be called after what may have removed some.

        The caller holds no lock of a digest. Trouble is logged: what stays is set aside after the next
        start.
        """
        try:
            while digests := await self._attachments.freed(BATCH):
                # First: another attachment of the same bytes that goes from now on is told again.
                await self._attachments.settle(digests)
                for digest in digests:
                    async with self._locks(digest):
                        await self._unused.forget(digest)
        except StorageError as error:
            log.warning("bytes of attachments stay for now: %s", error)


async def leave_to_sweep(attachments: Attachments) -> None:
    """Forget what a crash left of this: at a start nothing is deleted, as the catalog may be an older copy.

    The sweep sets such blobs aside, as all that nothing refers to.
    """
    with suppress(StorageError):  # what is still told will be found unused, or used again
        while digests := await attachments.freed(BATCH):
            await attachments.settle(digests)
