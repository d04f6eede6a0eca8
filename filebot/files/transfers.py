"""Transfers under way: each takes a slot first, is listed for its person, and can be cancelled.

Slots for files that come in and for files that go out are counted apart, so that nobody's downloads keep
them from getting their stored files. Both are shared fairly (:class:`FairSemaphore`), and taken for each
use of a socket or an open file on somebody's behalf. A person is told of a transfer that has to wait, but
not of a wait that soon ends by itself, such as that of a folder full of photos.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum, unique
from itertools import count
from typing import Final

from filebot.concurrency.bounded_call import not_counted
from filebot.concurrency.locks import FairSemaphore, Shares, Ticket, on_behalf_of
from filebot.concurrency.tasks import end, end_turn
from filebot.errors import NoSuchTransfer, TransferCancelled
from filebot.events.bus import EventBus
from filebot.events.facts import FileQueued
from filebot.model import Identity, Method, Progress, Sender
from filebot.system.descriptors import MOST_SLOTS

RATE_WINDOW_S: Final = 10.0
"""The rate shown is that of the last seconds, not that since the beginning."""

SAMPLES: Final = 32

PER_PERSON: Final = 10
"""Most slots of one person in each direction; likewise ``PER_ROOM``."""
PER_ROOM: Final = 20

STILL_S: Final = 3.0
"""Time after which a waiting person is told; at once, if none of their slots changed for this long."""


@unique
class Direction(Enum):
    """Direction as the person sees it; the values are used in templates."""

    TO_BOT = "to bot"
    FROM_BOT = "from bot"


@dataclass(eq=False, slots=True, weakref_slot=True)
class Transfer:
    """One file on its way."""

    number: int
    """Short; people write it after ``cancel``."""
    sender: Sender
    """On whose behalf it moves."""
    language: str | None
    name: str
    direction: Direction
    method: Method
    total_bytes: int | None
    started_s: float
    """On the clock of the registry; likewise below."""
    done_bytes: int = 0
    _clock: Callable[[], float] = field(repr=False, default=lambda: 0.0)
    _task: "asyncio.Task[object] | None" = field(repr=False, default=None)
    waits: bool = False
    """It waits for others that are on their way."""
    cancelled: bool = False
    """The person stopped it."""
    ended: bool = False
    """It does not move any more, whether it is done or not."""
    is_done: bool = False
    """All of it has moved, and nothing failed behind that."""
    _samples: deque[tuple[float, int]] = field(repr=False, default_factory=lambda: deque(maxlen=SAMPLES))

    @property
    def progress(self) -> Progress:
        """Bytes transferred, and the size."""
        return Progress(self.done_bytes, self.total_bytes)

    @property
    def age_s(self) -> float:
        """Since it began."""
        return self._clock() - self.started_s

    @property
    def bytes_per_s(self) -> float:
        """Over the last seconds; 0 if nothing moves."""
        (start_s, start_bytes), now_s = self._samples[0], self._clock()
        if now_s - self._samples[-1][0] > RATE_WINDOW_S:
            return 0.0
        return (self.done_bytes - start_bytes) / (now_s - start_s) if now_s > start_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Until it is done at the present rate; None if that cannot be told."""
        rate = self.bytes_per_s
        if self.total_bytes is None or rate <= 0:
            return None
        return (self.total_bytes - self.done_bytes) / rate

    def begin(self, method: Method) -> None:
        """Note that it is tried by another method: it begins anew, or where the peer has it already."""
        self.method = method
        self.done_bytes = 0
        self._samples.clear()
        self.moved(0)

    def starts_at(self, done_bytes: int, total_bytes: int | None) -> None:
        """Note how much was there before it began, which says nothing of how fast it is, and the size."""
        if self.total_bytes is None:
            self.total_bytes = total_bytes
        self._samples.clear()
        self.moved(done_bytes)

    def moved(self, done_bytes: int) -> None:
        """Note that so many bytes are done in all."""
        self.done_bytes = done_bytes
        now_s = self._clock()
        if not self._samples or now_s - self._samples[-1][0] >= RATE_WINDOW_S / SAMPLES:
            self._samples.append((now_s, done_bytes))
        while len(self._samples) > 2 and now_s - self._samples[1][0] > RATE_WINDOW_S:
            self._samples.popleft()

    def cancel(self) -> None:
        """Stop it: the task that runs it gets TransferCancelled. It may take a moment; once is enough."""
        if self._task is not None and not self.cancelled:
            self._task.cancel()
        self.cancelled = True


class Transfers:
    """All transfers that run. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._running: dict[int, Transfer] = {}

    def count_from(self, number: int) -> None:
        """Give no number below this one; to be called before the first is given."""
        self._numbers = count(number)

    def is_running(self, number: int) -> bool:
        """Whether the transfer of this number moves just now."""
        return number in self._running

    def all(self) -> Sequence[Transfer]:
        """Every one, the oldest first."""
        return list(self._running.values())

    def of(self, person: Identity) -> Sequence[Transfer]:
        """Return the transfers of one person."""
        return [transfer for transfer in self._running.values() if transfer.sender.identity == person]

    def cancel(self, person: Identity, number: int) -> Transfer:
        """Stop one of this person's transfers. Raises NoSuchTransfer."""
        transfer = self._running.get(number)
        if transfer is None or transfer.sender.identity != person:
            raise NoSuchTransfer(number)
        transfer.cancel()
        return transfer

    @contextmanager
    def running(
        self,
        sender: Sender,
        language: str | None,
        name: str,
        direction: Direction,
        method: Method,
        total_bytes: int | None = None,
        *,
        number: int | None = None,
    ) -> Iterator[Transfer]:
        """Show a transfer, run by the present task, for as long as the context is open.

        ``number`` is that of a delivery that has one already. Raises TransferCancelled when the person
        stops it.
        """
        task = asyncio.current_task()
        transfer = Transfer(
            next(self._numbers) if number is None else number,
            sender,
            language,
            name,
            direction,
            method,
            total_bytes,
            self._clock(),
            _clock=self._clock,
            _task=task,
        )
        transfer.moved(0)
        self._running[transfer.number] = transfer
        try:
            with not_counted():  # a whole file takes as long as it takes
                yield transfer
            transfer.is_done = transfer.done_bytes >= (transfer.total_bytes or 1)
        except asyncio.CancelledError:
            if not transfer.cancelled or task is None or task.uncancel():
                raise  # not the person stopped it, or not the person alone
            raise TransferCancelled(name) from None
        finally:
            transfer.ended = True
            del self._running[transfer.number]


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
        async with AsyncExitStack() as stack:
            with not_counted():
                await stack.enter_async_context(self._free[direction].held(person, sender.room or ""))
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
