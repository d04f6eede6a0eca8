"""Work that people's messages begin: in tasks of its own, within the limits, ended with the bot."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from filebot.chat.rate_limits import PEOPLE_REMEMBERED, WAITING, RateLimiter, RateLimits
from filebot.concurrency.tasks import Tasks
from filebot.concurrency.throttle import DAY_S, Throttle
from filebot.model import Sender

MOST_TASKS: Final = 2 * WAITING
"""Requests are counted by the rate limiter; as many more are refusals, and what is said once a day."""

Work = Coroutine[object, object, None]


class Workload:
    """Owner of all tasks that messages begin."""

    def __init__(self, limits: RateLimits) -> None:
        self.rate_limiter = RateLimiter(limits)
        self._tasks = Tasks(MOST_TASKS)
        self._once_per_day = Throttle(DAY_S, PEOPLE_REMEMBERED)
        self._closed = False

    async def run(self, work: Work) -> None:
        """Run ``work`` in a task of its own, which a cancelled caller leaves running; return when it ends.

        Raises CancelledError if it was cut off by :meth:`close`.
        """
        if self._closed:
            work.close()
            raise asyncio.CancelledError("closing")
        await self._tasks.run(work, "request")

    async def run_counted(self, sender: Sender, work: Work, size_bytes: int = 0) -> None:
        """Run ``work``, which counts among what waits for the sender; its message takes ``size_bytes``."""
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
