"""Jobs that changes bring are one row until somebody asks for jobs."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.catalog.outbox import ROWS_AT_ONCE
from filebot.model import BlobRef, Entry, JobKind, NewEntry, NewJob
from filebot.ports import Catalog

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("a", "anna@example.org", None, "", BlobRef("0" * 64, 1), "text/plain", NOW)
KINDS = [JobKind(f"plugin{number}", "tell") for number in range(10)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


def jobs_about(entry: Entry) -> list[NewJob]:
    return [NewJob(kind, "long" * 100, NOW, group=f"entry {entry.id}") for kind in KINDS]


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as catalog:
        return int(catalog.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def claimed(catalog: Catalog) -> list[tuple[JobKind, str, str | None]]:
    jobs = await catalog.jobs.claim(KINDS, "worker", NOW, NOW + timedelta(minutes=1), 1000)
    return [(job.kind, job.payload, job.group) for job in jobs]


async def test_ten_jobs_of_a_change_are_one_row_until_somebody_asks(path: Path) -> None:
    async with open_catalog(path) as catalog:
        entry = await catalog.add(NEW, outbox=jobs_about)
        assert (count(path, "outbox"), count(path, "jobs")) == (1, 0)
        assert await claimed(catalog) == [
            (each.kind, each.payload, each.group) for each in jobs_about(entry)
        ]
        assert (count(path, "outbox"), count(path, "jobs")) == (0, 10)


async def test_times_are_written_as_in_all_other_tables(path: Path) -> None:
    async with open_catalog(path) as catalog:
        await catalog.jobs.add(NewJob(KINDS[0], "", NOW.replace(microsecond=0), deadline=NOW))
    with closing(sqlite3.connect(path)) as read:
        [(run_at, deadline)] = read.execute("SELECT run_at, deadline FROM jobs").fetchall()
    assert run_at == f"{NOW:%Y-%m-%d %H:%M:%S}.000000"
    assert deadline == f"{NOW:%Y-%m-%d %H:%M:%S.%f}"


async def test_what_an_earlier_run_kept_is_found(path: Path) -> None:
    async with open_catalog(path) as catalog:
        await catalog.add(NEW, outbox=jobs_about)
    async with open_catalog(path) as catalog:
        assert await catalog.jobs.next_at(KINDS) == NOW
        assert len(await claimed(catalog)) == 10


async def test_everything_of_a_job_is_kept(path: Path) -> None:
    kind, later = KINDS[0], NOW + timedelta(microseconds=1)
    new = [
        NewJob(kind, '"\u20ac"', later, key="k", group=None, deadline=NOW + timedelta(days=1)),
        NewJob(kind, '"\u20ac"', later, key="k"),  # is left out: it has the key of the one before
        NewJob(kind, "2", NOW, group="g"),
    ]
    async with open_catalog(path) as catalog:
        await catalog.add(NEW, outbox=lambda _: new)
        kept = await catalog.jobs.claim([kind], "worker", later, NOW + timedelta(minutes=1), 10)
    found = [
        NewJob(each.kind, each.payload, each.run_at, each.key, each.group, each.deadline) for each in kept
    ]
    assert found == [new[2], new[0]]


async def test_a_job_that_is_added_later_comes_behind_those_of_its_group(path: Path) -> None:
    async with open_catalog(path) as catalog:
        entry = await catalog.add(NEW, outbox=jobs_about)
        await catalog.jobs.add(replace(jobs_about(entry)[0], payload="second"))
        assert "second" not in {payload for _, payload, _ in await claimed(catalog)}


async def test_many_changes_become_jobs_a_few_at_a_time_and_all_of_them(path: Path) -> None:
    async with open_catalog(path) as catalog:
        for number in range(ROWS_AT_ONCE + 1):
            await catalog.add(replace(NEW, name=str(number)), outbox=jobs_about)
        assert sum((await catalog.jobs.counts()).values()) == 10 * (ROWS_AT_ONCE + 1)
        assert count(path, "outbox") == 0
