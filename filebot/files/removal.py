"""Removal of files: the row, then the bytes if it was their last row."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from filebot.checks.acts import FileRemoving
from filebot.checks.checks import Checks
from filebot.concurrency.locks import KeyedLocks
from filebot.events.bus import EventBus
from filebot.events.facts import Actor, FileRemoved, RemovalReason
from filebot.files.freed_blobs import FreedBlobs
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import Entry, Outbox
from filebot.ports import Entries, Queue

CHECKED: Final = frozenset({RemovalReason.OWNER, RemovalReason.ADMIN})
"""Reasons for which checks may keep a file: somebody said so. Behind the others stand rights of people and
what rooms promise them."""
REMOVE_BATCH: Final = 100
"""Entries that are looked up together."""


class Removal:
    """Removes entries, for whatever reason."""

    def __init__(
        self,
        entries: Entries,
        unused: UnusedBlobs,
        freed: FreedBlobs,
        queue: Queue,
        locks: KeyedLocks[asyncio.Lock],
        events: EventBus,
        checks: Checks,
    ) -> None:
        self._entries = entries
        self._unused = unused
        self.freed = freed
        """To be asked to collect, after entries were removed otherwise."""
        self._queue = queue
        self._locks = locks
        self._events = events
        self._checks = checks

    async def remove(
        self, entry: Entry, reason: RemovalReason, by: Actor, may: Callable[[], None] = lambda: None
    ) -> None:
        """Remove an entry, and tell FileRemoved; one that is gone is not an error.

        ``may`` is called when nothing stands between it and the act: waiting for a turn takes time. It
        raises what keeps the entry, and so do the checks of what people ask for. Raises StorageError, too:
        then the entry is still there. When it is gone, trouble with its bytes is logged alone.
        """
        if FileRemoving in self._checks.by_act and reason in CHECKED:
            await self._checks.passed(FileRemoving(by.sender, by.language, entry, reason))
        digest = entry.blob.digest

        async def remove(outbox: Outbox[Entry | None] | None) -> Entry | None:
            may()
            removed = await self._entries.remove(entry.id, outbox=outbox)
            self._queue.forget_entry(entry.id)
            return removed

        def tells(removed: Entry | None) -> Sequence[FileRemoved]:
            return () if removed is None else [FileRemoved(by.sender, by.language, removed, reason)]

        async with self._events.change() as change, self._locks(digest):
            await change.write(remove, tells)
            await self._unused.forget(digest)
        await self.freed.collect()

    async def remove_all(
        self, some: Callable[[int], Awaitable[Sequence[Entry]]], reason: RemovalReason, by: Actor
    ) -> int:
        """Remove what ``some`` gives, at most so many at a time, until it gives none; return how many.

        Raises StorageError.
        """
        removed = 0
        while entries := await some(REMOVE_BATCH):
            for entry in entries:
                await self.remove(entry, reason, by)
            removed += len(entries)
        return removed
