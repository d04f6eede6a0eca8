"""The one writer: operations that come together are made durable together.

Theory of operation: a sync of the disk costs the same for one row and for sixty. So callers leave
their operation in a list and wait; one task takes what has gathered, runs it in one transaction and wakes
the callers only after COMMIT. Meanwhile the next group gathers. If anything in a group fails, all of it
is rolled back and each operation is run again in a transaction of its own: the one that is to blame gets
its error, the others never notice. Failures are rare, and so the usual group needs no savepoints.

An operation is a function of many arguments at once: neighbours in a group that want the same thing done
are one call, and so sixteen new rows are one statement.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from filebot.catalog.failures import translated
from filebot.errors import CatalogUnavailable

A = TypeVar("A")
R = TypeVar("R")
Operation = Callable[[AsyncConnection, Sequence[A]], Awaitable[Sequence[R]]]
"""Does something with each argument in turn, and returns as many results. May be run again after a
rollback."""

MAX_GROUP: Final = 64
MAX_WAITING: Final = 256
"""Callers beyond these wait before they may even queue."""


@dataclass(frozen=True, slots=True)
class _Job:
    operation: Operation[Any, Any]
    argument: Any
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Writer:
    """Runs operations in order, each wholly or not at all. Owns the task that does it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._jobs: deque[_Job] = deque()
        self._room = asyncio.Semaphore(MAX_WAITING)
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._work(), name="catalog-writer")

    async def run(self, operation: Operation[A, R], argument: A) -> R:
        """Run ``operation`` and return its result for ``argument`` once it is durable.

        A cancelled caller's operation is left out if its group is not under way yet.
        """
        async with self._room:
            if self._closing:
                raise CatalogUnavailable("the catalog is closed")
            job = _Job(operation, argument)
            self._jobs.append(job)
            self._wake.set()
            result: R = await job.done
            return result

    async def close(self) -> None:
        """Finish what is queued and take nothing more. Finishes even when cancelled once."""
        self._closing = True
        self._wake.set()
        try:
            await asyncio.shield(self._task)
        except asyncio.CancelledError:
            await self._task
            raise

    async def _work(self) -> None:
        try:
            while group := await self._next_group():
                await self._commit(group)
        finally:
            # Only a cancelled or broken task leaves anything here; nobody may wait for ever.
            self._closing = True
            _fail(self._jobs, CatalogUnavailable("the catalog's writer has ended"))

    async def _next_group(self) -> list[_Job]:
        """The operations waiting; none when all is done and the catalog is closing."""
        while True:
            group = self._take()
            if group or self._closing:
                return group
            self._wake.clear()
            await self._wake.wait()

    def _take(self) -> list[_Job]:
        group: list[_Job] = []
        while self._jobs and len(group) < MAX_GROUP:
            job = self._jobs.popleft()
            if not job.done.done():
                group.append(job)
        return group

    async def _commit(self, group: Sequence[_Job]) -> None:
        try:
            if not await self._attempt(group):
                for job in group:
                    await self._attempt([job])
        finally:
            # Only a stopped writer has left any of them without an answer.
            _fail(group, CatalogUnavailable("the catalog's writer was stopped"))

    async def _attempt(self, group: Sequence[_Job]) -> bool:
        """Whether everybody in the group has an answer; False if they must be tried one by one."""
        try:
            with translated():
                async with self._engine.begin() as connection:
                    results = await _run(connection, group)
        except Exception as error:  # noqa: BLE001 - every kind belongs to the caller that waits for it
            if len(group) > 1:
                return False
            _fail(group, error)
        else:
            for job, result in zip(group, results, strict=True):
                if not job.done.done():
                    job.done.set_result(result)
        return True


async def _run(connection: AsyncConnection, group: Sequence[_Job]) -> list[Any]:
    results: list[Any] = []
    for operation, jobs in groupby(group, key=lambda job: job.operation):
        results += await operation(connection, [job.argument for job in jobs])
    return results


def _fail(jobs: Iterable[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.done.done():
            job.done.set_exception(error)
