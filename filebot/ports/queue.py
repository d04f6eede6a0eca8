"""Deliveries: in the catalog, and the queue that works them off."""

from typing import Protocol

from filebot.model import QueuedDelivery


class DeliveryStore(Protocol):
    """Deliveries that wait or are under way. Keeps and raises as :class:`Catalog`."""

    async def deliveries(self) -> list[QueuedDelivery]:
        """All of them, the lowest number first. A parcel goes with its entry when that is removed."""

    async def add_delivery(self, delivery: QueuedDelivery) -> bool:
        """Keep a parcel whose number no other has; False, and nothing is kept, if its entry is gone."""

    async def count_tries(self, number: int, tries: int) -> None:
        """Set how often a parcel was tried. One that is gone stays gone."""

    async def remove_delivery(self, number: int) -> bool:
        """Whether it was there."""


class Queue(Protocol):
    """Deliveries that are under way or wait, as far as the removal of files must know of them."""

    def forget_entry(self, entry_id: int) -> None:
        """The catalog has removed an entry, and with it its deliveries."""
