"""Drops: files that people send to be kept, each with a slot and shown while it comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filebot.filenames import UNNAMED, name_from_url, safe_name
from filebot.files.intake import Destination, Intake, IntakeResult
from filebot.files.slots import Slots
from filebot.files.transfers import Direction, Transfer, Transfers
from filebot.model import IncomingMessage, Method, Offer
from filebot.ports import StreamOffer


class Drops:
    """Takes files in one at a time in each slot. Raises whatever :class:`Intake` raises."""

    def __init__(self, intake: Intake, transfers: Transfers, slots: Slots) -> None:
        self._intake = intake
        self._transfers = transfers
        self._slots = slots

    async def fetch(
        self, offer: Offer, destination: Destination, *, in_burst: bool = False
    ) -> IntakeResult:
        """Take the file that an offer points to, when its turn has come.

        FileQueued tells of a file that waits; ``in_burst``, of the first that waits only.
        """
        place = self._moving(offer, destination, Method.HTTP, in_burst=in_burst)
        return await self._intake.fetch(offer, destination, place)

    async def receive(self, stream: StreamOffer, destination: Destination) -> IntakeResult:
        """Take a file that a client sends by a stream, when its turn has come."""
        place = self._moving(stream.offer, destination, Method.SOCKS5, in_burst=True)
        return await self._intake.receive(stream, destination, place)

    @asynccontextmanager
    async def _moving(
        self, offer: Offer, destination: Destination, method: Method, *, in_burst: bool
    ) -> AsyncIterator[Transfer]:
        """Wait for a slot, and show the file to its person meanwhile and until the context is left."""
        by, name = destination.by, name_of(offer) or UNNAMED
        shown = self._transfers.running(by.sender, by.language, name, Direction.TO_BOT, method, offer.size)
        with shown as transfer:
            async with self._slots.taken(transfer, by.sender.room, in_burst=in_burst):
                yield transfer


def name_of(offer: Offer) -> str:
    """Return the name of a file of which no byte has come yet; empty if nobody named it."""
    offered = offer.name or (name_from_url(offer.urls[0]) if offer.urls else None)
    return safe_name(offered) if offered else ""


def source_message(message: IncomingMessage, number: int) -> str | None:
    """Return the catalog's key for the message's file of this number, by which it is known again."""
    return None if message.mam_id is None else f"{message.mam_id}/{number}"
