"""Slots: each use of a socket or an open file on somebody's behalf takes one first.

Slots for files that come in and for files that go out are counted apart, so that nobody's downloads
keep them from getting their stored files. Both are shared fairly, see
:mod:`filebot.concurrency.locks`. A person is told of a transfer that has to wait, but not of a
wait that soon ends by itself, such as that of a folder full of photos.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from filebot.concurrency.locks import FairSemaphore, Shares, Ticket, end_turn, on_behalf_of
from filebot.concurrency.tasks import end
from filebot.events.bus import EventBus
from filebot.events.facts import FileQueued
from filebot.files.transfers import Direction, Transfer
from filebot.model import Sender
from filebot.system.descriptors import MOST_SLOTS

PER_PERSON: Final = 10
PER_ROOM: Final = 20

STILL_S: Final = 3.0
"""Time after which a waiting person is told; at once, if none of their slots changed for this long."""


def shares(total: int) -> Shares:
    """Share so many slots: ten rooms, as many as one person may bring the bot into, leave some."""
    return Shares(total, max(1, min(PER_PERSON, total // 4)), max(1, min(PER_ROOM, total // 12)))


@dataclass(frozen=True, slots=True)
class _Claim:
    """Somebody's claim to a slot, and what to tell them of it."""

    free: FairSemaphore
    ticket: Ticket
    transfer: Transfer
    in_burst: bool


class Slots:
    """The slots of both directions."""

    def __init__(self, events: EventBus, total: int = MOST_SLOTS) -> None:
        """``total`` is for each direction."""
        self._events = events
        self._free = {each: FairSemaphore(shares(total)) for each in Direction}
        self._told: set[tuple[Direction, str]] = set()

    @asynccontextmanager
    async def taken(
        self, transfer: Transfer, room: str | None = None, *, quiet: bool = False, in_burst: bool = False
    ) -> AsyncIterator[None]:
        """Wait for a slot, and hold it; FileQueued tells the person if that takes its time.

        ``room`` is the one that it counts against, too. If ``quiet``, nobody asked for it, and nobody is
        told. Of what comes ``in_burst`` only the first that waits is told of, until none waits any more.
        """
        person = transfer.sender.rate_key
        key, free = (transfer.direction, person), self._free[transfer.direction]
        ticket = free.draw(person, room or "")
        telling: asyncio.Task[None] | None = None
        transfer.waits = True
        try:
            if ticket.place is not None and not quiet:
                # In a task: to say something in a room takes its time, which the slot would stand idle.
                telling = asyncio.create_task(self._tell(_Claim(free, ticket, transfer, in_burst), key))
            if ticket.place is not None:
                end_turn()
            await ticket.granted
            transfer.waits = False
            with on_behalf_of(person):
                yield
        finally:
            free.give_back(ticket)
            if not free.waits(person):
                self._told.discard(key)
            if telling is not None:
                await end([telling])

    @asynccontextmanager
    async def held(self, direction: Direction, sender: Sender) -> AsyncIterator[None]:
        """Wait for a slot for what is no transfer of a file, and hold it, in silence."""
        person = sender.rate_key
        async with self._free[direction].held(person, sender.room or ""):
            with on_behalf_of(person):
                yield

    async def _tell(self, claim: _Claim, key: tuple[Direction, str]) -> None:
        place, transfer = claim.ticket.place, claim.transfer
        await asyncio.sleep(max(0.0, STILL_S - claim.free.still_s(key[1])))
        if place is None or claim.ticket.granted.done() or (claim.in_burst and key in self._told):
            return
        self._told.add(key)
        await self._events.tell(
            FileQueued(
                transfer.sender,
                transfer.language,
                transfer.name,
                place.behind,
                place.limit,
                place.bottleneck.value,
            )
        )
