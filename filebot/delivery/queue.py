"""Files that go to people by streams, or wait to: each has its row until that has ended.

All of them are few enough to be held in memory; the catalog is written first, and read at start alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from filebot.errors import AlreadySending, NoSuchEntry, TooManyWaiting
from filebot.model import BareJid, Entry, Method, QueuedDelivery
from filebot.ports import Catalog

MOST: Final = 5000
MOST_OF_ONE: Final = 50
"""Of one asker."""

KEPT_FOR: Final = timedelta(days=30)


class DeliveryQueue:
    """Every parcel."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._parcels: dict[int, QueuedDelivery] = {}
        self._not_before: dict[int, datetime] = {}

    async def load(self) -> int:
        """Read what was left by an earlier run; the highest number there is, or 0."""
        self._parcels = {each.number: each for each in await self._catalog.deliveries()}
        return max(self._parcels, default=0)

    def get(self, number: int) -> QueuedDelivery | None:
        """The parcel of this number."""
        return self._parcels.get(number)

    def of(self, asker: BareJid) -> Sequence[QueuedDelivery]:
        """Those that somebody asked for, the oldest first."""
        return [each for each in self._parcels.values() if each.asker == asker]

    def to(self, recipient: BareJid) -> Sequence[QueuedDelivery]:
        """Those for somebody, the oldest first."""
        return [each for each in self._parcels.values() if each.recipient == recipient]

    def older_than(self, moment: datetime) -> Sequence[QueuedDelivery]:
        """Those made before a moment."""
        return [each for each in self._parcels.values() if each.created_at < moment]

    def same(
        self, asker: BareJid, recipient: BareJid, entry_id: int, method: Method | None
    ) -> QueuedDelivery | None:
        """The parcel of the same request, if there is one."""
        request = (asker, recipient, entry_id, method)
        return next((each for each in self._parcels.values() if _request(each) == request), None)

    async def add(self, parcel: QueuedDelivery, entry: Entry) -> QueuedDelivery:
        """Keep a new one. Raises TooManyWaiting, AlreadySending, or NoSuchEntry if the file is gone."""
        same = self.same(*_request(parcel))
        if same is not None:
            raise AlreadySending(same.number)
        if len(self.of(parcel.asker)) >= MOST_OF_ONE:
            raise TooManyWaiting(limit=MOST_OF_ONE, own=True)
        if len(self._parcels) >= MOST:
            raise TooManyWaiting(limit=MOST, own=False)
        self._parcels[parcel.number] = parcel
        kept = False
        try:
            kept = await self._catalog.add_delivery(parcel)
        finally:
            if not kept:
                self._forget(parcel.number)
        if not kept:
            raise NoSuchEntry(entry.name)
        return parcel

    async def put_back(self, parcel: QueuedDelivery, not_before: datetime) -> QueuedDelivery:
        """Count an attempt that failed; the next one is not to come before a moment."""
        tried = replace(parcel, tries=parcel.tries + 1)
        if parcel.number in self._parcels:
            self._parcels[parcel.number] = tried
            self._not_before[parcel.number] = not_before
            await self._catalog.count_tries(tried.number, tried.tries)
        return tried

    def take_up(self, number: int) -> None:
        """An attempt begins: there is nothing more to wait for before it."""
        self._not_before.pop(number, None)

    def not_before(self, parcel: QueuedDelivery) -> datetime | None:
        """When the next attempt may come, if there is something to wait for."""
        return self._not_before.get(parcel.number)

    async def remove(self, number: int) -> None:
        """It has ended. One that is gone already is no mistake."""
        if number in self._parcels:
            await self._catalog.remove_delivery(number)
            self._forget(number)

    def forget_entry(self, entry_id: int) -> None:
        """The catalog has removed an entry, and with it these parcels."""
        for parcel in [each for each in self._parcels.values() if each.entry_id == entry_id]:
            self._forget(parcel.number)

    def _forget(self, number: int) -> None:
        self._parcels.pop(number, None)
        self._not_before.pop(number, None)


def _request(parcel: QueuedDelivery) -> tuple[BareJid, BareJid, int, Method | None]:
    return parcel.asker, parcel.recipient, parcel.entry_id, parcel.method
