"""Locks by key, and a semaphore that is shared fairly."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

L = TypeVar("L")

ON_BEHALF_OF: Final[ContextVar[str]] = ContextVar("ON_BEHALF_OF", default="")
"""The person for whom the present task works: set where work begins, read where something deep below is
shared, such as the look-up of names."""


class KeyedLocks(Generic[L]):
    """Locks or semaphores by key, kept while they are in use: all users of a key get the same object."""

    def __init__(self, make: Callable[[], L]) -> None:
        self._make = make
        self._in_use: WeakValueDictionary[Hashable, L] = WeakValueDictionary()

    def __call__(self, key: Hashable) -> L:
        """Return the object of this key. It lives as long as somebody holds it."""
        found = self._in_use.get(key)
        if found is None:
            found = self._in_use[key] = self._make()
        return found


@contextmanager
def on_behalf_of(person: str) -> Iterator[None]:
    """Count the work of the block, and of tasks begun there, as this person's."""
    token = ON_BEHALF_OF.set(person)
    try:
        yield
    finally:
        ON_BEHALF_OF.reset(token)


@dataclass(frozen=True, slots=True)
class Shares:
    """Numbers of places, in all and for one person and one group."""

    total: int
    per_person: int
    per_group: int | None = None
    """None: as many as there are."""


@unique
class Bottleneck(Enum):
    """The limit that a waiter has met; the values are used in templates."""

    PERSON = "person"
    GROUP = "room"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Place:
    """A waiter's place in the queue."""

    behind: int
    """Holders and waiters that come first."""
    limit: int
    """How many may hold a place at once, of those who are meant by ``bottleneck``."""
    bottleneck: Bottleneck


@dataclass(eq=False, slots=True)
class Ticket:
    """One claim to a place, granted or not yet."""

    person: str
    group: str
    granted: asyncio.Future[None]
    place: Place | None = None
    """Where it stood when it was drawn; None if it was granted at once."""


class FairSemaphore:
    """Semaphore that no person and no group can take whole, and that serves those who wait in turn.

    Waiters stand in a queue for each person, the people of one group (a room) beside each other. A place
    that becomes free goes to the next group, there to the next person, and of theirs to the one who waits
    longest (round-robin on two levels). Whoever has as much as one person or group may have is passed over.

    Use :meth:`held`, or :meth:`draw` and :meth:`give_back`.
    """

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._held = 0
        self._held_by: Counter[str] = Counter()
        self._held_in: Counter[str] = Counter()
        self._waiting: dict[str, dict[str, deque[Ticket]]] = {}
        self._waiting_of: Counter[str] = Counter()
        self._waiting_in: Counter[str] = Counter()
        self._moved_at: dict[str, float] = {}

    @property
    def shares(self) -> Shares:
        """The limits."""
        return self._shares

    @asynccontextmanager
    async def held(self, person: str, group: str = "") -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        ticket = self.draw(person, group)
        try:
            await ticket.granted
            yield
        finally:
            self.give_back(ticket)

    def draw(self, person: str, group: str = "") -> Ticket:
        """Ask for a place; ``granted`` of the ticket is done when it is there.

        Every ticket has to be given back, granted or not.
        """
        loop = asyncio.get_running_loop()
        ticket = Ticket(person, group, loop.create_future())
        queue = self._waiting.get(group or person, {}).get(person)
        if not queue and self._has_place(person, group):
            self._grant(ticket)
            return ticket
        ticket.place = self._place(person, group)
        self._waiting.setdefault(group or person, {}).setdefault(person, deque()).append(ticket)
        self._count_waiting(ticket, 1)
        return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Let the next one have the place, or leave the queue."""
        if ticket.granted.done() and not ticket.granted.cancelled():
            self._count_held(ticket, -1)
            self._serve()
        else:
            self._leave_queue(ticket)

    def waits(self, person: str) -> bool:
        """Return whether this person waits for a place."""
        return person in self._waiting_of

    def still_s(self, person: str) -> float:
        """Return for how many seconds no place of this person's was taken or given back."""
        now = asyncio.get_running_loop().time()
        return now - self._moved_at.get(person, now)

    def _has_place(self, person: str, group: str) -> bool:
        shares = self._shares
        return (
            self._held < shares.total
            and self._held_by[person] < shares.per_person
            and (not group or shares.per_group is None or self._held_in[group] < shares.per_group)
        )

    def _place(self, person: str, group: str) -> Place:
        shares, waiting = self._shares, self._waiting_of[person]
        if self._held_by[person] >= shares.per_person or waiting:
            return Place(self._held_by[person] + waiting, shares.per_person, Bottleneck.PERSON)
        if group and shares.per_group is not None and self._held_in[group] >= shares.per_group:
            behind = self._held_in[group] + self._waiting_in[group]
            return Place(behind, shares.per_group, Bottleneck.GROUP)
        return Place(self._held + self._waiting_of.total(), shares.total, Bottleneck.ALL)

    def _serve(self) -> None:
        """Grant what can be granted now."""
        while self._held < self._shares.total and (ticket := self._next()) is not None:
            self._leave_queue(ticket)
            if not ticket.granted.done():  # its task may have been cancelled just now
                self._grant(ticket)

    def _next(self) -> Ticket | None:
        """Return the ticket whose turn it is, and move its person and group behind the others."""
        for name, group in self._waiting.items():
            for person, queue in group.items():
                if self._has_place(person, queue[0].group):
                    group[person] = group.pop(person)
                    self._waiting[name] = self._waiting.pop(name)
                    return queue[0]
        return None

    def _grant(self, ticket: Ticket) -> None:
        self._count_held(ticket, 1)
        ticket.granted.set_result(None)

    def _leave_queue(self, ticket: Ticket) -> None:
        name = ticket.group or ticket.person
        group = self._waiting.get(name, {})
        queue = group.get(ticket.person)
        if queue is None or ticket not in queue:
            return
        queue.remove(ticket)
        if not queue:
            del group[ticket.person]
        if not group:
            del self._waiting[name]
        self._count_waiting(ticket, -1)

    def _count_held(self, ticket: Ticket, change: int) -> None:
        self._held += change
        _count(self._held_by, ticket.person, change)
        _count(self._held_in, ticket.group, change)
        if self._held_by[ticket.person]:
            self._moved_at[ticket.person] = asyncio.get_running_loop().time()
        else:
            self._moved_at.pop(ticket.person, None)

    def _count_waiting(self, ticket: Ticket, change: int) -> None:
        _count(self._waiting_of, ticket.person, change)
        _count(self._waiting_in, ticket.group, change)


def _count(counter: Counter[str], key: str, change: int) -> None:
    counter[key] += change
    if not counter[key]:
        del counter[key]
