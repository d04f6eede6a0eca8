"""Blocking work of plugins in threads, of which no plugin can take all.

A thread cannot be stopped: work that was begun has its place until it ends, even if nobody waits for it.
"""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from filebot.concurrency.locks import FairSemaphore, Shares
from filebot.concurrency.tasks import Threads, retrieve

P = ParamSpec("P")
R = TypeVar("R")

PLACES: Final = Shares(total=8, per_person=4)
"""Threads of all plugins, and of one."""


class BlockingWork:
    """Threads that plugins share."""

    def __init__(self) -> None:
        self._threads = Threads("plugin", PLACES.total)
        self._places = FairSemaphore(PLACES)

    async def run(self, plugin: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function in a thread as soon as a place of the plugin's is free, and return its result."""
        ticket = self._places.draw(plugin)
        try:
            await ticket.granted
            job = self._threads.start(function, *args, **kwargs)
        except BaseException:
            self._places.give_back(ticket)
            raise
        job.add_done_callback(retrieve)
        job.add_done_callback(lambda _: self._places.give_back(ticket))
        return await asyncio.shield(job)
