"""The plugins' jobs in a fake bot."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from filebot.jobs.worker import JobWorker
from filebot.model import DeadJob
from filebot.ports import JobStore

MOST_STEPS: Final = 10_000
"""Moments at which something is due within one time that passes."""


class QueueOfBot:
    """The jobs, schedules and durable listeners that wait. They are done only when a test says so."""

    def __init__(
        self,
        worker: Callable[[], JobWorker],
        store: JobStore,
        said: Callable[[Awaitable[None]], Awaitable[list[str]]],
    ) -> None:
        """``said`` awaits something, and returns what the bot said then."""
        self._worker = worker
        self._store = store
        self._said = said

    async def run(self) -> list[str]:
        """Do all that is due, and return what the bot said then, to whomever.

        What one of them raises is raised here when all are done.
        """
        return await self._said(self._worker().run_due())

    async def run_until(self, end: datetime, set_clock: Callable[[datetime], None]) -> None:
        """Do all that becomes due until then, each at its time."""
        for _ in range(MOST_STEPS):
            await self._worker().run_due()
            at = await self._worker().next_at()
            if at is None or at > end:
                set_clock(end)
                return
            set_clock(at)
        raise ValueError(f"over {MOST_STEPS} moments at which something is due; let less time pass")

    async def count(self, plugin: str) -> int:
        """Return how many jobs of a plugin wait, its schedules included."""
        return (await self._store.counts()).get(plugin, 0)

    async def dead(self, plugin: str) -> list[DeadJob]:
        """Return the jobs of a plugin that are not tried any more."""
        return await self._store.dead(plugin)
