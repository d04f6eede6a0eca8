"""Contract of the outbox of ``Entries``: jobs become durable with the change that they follow."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from filebot.model import Entry, JobKind, NewJob
from filebot.ports import LONGEST_PAYLOAD, Catalog
from tests.contract.catalog.samples import ALICE, BOB, NOW, ROOM, a_file, put

TELL = JobKind("post", "tell")


def told(payload: str) -> NewJob:
    return NewJob(TELL, payload, NOW)


def of_entry(entry: Entry) -> Sequence[NewJob]:
    return [told(f"{entry.id} {entry.name} {entry.owner}")]


async def jobs(catalog: Catalog) -> list[str]:
    claimed = await catalog.jobs.claim([TELL], "w", NOW, NOW + timedelta(minutes=1), 1000)
    return [job.payload for job in claimed]


async def test_a_change_brings_its_jobs_with_it(catalog: Catalog) -> None:
    entry = await catalog.add(a_file("a"), outbox=of_entry)
    await catalog.rename(entry.id, "b", NOW, outbox=of_entry)
    await catalog.remove(entry.id, outbox=of_entry)
    owner = ALICE.owner
    assert await jobs(catalog) == [f"1 a {owner}", f"1 b {owner}", f"1 b {owner}"]


async def test_changes_of_many_entries_bring_the_jobs_of_all(catalog: Catalog) -> None:
    await put(catalog, "a", "b")
    assert ALICE.owner is not None
    assert BOB.owner is not None
    await catalog.hand_over(
        ALICE.owner, BOB.owner, 10, outbox=lambda handed: [job for each in handed for job in of_entry(each)]
    )
    assert await jobs(catalog) == [f"1 a {BOB.owner}", f"2 b {BOB.owner}"]
    assert ROOM.room is not None
    room = await put(catalog, "c", "d", scope=ROOM)
    await catalog.release(
        ROOM.room,
        10,
        outbox=lambda released: [
            told(f"{before.room} {after and after.room} {before.name}") for before, after in released
        ],
    )
    assert await jobs(catalog) == [f"{ROOM.room} None {each.name}" for each in room]


async def test_an_adoption_brings_its_jobs_with_it(catalog: Catalog) -> None:
    entry = await catalog.add(a_file("a"))
    await catalog.adopt(entry.id, outbox=lambda _: [told("adopted")])
    assert await jobs(catalog) == ["adopted"]


async def test_where_nothing_is_changed_no_job_comes(catalog: Catalog) -> None:
    await catalog.rename(7, "b", NOW, outbox=of_entry)
    await catalog.remove(7, outbox=of_entry)
    assert await jobs(catalog) == []


async def test_many_changes_at_once_bring_one_job_each(catalog: Catalog) -> None:
    added = await asyncio.gather(
        *(catalog.add(a_file(f"{number}", blob=number), outbox=of_entry) for number in range(150))
    )
    assert sorted(await jobs(catalog)) == sorted(job.payload for entry in added for job in of_entry(entry))


async def test_a_job_without_a_place_is_left_out_and_the_change_stays(
    catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await catalog.add(
        a_file("a"), outbox=lambda _: [told("x" * (LONGEST_PAYLOAD + 1)), told("fits")]
    )
    assert await catalog.entry(entry.id) == entry
    assert await jobs(catalog) == ["fits"]
    assert "no place for job tell of plugin post" in caplog.text


async def test_a_change_that_fails_brings_no_job(catalog: Catalog) -> None:
    def fail(_: Entry) -> Sequence[NewJob]:
        raise ValueError("a bug")

    changes: list[Callable[[], Awaitable[Any]]] = [
        lambda: catalog.add(a_file("good"), outbox=of_entry),
        lambda: catalog.add(a_file("bad"), outbox=fail),
        lambda: catalog.add(a_file("fine"), outbox=of_entry),
    ]
    results = await asyncio.gather(*(change() for change in changes), return_exceptions=True)
    assert [type(result) for result in results] == [Entry, ValueError, Entry]
    assert [entry.name for entry in await catalog.page(ALICE, limit=9)] == ["fine", "good"]
    assert len(await jobs(catalog)) == 2


async def test_who_listens_is_told_of_jobs_that_came_with_a_change(catalog: Catalog) -> None:
    told_of = asyncio.Event()
    catalog.jobs.on_added(told_of.set)
    await catalog.add(a_file("a"))
    await catalog.add(a_file("a"), outbox=lambda _: ())
    await asyncio.sleep(0)
    assert not told_of.is_set()
    await catalog.add(a_file("a"), outbox=of_entry)
    async with asyncio.timeout(5):
        await told_of.wait()
    assert len(await jobs(catalog)) == 1
