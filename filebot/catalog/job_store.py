"""Implementation of ``JobStore`` in the catalog.

Jobs that came with a change are in the outbox at first. Whoever asks for jobs empties it before.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from filebot.catalog import job_writes
from filebot.catalog.job_writes import Claim, Ended
from filebot.catalog.outbox import hand_out
from filebot.catalog.queries import Read
from filebot.catalog.schema import jobs
from filebot.catalog.writer import Writer, execute
from filebot.errors import JobQueueFull
from filebot.model import DeadJob, Job, JobKind, NewJob
from filebot.ports import LONGEST_ERROR


class SqlJobs:
    """Implements :class:`filebot.ports.JobStore`."""

    def __init__(self, read: Read, writer: Writer) -> None:
        self._read = read
        self._writer = writer
        self._notify: Callable[[], None] = lambda: None
        self._emptying = asyncio.Lock()
        self._may_have_more = True
        """Whether the outbox may hold something, of an earlier run too."""
        writer.on_jobs(self._note_jobs)

    async def add(self, new: NewJob) -> bool:
        await self._empty_outbox()
        try:
            added = await self._writer.run(job_writes.add_jobs, new)
        finally:
            self._notify()  # a cancelled caller's job may have been added all the same
        if added is None:
            raise JobQueueFull(f"no place for job {new.kind.name} of plugin {new.kind.plugin}")
        return added

    async def claim(
        self, kinds: Collection[JobKind], worker: str, now: datetime, until: datetime, limit: int
    ) -> list[Job]:
        if not kinds:
            return []
        await self._empty_outbox()
        claim = Claim(tuple(kinds), worker, now, until, limit)
        return [_job_of(row) for row in await self._writer.run(job_writes.claim_jobs, claim)]

    async def next_at(self, kinds: Collection[JobKind]) -> datetime | None:
        if not kinds:
            return None
        await self._empty_outbox()
        theirs = sa.and_(jobs.c.state == job_writes.READY, job_writes.of_kinds(tuple(kinds)))
        waiting = sa.select(jobs.c.run_at).where(theirs, jobs.c.claimed_until.is_(None))
        claimed = sa.select(jobs.c.claimed_until).where(theirs, jobs.c.claimed_until.is_not(None))
        first = await self._read(waiting.order_by(jobs.c.run_at).limit(1))
        ending = await self._read(claimed.order_by(jobs.c.claimed_until).limit(1))
        return min((row[0] for row in [*first, *ending]), default=None)

    async def complete(self, job: Job) -> None:
        await self._writer.run(job_writes.end_claims, Ended(job, None), urgent=True)

    async def put_off(self, job: Job, run_at: datetime, *, tries: int, error: str = "") -> None:
        columns = {"run_at": run_at, "tries": tries, "error": error[:LONGEST_ERROR]}
        await self._writer.run(
            job_writes.end_claims, Ended(job, job_writes.unclaimed() | columns), urgent=True
        )

    async def bury(self, job: Job, now: datetime, error: str) -> None:
        ended = Ended(job, job_writes.buried(now, error))
        await self._writer.run(job_writes.end_claims, ended, urgent=True)

    async def end_claims(self, worker: str) -> None:
        await self._writer.run(execute, job_writes.end_all_claims(worker), urgent=True)

    async def find(self, plugin: str, key: str) -> Job | None:
        await self._empty_outbox()
        this = sa.and_(job_writes.LIVING, jobs.c.plugin == plugin, jobs.c.job_key == key)
        rows = await self._read(sa.select(jobs).where(this))
        return _job_of(rows[0]) if rows else None

    async def cancel(self, plugin: str, key: str) -> bool:
        await self._empty_outbox()
        return await self._writer.run(job_writes.cancel_jobs, (plugin, key), urgent=True)

    async def dead(self, plugin: str) -> list[DeadJob]:
        await self._empty_outbox()
        theirs = sa.and_(jobs.c.state == job_writes.DEAD, jobs.c.plugin == plugin)
        rows = await self._read(sa.select(jobs).where(theirs).order_by(jobs.c.died_at, jobs.c.number))
        return [DeadJob(_job_of(row), row.died_at) for row in rows]

    async def counts(self) -> dict[str, int]:
        await self._empty_outbox()
        living = sa.func.count().filter(jobs.c.state != job_writes.DEAD).label("living")
        rows = await self._read(sa.select(jobs.c.plugin, living).group_by(jobs.c.plugin))
        return {row.plugin: row.living for row in rows}

    async def purge(self, plugin: str) -> int:
        await self._empty_outbox()
        return await self._writer.run(job_writes.purge_jobs, plugin, urgent=True)

    def on_added(self, notify: Callable[[], None]) -> None:
        self._notify = notify

    def _note_jobs(self) -> None:
        self._may_have_more = True
        self._notify()

    async def _empty_outbox(self) -> None:
        """Make jobs of all that is in the outbox. Raises StorageError."""
        async with self._emptying:
            while self._may_have_more:
                self._may_have_more = False
                more = True
                try:
                    more = await self._writer.run(hand_out, None, urgent=True)
                finally:
                    self._may_have_more |= more


def _job_of(row: sa.Row[Any]) -> Job:
    return Job(
        kind=JobKind(row.plugin, row.name),
        payload=row.payload,
        run_at=row.run_at,
        key=row.job_key,
        group=row.job_group,
        deadline=row.deadline,
        number=row.number,
        tries=row.tries,
        error=row.error,
    )
