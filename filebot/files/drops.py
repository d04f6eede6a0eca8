"""Intake of files that people send: each has a slot, and is shown while it comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from filebot.filenames import UNNAMED
from filebot.files.intake import Destination, Intake, IntakeResult
from filebot.files.offers import name_of
from filebot.files.retractions import Retractions
from filebot.files.transfers import Direction, Slots, Transfer, Transfers
from filebot.model import Method, Offer
from filebot.ports import StreamOffer


class Drops:
    """Intake of files that people send, each with a slot and shown while it comes.

    Raises whatever :class:`Intake` raises.
    """

    def __init__(
        self, intake: Intake, retractions: Retractions, transfers: Transfers, slots: Slots
    ) -> None:
        self._intake = intake
        self._retractions = retractions
        self._transfers = transfers
        self._slots = slots

    async def fetch(
        self, offer: Offer, destination: Destination, *, in_burst: bool = False
    ) -> IntakeResult:
        """Take the file that an offer points to, when its turn has come.

        FileQueued tells of a file that waits; ``in_burst``, of the first that waits only.
        """

        async def fetch(destination: Destination) -> IntakeResult:
            place = self._moving(offer, destination, Method.HTTP, in_burst=in_burst)
            return await self._intake.fetch(offer, destination, place)

        return await self._retractions.take(offer.message, destination, fetch)

    async def receive(self, stream: StreamOffer, destination: Destination) -> IntakeResult:
        """Take a file that a client sends by a stream, when its turn has come."""
        place = self._moving(stream.offer, destination, Method.SOCKS5, in_burst=True)
        return await self._intake.take(stream, stream.offer, destination, place)

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
