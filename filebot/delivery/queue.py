"""Delivery queue: files that go to people by streams, or wait to, each with its row until that has ended.

All of them are few enough to be held in memory; the catalog is written first, and read at start alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from filebot.errors import AlreadySending, NoSuchEntry, TooManyWaiting
from filebot.model import BareJid, Entry, Method, QueuedDelivery
from filebot.ports import DeliveryStore

MOST: Final = 5000
MOST_OF_ONE: Final = 50
"""Deliveries of one asker."""

KEPT_FOR: Final = timedelta(days=30)


class DeliveryQueue:
    """Deliveries that are under way or wait, in memory and in the catalog."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store
        self._queued: dict[int, QueuedDelivery] = {}
        self._not_before: dict[int, datetime] = {}

    async def load(self) -> int:
        """Read what was left by an earlier run; return the highest number there is, or 0."""
        self._queued = {each.number: each for each in await self._store.deliveries()}
        return max(self._queued, default=0)

    def get(self, number: int) -> QueuedDelivery | None:
        """Return the delivery of this number."""
        return self._queued.get(number)

    def of(self, asker: BareJid) -> Sequence[QueuedDelivery]:
        """Return the deliveries that somebody asked for, the oldest first."""
        return [each for each in self._queued.values() if each.asker == asker]

    def to(self, recipient: BareJid) -> Sequence[QueuedDelivery]:
        """Return the deliveries to somebody, the oldest first."""
        return [each for each in self._queued.values() if each.recipient == recipient]

    def older_than(self, moment: datetime) -> Sequence[QueuedDelivery]:
        """Return the deliveries that were added before a moment."""
        return [each for each in self._queued.values() if each.created_at < moment]

    def same(
        self, asker: BareJid, recipient: BareJid, entry_id: int, method: Method | None
    ) -> QueuedDelivery | None:
        """Return the delivery of the same request, if there is one."""
        request = (asker, recipient, entry_id, method)
        return next((each for each in self._queued.values() if _request(each) == request), None)

    async def add(self, queued: QueuedDelivery, entry: Entry) -> QueuedDelivery:
        """Add a delivery. Raises TooManyWaiting, AlreadySending, or NoSuchEntry if the file is gone."""
        same = self.same(*_request(queued))
        if same is not None:
            raise AlreadySending(same.number)
        if len(self.of(queued.asker)) >= MOST_OF_ONE:
            raise TooManyWaiting(limit=MOST_OF_ONE, own=True)
        if len(self._queued) >= MOST:
            raise TooManyWaiting(limit=MOST, own=False)
        self._queued[queued.number] = queued
        kept = False
        try:
            kept = await self._store.add_delivery(queued)
        finally:
            if not kept:
                self._forget(queued.number)
        if not kept:
            raise NoSuchEntry(entry.name)
        return queued

    async def put_back(self, queued: QueuedDelivery, not_before: datetime) -> QueuedDelivery:
        """Count an attempt that failed; the next one is not to come before a moment."""
        tried = replace(queued, tries=queued.tries + 1)
        if queued.number in self._queued:
            self._queued[queued.number] = tried
            self._not_before[queued.number] = not_before
            await self._store.count_tries(tried.number, tried.tries)
        return tried

    def take_up(self, number: int) -> None:
        """Note that an attempt begins: there is nothing more to wait for before it."""
        self._not_before.pop(number, None)

    def not_before(self, queued: QueuedDelivery) -> datetime | None:
        """Return when the next attempt may come, if there is something to wait for."""
        return self._not_before.get(queued.number)

    async def remove(self, number: int) -> None:
        """Remove a delivery that has ended. One that is gone already is not an error."""
        if number in self._queued:
            await self._store.remove_delivery(number)
            self._forget(number)

    def forget_entry(self, entry_id: int) -> None:
        """Forget the deliveries of an entry that the catalog has removed, and them with it."""
        for queued in [each for each in self._queued.values() if each.entry_id == entry_id]:
            self._forget(queued.number)

    def _forget(self, number: int) -> None:
        self._queued.pop(number, None)
        self._not_before.pop(number, None)


def _request(queued: QueuedDelivery) -> tuple[BareJid, BareJid, int, Method | None]:
    return queued.asker, queued.recipient, queued.entry_id, queued.method
