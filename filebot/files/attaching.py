"""Attaching of files that plugins derive from an entry."""

import asyncio
from collections.abc import AsyncIterator

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import EmptyFile, PluginStoreFull
from filebot.files.freed_blobs import FreedBlobs
from filebot.files.quota import Quota, Reservation
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import Attachment, Entry
from filebot.ports import MOST_ATTACHED_BYTES, Attachments, BlobStore, BlobWriter, Data


class Attaching:
    """Stores attachments, in the order that makes them durable: bytes first, then their row."""

    def __init__(
        self,
        store: BlobStore,
        attachments: Attachments,
        unused: UnusedBlobs,
        freed: FreedBlobs,
        quota: Quota,
        locks: KeyedLocks[asyncio.Lock],
    ) -> None:
        self._store = store
        self._attachments = attachments
        self._unused = unused
        self._freed = freed
        self._quota = quota
        self._locks = locks

    async def attach(
        self, entry: Entry, plugin: str, name: str, data: AsyncIterator[Data], media_type: str
    ) -> Attachment:
        """Attach these bytes to an entry, in place of what has the name; they count for its owner.

        Raises EmptyFile, NoSuchEntry, PluginStoreFull, QuotaExceeded, RoomQuotaExceeded or StorageError;
        then what was there before is still there.
        """
        async with (
            self._quota.reserve(entry.owner, None, entry.room) as reservation,
            self._store.create() as writer,
        ):
            await self._quota.begins(reservation, 0)
            await _write(data, writer, reservation, plugin)
            digest = (await writer.seal())["sha-256"].hex()
            # Nobody removes the last row of these bytes, or adds another, while this one is made.
            async with self._locks(digest):
                await self._quota.recheck(reservation)
                new: Attachment | None = None
                try:
                    new = Attachment(entry.id, plugin, name, await writer.commit(), media_type)
                    with reservation.settling():
                        await self._attachments.attach(new)
                except (Exception, asyncio.CancelledError) as error:
                    # A cancelled row gets to the disk all the same. If not, the next sweep finds the blob.
                    if isinstance(error, Exception) or new is None:
                        await self._unused.forget(digest)
                    raise
        await self._freed.collect()
        return new

    async def detach(self, entry: Entry, plugin: str, name: str) -> None:
        """Remove an attachment. One that is not there is not an error. Raises StorageError."""
        await self._attachments.detach(entry.id, plugin, name)
        await self._freed.collect()


async def _write(
    data: AsyncIterator[Data], writer: BlobWriter, reservation: Reservation, plugin: str
) -> None:
    async for piece in data:
        size = writer.size + len(piece)
        if size > MOST_ATTACHED_BYTES:
            raise PluginStoreFull(plugin)
        reservation.grow_to(size)
        await writer.write(piece)
        reservation.wrote(size)
    if not writer.size:
        raise EmptyFile
