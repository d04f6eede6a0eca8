"""Deliveries: in the catalog, and the queue that works them off."""

from datetime import datetime
from typing import Final, Protocol

from filebot.model import BareJid, QueuedDelivery, SentFile

MOST_SENT: Final = 1000
"""Messages with files that are remembered."""


class DeliveryStore(Protocol):
    """Deliveries that wait or are under way. Keeps and raises as :class:`Catalog`."""

    async def deliveries(self) -> list[QueuedDelivery]:
        """Return all deliveries, by number. The removal of an entry removes its deliveries."""

    async def add_delivery(self, delivery: QueuedDelivery) -> bool:
        """Keep a delivery, whose number is unique; False, and nothing is kept, if its entry is gone."""

    async def count_tries(self, number: int, tries: int) -> None:
        """Set how often a delivery was tried. One that is gone stays gone."""

    async def remove_delivery(self, number: int) -> bool:
        """Remove a delivery; return whether it was there."""


class SentFiles(Protocol):
    """Files whose messages may come back. Keeps and raises as :class:`Catalog`."""

    async def add(self, sent: SentFile) -> None:
        """Keep it, with the latest ``MOST_SENT`` of all. The removal of its entry removes it."""

    async def find(self, message_id: str) -> SentFile | None:
        """Return what went by this message."""

    async def take(self, message_id: str) -> SentFile | None:
        """Remove what went by this message, and return it."""

    async def latest(self, recipient: BareJid, since: datetime) -> SentFile | None:
        """Return what went to this address last, since a moment."""


class Queue(Protocol):
    """Queue of deliveries, as far as the removal of files uses it."""

    def forget_entry(self, entry_id: int) -> None:
        """Drop the deliveries of an entry that the catalog has removed."""
