"""Calls of listeners that nobody waits for."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, Final

from filebot.concurrency.tasks import Tasks

MOST_RUNNING: Final = 8
"""Calls of one plugin's listeners at the same time."""
MOST_WAITING: Final = 500
"""Calls of one plugin's listeners, those that wait included; each holds an event of a few kB."""


class CallsAtOnce:
    """Owner of the tasks of such calls. Each plugin has its own bounds, so that it harms itself alone."""

    def __init__(self) -> None:
        self._tasks: defaultdict[str, Tasks] = defaultdict(lambda: Tasks(MOST_WAITING))
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(MOST_RUNNING)
        )

    def start(self, plugin: str, call: Callable[[], Coroutine[Any, Any, None]], name: str) -> bool:
        """Make a call for a plugin as soon as one of its places is free.

        It is left out, the log says so and False is returned, while too many wait.
        """
        run = self._run(self._places[plugin], call)
        return self._tasks[plugin].start(run, f"{name} of plugin {plugin}")

    async def idle(self) -> None:
        """Wait until no call is under way."""
        for tasks in list(self._tasks.values()):
            await tasks.idle()

    async def close(self, *, timeout_s: float) -> None:
        """Let calls end, for at most ``timeout_s`` in all; then cancel them."""
        await asyncio.gather(*(tasks.idle(timeout_s) for tasks in self._tasks.values()))
        await asyncio.gather(*(tasks.close() for tasks in self._tasks.values()))

    async def _run(self, places: asyncio.Semaphore, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with places:
            await call()
