"""Work that people's messages begin: within limits by person, by room and for all, and ended with the bot.

How many files move at once is decided in ``files/transfers``.

A room's service can make up any number of occupants, so all in one room together have a limit too. Somebody
who brings the bot into ten such rooms (``MOST_INVITED_BY_ONE``) does not hold up people elsewhere.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from aiolimiter import AsyncLimiter

from filebot.concurrency.lru import DefaultLRUCache
from filebot.concurrency.tasks import Tasks, begin_turn, end
from filebot.concurrency.throttle import DAY_S, Throttle
from filebot.model import Sender

TURN_S: Final = 2.0
"""Longest wait of a request for the one before it by the same person."""

WAITING: Final = 10_000
"""Most messages that are being handled or wait for it, at once."""
WAITING_PER_ROOM: Final = 800
WAITING_PER_PERSON: Final = 500
WAITING_BYTES: Final = 64 * 1024 * 1024
"""Memory for these messages; below, for those of one room and of one person."""
WAITING_BYTES_PER_ROOM: Final = 16 * 1024 * 1024
WAITING_BYTES_PER_PERSON: Final = 8 * 1024 * 1024
TASK_BYTES: Final = 8 * 1024
"""Rough size of the tasks of each message."""
MOST_TASKS: Final = 2 * WAITING
"""Twice what the rate limiter lets wait: refusals and answers given once a day are not counted there."""
PEOPLE_REMEMBERED: Final = 10_000
ROOMS_REMEMBERED: Final = 1_000

Work = Coroutine[object, object, None]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Limits for the requests of one person."""

    files_per_message: int = 10
    commands_per_minute: int = 60

    @property
    def commands_per_minute_in_a_room(self) -> int:
        """Limit for all in one room together."""
        return 10 * self.commands_per_minute


@dataclass(slots=True)
class Waiting:
    """Count of messages that wait, of one person, of one room, or of all."""

    most: int
    most_bytes: int
    count: int = 0
    size_bytes: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while one of them begins, so that they begin in the order in which they came."""

    def is_full(self, more_bytes: int) -> bool:
        """Return whether one more message of that size is too much."""
        return self.count >= self.most or self.size_bytes + more_bytes > self.most_bytes

    def add(self, count: int, size_bytes: int) -> None:
        """Add to the count and to the size; negative numbers take away."""
        self.count += count
        self.size_bytes += size_bytes


def _limiters(most: int, per_minute: int) -> DefaultLRUCache[int, AsyncLimiter]:
    return DefaultLRUCache(most, lambda: AsyncLimiter(per_minute, 60))


class RateLimiter:
    """Limiter that counts requests under way, and those of the last minute."""

    def __init__(self, limits: RateLimits) -> None:
        self._waiting = Waiting(WAITING, WAITING_BYTES)
        self._waiting_in = defaultdict[str, Waiting](
            lambda: Waiting(WAITING_PER_ROOM, WAITING_BYTES_PER_ROOM)
        )
        self._waiting_of = defaultdict[str, Waiting](
            lambda: Waiting(WAITING_PER_PERSON, WAITING_BYTES_PER_PERSON)
        )
        # By hashes: what a room calls its people may be long.
        self._limiters_in = _limiters(ROOMS_REMEMBERED, limits.commands_per_minute_in_a_room)
        self._limiters_of = _limiters(PEOPLE_REMEMBERED, limits.commands_per_minute)
        self._limits = limits

    def use(self, limits: RateLimits) -> None:
        """Go by these limits from now on. If they are others, requests of the last minute are forgotten."""
        if limits != self._limits:
            self._limiters_in = _limiters(ROOMS_REMEMBERED, limits.commands_per_minute_in_a_room)
            self._limiters_of = _limiters(PEOPLE_REMEMBERED, limits.commands_per_minute)
            self._limits = limits

    def is_full(self, sender: Sender, size_bytes: int = 0) -> bool:
        """Return whether one more message of the sender's, of that size in memory, is too much."""
        try:
            return any(each.is_full(size_bytes + TASK_BYTES) for each in self._shares(sender))
        finally:
            self._forget(sender)

    @contextmanager
    def waiting(self, sender: Sender, size_bytes: int = 0) -> Iterator[None]:
        """Count a message of the sender's as waiting while the block runs."""
        shares = self._shares(sender)
        for each in shares:
            each.add(1, size_bytes + TASK_BYTES)
        try:
            yield
        finally:
            for each in shares:
                each.add(-1, -size_bytes - TASK_BYTES)
            self._forget(sender)

    async def is_in_pace(self, sender: Sender) -> bool:
        """Return whether the sender may make another request in this minute; if so, count it."""
        limiters = [self._limiters_of[hash(sender.rate_key)]]
        if sender.room is not None:
            limiters.append(self._limiters_in[hash(sender.room)])
        if not all(each.has_capacity() for each in limiters):
            return False
        for each in limiters:
            await each.acquire()
        return True

    async def in_turn(self, sender: Sender, work: Work) -> None:
        """Run ``work`` after the sender's earlier requests, but wait at most ``TURN_S`` for each of them.

        The work must be counted by :meth:`waiting` meanwhile.
        """
        task: asyncio.Task[None] | None = None
        try:
            async with self._waiting_of[sender.rate_key].turn:
                task, over = begin_turn(work)
                await asyncio.wait({task, over}, timeout=TURN_S, return_when=asyncio.FIRST_COMPLETED)
            await task
        except asyncio.CancelledError:
            if task is None:
                work.close()
            else:
                await end([task])
            raise
        finally:
            self._forget(sender)  # a cancelled caller may count it no longer

    def _shares(self, sender: Sender) -> list[Waiting]:
        shares = [self._waiting, self._waiting_of[sender.rate_key]]
        return shares if sender.room is None else [*shares, self._waiting_in[sender.room]]

    def _forget(self, sender: Sender) -> None:
        """Drop the counts of a sender with no waiting messages."""
        for shares, key in ((self._waiting_of, sender.rate_key), (self._waiting_in, sender.room or "")):
            if key in shares and not shares[key].count:
                del shares[key]


class Workload:
    """Owner of all tasks that messages begin."""

    def __init__(self, limits: RateLimits) -> None:
        self.rate_limiter = RateLimiter(limits)
        self._tasks = Tasks(MOST_TASKS)
        self._once_per_day = Throttle(DAY_S, PEOPLE_REMEMBERED)
        self._closed = False

    async def run(self, work: Work) -> None:
        """Run ``work`` in a task of its own, and return when it has ended. It goes on if the caller is
        cancelled.

        Raises CancelledError if it was cut off by :meth:`close`.
        """
        if self._closed:
            work.close()
            raise asyncio.CancelledError("closing")
        await self._tasks.run(work, "request")

    async def run_counted(self, sender: Sender, work: Work, size_bytes: int = 0) -> None:
        """Run ``work`` while its message, of ``size_bytes`` in memory, is counted as waiting."""
        with self.rate_limiter.waiting(sender, size_bytes):
            await self.run(work)

    async def once_per_day(self, sender: Sender, reason: str, answer: Callable[[], Work]) -> None:
        """Run ``answer`` unless the sender has had one for this reason within a day."""
        if self._once_per_day.passes(sender.rate_key, reason):
            await self.run(answer())

    async def idle(self) -> None:
        """Wait until no work is running."""
        await self._tasks.idle()

    async def close(self, *, timeout_s: float) -> None:
        """Let running work end, for at most ``timeout_s``; then cancel it."""
        await self._tasks.idle(timeout_s)
        self._closed = True
        await self._tasks.close()
