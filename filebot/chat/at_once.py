"""Listeners that are called at once, beside everything else."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final

from filebot.concurrency.tasks import Tasks

MOST_RUNNING: Final = 8
"""Calls of one plugin's listeners at the same time."""
MOST_WAITING: Final = 500
"""Calls of one plugin's listeners, those that wait included; each holds an event of a few kB."""


class AtOnce:
    """Owner of the tasks of such listeners; of each plugin so many that it harms itself alone."""

    def __init__(self) -> None:
        self._tasks: defaultdict[str, Tasks] = defaultdict(lambda: Tasks(MOST_WAITING))
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(MOST_RUNNING)
        )

    def start(self, plugin: str, call: Callable[[], Awaitable[None]], name: str) -> None:
        """Make a call for a plugin, as soon as one of its places is free.

        It is left out, and the log says so, while too many wait.
        """
        self._tasks[plugin].start(self._run(self._places[plugin], call), f"{name} of plugin {plugin}")

    async def idle(self, limit_s: float | None = None) -> None:
        """Wait until no call is under way, for at most ``limit_s`` for each plugin if there is a limit."""
        for tasks in list(self._tasks.values()):
            await tasks.idle(limit_s)

    async def close(self, *, patience_s: float) -> None:
        """Let calls end, for at most ``patience_s`` in all; then cancel them."""
        await asyncio.gather(*(tasks.idle(patience_s) for tasks in self._tasks.values()))
        await asyncio.gather(*(tasks.close() for tasks in self._tasks.values()))

    async def _run(self, places: asyncio.Semaphore, call: Callable[[], Awaitable[None]]) -> None:
        async with places:
            await call()
