"""Operations on jobs for the writer, and the statements that they execute.

Which job of a group may be claimed is kept in its row: to look for older ones at each claim would take
longer the more jobs a group has. Whatever ends a job makes the next one of its group ready.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog import upserts
from filebot.catalog.prepared import Prepared
from filebot.catalog.schema import job_sums, jobs
from filebot.model import Job, JobKind, NewJob
from filebot.ports import (
    LONGEST_ERROR,
    LONGEST_PAYLOAD,
    MOST_BYTES,
    MOST_BYTES_OF_PLUGIN,
    MOST_DEAD_OF_PLUGIN,
    MOST_JOBS,
    MOST_JOBS_OF_PLUGIN,
)

READY: Final = "ready"
BLOCKED: Final = "blocked"
DEAD: Final = "dead"

LATE: Final = "its deadline has passed"

LIVING: Final = sa.text("state <> 'dead'")
"""Written out: only so does SQLite use an index that has this condition."""

_older = jobs.alias()
_IS_BLOCKED: Final = sa.exists().where(
    _older.c.plugin == sa.bindparam("of_plugin"),
    _older.c.job_group == sa.bindparam("of_group"),
    _older.c.state != DEAD,
)
_PARAMETERS: Final = (
    *("plugin", "name", "run_at", "job_key", "job_group", "deadline", "payload"),
    *("of_plugin", "of_group"),
)
_INSERT: Final = Prepared(
    upserts.insert_unless_there(jobs).values(
        state=sa.case((_IS_BLOCKED, BLOCKED), else_=READY), tries=0, error=""
    ),
    _PARAMETERS,
)
_SUMS: Final = Prepared(sa.select(job_sums.c.plugin, job_sums.c.jobs, job_sums.c.used_bytes))


@dataclass(frozen=True, slots=True)
class Claim:
    """Wish of a worker to claim jobs, see ``JobStore.claim``."""

    kinds: tuple[JobKind, ...]
    worker: str
    now: datetime
    until: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class Ended:
    """End of a claim: columns that change, or None if the job is done."""

    job: Job
    columns: dict[str, Any] | None


class _Space:
    """Space that is left, counted down while jobs are added."""

    def __init__(self, sums: Sequence[tuple[str, int, int]]) -> None:
        self._of = {plugin: (count, used_bytes) for plugin, count, used_bytes in sums}
        self._jobs = sum(count for _, count, _ in sums)
        self._bytes = sum(used_bytes for _, _, used_bytes in sums)

    def has_place(self, new: NewJob) -> bool:
        """Tell whether the job fits, and count it if so."""
        size = len(new.payload.encode())
        jobs_of, bytes_of = self._of.get(new.kind.plugin, (0, 0))
        if (
            size > LONGEST_PAYLOAD
            or jobs_of >= MOST_JOBS_OF_PLUGIN
            or bytes_of + size > MOST_BYTES_OF_PLUGIN
            or self._jobs >= MOST_JOBS
            or self._bytes + size > MOST_BYTES
        ):
            return False
        self._of[new.kind.plugin] = jobs_of + 1, bytes_of + size
        self._jobs += 1
        self._bytes += size
        return True


async def add_jobs(connection: AsyncConnection, new: Sequence[NewJob]) -> list[bool | None]:
    """Add jobs; tell of each whether it was added: False for its key, None where there is no space."""
    space = _Space(await _SUMS.all(connection))
    fit = [space.has_place(each) for each in new]
    rows = [_columns(each) for each, fits in zip(new, fit, strict=True) if fits]
    if rows and all(row["job_key"] is None for row in rows):
        await _INSERT.execute(connection, rows)
        return [fits or None for fits in fit]
    added = iter([await _INSERT.changes(connection, row) for row in rows])
    return [next(added) if fits else None for fits in fit]


async def claim_jobs(connection: AsyncConnection, claims: Sequence[Claim]) -> list[list[sa.Row[Any]]]:
    """Claim jobs for workers, and bury those that are too late."""
    return [await _claim(connection, claim) for claim in claims]


async def _claim(connection: AsyncConnection, claim: Claim) -> list[sa.Row[Any]]:
    claimed: list[sa.Row[Any]] = []
    due = (
        sa.select(jobs)
        .where(jobs.c.state == READY, jobs.c.run_at <= claim.now, of_kinds(claim.kinds))
        .where(sa.or_(jobs.c.claimed_until.is_(None), jobs.c.claimed_until <= claim.now))
        .order_by(jobs.c.run_at, jobs.c.number)
    )
    while len(claimed) < claim.limit:
        rows = (await connection.execute(due.limit(claim.limit - len(claimed)))).all()
        for row in rows:
            this = sa.update(jobs).where(jobs.c.number == row.number)
            if row.deadline is not None and row.deadline <= claim.now:
                await connection.execute(this.values(buried(claim.now, LATE)))
                await _after(connection, row.plugin, row.job_group, died=True)
            else:
                columns = {"worker": claim.worker, "claimed_until": claim.until, "tries": row.tries + 1}
                claimed.append((await connection.execute(this.values(columns).returning(jobs))).one())
        if not rows:
            break
    return claimed


async def end_claims(connection: AsyncConnection, ended: Sequence[Ended]) -> list[None]:
    """End claims that are still held; what comes of the others is ignored."""
    for each in ended:
        held = sa.and_(
            jobs.c.number == each.job.number,
            jobs.c.tries == each.job.tries,
            jobs.c.claimed_until.is_not(None),
        )
        if each.columns is None:
            change: Any = sa.delete(jobs).where(held).returning(jobs.c.number)
        else:
            change = sa.update(jobs).where(held).values(each.columns).returning(jobs.c.number)
        if (await connection.execute(change)).one_or_none() is not None:
            died = each.columns is not None and each.columns.get("state") == DEAD
            if each.columns is None or died:
                await _after(connection, each.job.kind.plugin, each.job.group, died=died)
    return [None] * len(ended)


async def cancel_jobs(connection: AsyncConnection, keys: Sequence[tuple[str, str]]) -> list[bool]:
    """Remove living jobs that are not claimed, by plugin and key."""
    found: list[bool] = []
    for plugin, key in keys:
        this = sa.and_(LIVING, jobs.c.plugin == plugin, jobs.c.job_key == key)
        change = sa.delete(jobs).where(this, jobs.c.claimed_until.is_(None)).returning(jobs.c.job_group)
        row = (await connection.execute(change)).one_or_none()
        found.append(row is not None)
        if row is not None:
            await _after(connection, plugin, row.job_group, died=False)
    return found


async def purge_jobs(connection: AsyncConnection, plugins: Sequence[str]) -> list[int]:
    """Remove all jobs of plugins."""
    return [
        (await connection.execute(sa.delete(jobs).where(jobs.c.plugin == plugin))).rowcount
        for plugin in plugins
    ]


def end_all_claims(worker: str) -> sa.Update:
    """End the claims of a worker."""
    return sa.update(jobs).where(jobs.c.worker == worker).values(unclaimed())


def unclaimed() -> dict[str, Any]:
    """Return the columns of a job that nobody has claimed."""
    return {"worker": None, "claimed_until": None}


def buried(now: datetime, error: str) -> dict[str, Any]:
    """Return the columns of a dead job."""
    return unclaimed() | {"state": DEAD, "died_at": now, "error": error[:LONGEST_ERROR]}


def of_kinds(kinds: Sequence[JobKind]) -> sa.ColumnElement[bool]:
    """Compare: the job is of one of these kinds."""
    return sa.tuple_(jobs.c.plugin, jobs.c.name).in_([(each.plugin, each.name) for each in kinds])


async def _after(connection: AsyncConnection, plugin: str, group: str | None, *, died: bool) -> None:
    """Make the next job of a group ready; forget the oldest dead ones of a plugin that has one more."""
    if group is not None:
        here = sa.and_(jobs.c.plugin == plugin, jobs.c.job_group == group, jobs.c.state != DEAD)
        first = sa.select(sa.func.min(jobs.c.number)).where(here).scalar_subquery()
        await connection.execute(sa.update(jobs).where(jobs.c.number == first).values(state=READY))
    if died:
        theirs = sa.and_(jobs.c.state == DEAD, jobs.c.plugin == plugin)
        newest = (
            sa.select(jobs.c.number).where(theirs).order_by(jobs.c.died_at.desc(), jobs.c.number.desc())
        )
        kept = newest.limit(MOST_DEAD_OF_PLUGIN)
        await connection.execute(sa.delete(jobs).where(theirs, jobs.c.number.not_in(kept)))


def _columns(new: NewJob) -> dict[str, Any]:
    return {
        "plugin": new.kind.plugin,
        "name": new.kind.name,
        "run_at": new.run_at,
        "job_key": new.key,
        "job_group": new.group,
        "deadline": new.deadline,
        "payload": new.payload,
        "of_plugin": new.kind.plugin,
        "of_group": new.group,
    }
