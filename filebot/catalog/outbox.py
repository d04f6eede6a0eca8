"""Outbox: jobs that changes have brought, one row for each transaction until somebody asks for jobs.

Ten listeners of one event are ten jobs with the same payload. In the table of jobs each is a row with four
indexes, and whoever made the change waits for the commit; here they are one row with the payload once.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog.job_writes import add_jobs
from filebot.catalog.prepared import Prepared
from filebot.catalog.schema import outbox
from filebot.model import JobKind, NewJob

log = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 20
"""Rows that become jobs in one transaction: others wait for it."""

_INSERT: Final = Prepared(sa.insert(outbox), ("jobs",))
_OLDEST: Final = sa.select(outbox).order_by(outbox.c.number).limit(ROWS_AT_ONCE)


async def keep_jobs(connection: AsyncConnection, new: Sequence[NewJob]) -> None:
    """Keep jobs in the outbox, in their order."""
    groups = [
        (*shared, [(job.kind.plugin, job.kind.name, job.key) for job in jobs])
        for shared, jobs in groupby(new, key=_shared)
    ]
    text = json.dumps(groups, separators=(",", ":"), ensure_ascii=False)
    await _INSERT.execute(connection, [{"jobs": text}])


async def hand_out(connection: AsyncConnection, times: Sequence[None]) -> list[bool]:
    """Make jobs of the oldest rows; tell whether there may be more of them."""
    return [await _hand_out(connection) for _ in times]


async def _hand_out(connection: AsyncConnection) -> bool:
    rows = (await connection.execute(_OLDEST)).all()
    if not rows:
        return False
    new = [job for row in rows for job in _jobs_of(row.jobs)]
    for each, added in zip(new, await add_jobs(connection, new), strict=True):
        if added is None:  # the change was worth more than what was to follow it
            log.error("no place for job %s of plugin %s", each.kind.name, each.kind.plugin)
    await connection.execute(sa.delete(outbox).where(outbox.c.number <= rows[-1].number))
    return len(rows) == ROWS_AT_ONCE


def _shared(job: NewJob) -> tuple[str, str, str | None, str | None]:
    """Return what neighbours may have in common."""
    deadline = None if job.deadline is None else job.deadline.isoformat()
    return job.payload, job.run_at.isoformat(), job.group, deadline


def _jobs_of(text: str) -> Iterator[NewJob]:
    groups: list[tuple[str, str, str | None, str | None, list[tuple[str, str, str | None]]]] = json.loads(
        text
    )
    for payload, run_at, group, deadline, kinds in groups:
        moments: dict[str, Any] = {
            "run_at": datetime.fromisoformat(run_at),
            "deadline": None if deadline is None else datetime.fromisoformat(deadline),
        }
        for plugin, name, key in kinds:
            yield NewJob(JobKind(plugin, name), payload, key=key, group=group, **moments)
