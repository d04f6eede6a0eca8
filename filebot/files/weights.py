"""Weights of entries: how much of their bytes counts for their owner and their room."""

import asyncio
from collections.abc import Callable

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import NoSuchEntry
from filebot.files.quota import Quota
from filebot.model import Entry
from filebot.ports import Entries


class Weights:
    """Changes weights; what is to count for more has to fit, as a new file has to."""

    def __init__(self, entries: Entries, quota: Quota, locks: KeyedLocks[asyncio.Lock]) -> None:
        self._entries = entries
        self._quota = quota
        self._locks = locks

    async def change(self, entry: Entry, percent: int, may: Callable[[Entry], object]) -> None:
        """Let so many percent of the bytes count.

        ``may`` is given the entry as it is now, and raises what forbids it. Raises NoSuchEntry,
        QuotaExceeded, RoomQuotaExceeded or StorageError, too, and ValueError for what is no percentage.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"a weight of {percent} percent; 0 to 100 are possible")
        # Nobody else changes it, or removes the entry, between the question and the answer.
        async with self._locks(entry.blob.digest):
            current = await self._entries.entry(entry.id)
            before = await self._entries.weight(entry.id)
            if current is None or before is None:
                raise NoSuchEntry(entry.name)
            may(current)
            if (more := before.grows_by(percent)) == 0:
                await self._entries.set_weight(entry.id, percent)
                return
            async with self._quota.grow(current.owner, current.room, more) as hold:
                with hold.settling():
                    await self._entries.set_weight(entry.id, percent)
