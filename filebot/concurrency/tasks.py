"""Background work with an owner: nothing started here outlives its :class:`Tasks`."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """A bounded set of running tasks. What they raise is logged; closing cancels and awaits them all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> bool:
        """Run ``work`` in the background; False, and not at all, if too much is running already."""
        if len(self._running) >= self._limit:
            work.close()
            log.warning("%s is not started: %d tasks are running", name, self._limit)
            return False
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return True

    async def close(self) -> None:
        """Cancel all and wait for their clean-up. May be used again afterwards."""
        tasks = set(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
