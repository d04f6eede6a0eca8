"""Writer with group commit: operations that wait together are made durable together.

Theory of operation: a sync of the disk costs the same for one row and for sixty. So callers leave
their operation in a list and wait; one task takes what has gathered, runs it in one transaction and wakes
the callers only after COMMIT. Meanwhile the next group gathers. If anything in a group fails, all of it
is rolled back and each operation is run again in a transaction of its own: the one that is to blame gets
its error, the others never notice. Failures are rare, and so the usual group needs no savepoints.

If an operation that must not fail for want of space (``urgent``) finds the disk full, the reserve is given
up step by step, and the operation is run again after each.

Jobs that a change brings with it (its outbox) are kept by the transaction of the change, or not at all.

An operation is a function of many arguments at once: neighbours in a group that want the same thing done
are one call, and so sixteen new rows are one statement.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from filebot.catalog.mapping import translated
from filebot.catalog.outbox import keep_jobs
from filebot.catalog.reserve import STEP_BYTES, DiskReserve
from filebot.catalog.schema import entries
from filebot.errors import CatalogUnavailable, StorageFull
from filebot.model import NewJob, Outbox

log = logging.getLogger(__name__)

A = TypeVar("A")
R = TypeVar("R")
Operation = Callable[[AsyncConnection, Sequence[A]], Awaitable[Sequence[R]]]
"""Function that is applied to each argument in turn and returns as many results. May run again after a
rollback."""

Change = ReturningUpdate[Any] | ReturningDelete[Any] | ReturningInsert[Any]
"""A statement about one row that returns it."""

# Built once: the columns are given as parameters, many rows at a time.
_INSERT: Final = sa.insert(entries)
_NEWEST_ID: Final = sa.select(sa.func.max(entries.c.id))

MAX_GROUP: Final = 64
MAX_WAITING: Final = 256
"""Callers beyond these wait before they may even queue."""

REFILL_EVERY_S: Final = 10.0
"""Pause between attempts to fill a reserve that was used."""


@dataclass(frozen=True, slots=True)
class _Job:
    operation: Operation[Any, Any]
    argument: Any
    urgent: bool
    outbox: Outbox[Any] | None
    brought: list[NewJob] = field(default_factory=list)
    """Jobs of the outbox, for the result of the last attempt."""
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Writer:
    """Writer that runs operations in order, each wholly or not at all. Owns the task that does it."""

    def __init__(self, engine: AsyncEngine, reserve: DiskReserve | None = None) -> None:
        self._engine = engine
        self._reserve = reserve
        self._is_short = reserve is not None and reserve.missing_bytes > 0
        self._next_look = 0.0
        self._jobs: deque[_Job] = deque()
        self._room = asyncio.Semaphore(MAX_WAITING)
        self._wake = asyncio.Event()
        self._closing = False
        self._tell_of_jobs: Callable[[], None] = lambda: None
        self._task = asyncio.create_task(self._work(), name="catalog-writer")

    def on_jobs(self, notify: Callable[[], None]) -> None:
        """Call ``notify`` after each commit that has kept jobs of an outbox."""
        self._tell_of_jobs = notify

    async def run(
        self,
        operation: Operation[A, R],
        argument: A,
        *,
        urgent: bool = False,
        outbox: Outbox[R] | None = None,
    ) -> R:
        """Run ``operation`` and return its result for ``argument`` once it is durable.

        An ``urgent`` operation (a removal, or a row that a delivery needs) uses the reserve on a full disk.

        The jobs that ``outbox`` returns for the result become durable with it.

        A cancelled caller's operation is left out if its group is not under way yet.
        """
        async with self._room:
            if self._closing:
                raise CatalogUnavailable("the catalog is closed")
            job = _Job(operation, argument, urgent, outbox)
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
        """Wait for operations; return none when all are done and the catalog is closing."""
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
            outcome = await self._attempt(group)
            if not isinstance(outcome, Exception):
                self._succeed(group, outcome)
            elif len(group) == 1:
                await self._run_alone(group[0], outcome)
            else:
                for job in group:
                    await self._run_alone(job, await self._attempt([job]))
            await self._refill(urgent=any(job.urgent for job in group))
        finally:
            # Only a stopped writer has left any of them without an answer.
            _fail(group, CatalogUnavailable("the catalog's writer was stopped"))

    async def _run_alone(self, job: _Job, outcome: list[Any] | Exception) -> None:
        """Answer a job that was run by itself, an urgent one after it had the reserve if it needs that."""
        step, used = STEP_BYTES, False
        while isinstance(outcome, StorageFull) and job.urgent and await self._give_up(step):
            outcome = await self._attempt([job])
            step, used = step * 2, True
        if used:
            await self._refill(urgent=True)  # first: others must not take what was left
        if isinstance(outcome, Exception):
            _fail([job], outcome)
        else:
            self._succeed([job], outcome)

    def _succeed(self, jobs: Sequence[_Job], results: Sequence[Any]) -> None:
        _answer(jobs, results)
        if any(job.brought for job in jobs):
            self._tell_of_jobs()

    async def _give_up(self, size_bytes: int) -> bool:
        if self._reserve is None:
            return False
        self._is_short = True
        given = await asyncio.to_thread(self._reserve.give_up, size_bytes)
        log.warning("the disk is full, and %s", "the reserve is used" if given else "so is the reserve")
        return given

    async def _refill(self, *, urgent: bool) -> None:
        """Take back what is left of the reserve after its use, and more of it when there is room."""
        reserve, now = self._reserve, time.monotonic()
        if reserve is None or not self._is_short or (now < self._next_look and not urgent):
            return
        self._next_look = now + REFILL_EVERY_S
        if urgent or reserve.has_space():
            await asyncio.to_thread(reserve.fill)
            self._is_short = reserve.missing_bytes > 0

    async def _attempt(self, group: Sequence[_Job]) -> list[Any] | Exception:
        """Run a group in one transaction; return all results, or the error."""
        try:
            with translated():
                async with self._engine.begin() as connection:
                    return await _run(connection, group)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return CatalogUnavailable("an operation cancelled itself")  # a plugin's function did
        except Exception as error:  # noqa: BLE001 - every kind belongs to the caller that waits for it
            return error


async def _run(connection: AsyncConnection, group: Sequence[_Job]) -> list[Any]:
    results: list[Any] = []
    for operation, jobs in groupby(group, key=lambda job: job.operation):
        results += await operation(connection, [job.argument for job in jobs])
    for job, result in zip(group, results, strict=True):
        job.brought[:] = () if job.outbox is None else job.outbox(result)
    new = [each for job in group for each in job.brought]
    if new:
        await keep_jobs(connection, new)
    return results


def _answer(jobs: Sequence[_Job], results: Sequence[Any]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if not job.done.done():
            job.done.set_result(result)


def _fail(jobs: Iterable[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.done.done():
            job.done.set_exception(error)


# --- operations -------------------------------------------------------------------------------------


async def add_entries(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Insert the rows and return their ids.

    They are consecutive: only one transaction writes at a time, and AUTOINCREMENT counts by one.
    """
    await connection.execute(_INSERT, rows)
    newest: int = (await connection.execute(_NEWEST_ID)).scalar_one()
    return range(newest - len(rows) + 1, newest + 1)


async def execute(
    connection: AsyncConnection, statements: Sequence[sa.Insert | sa.Update | sa.Delete]
) -> list[None]:
    """Execute statements that return nothing."""
    for statement in statements:
        await connection.execute(statement)
    return [None] * len(statements)


async def execute_returning(
    connection: AsyncConnection, changes: Sequence[Change]
) -> list[sa.Row[Any] | None]:
    """Execute statements that return one row each, or None if their row is gone."""
    return [(await connection.execute(change)).one_or_none() for change in changes]
