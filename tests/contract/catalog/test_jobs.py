"""Contract of ``JobStore``."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from filebot import ports
from filebot.errors import JobQueueFull
from filebot.model import Job, JobKind, NewJob
from filebot.ports import LONGEST_ERROR, LONGEST_PAYLOAD, Catalog, JobStore
from tests.contract.catalog.samples import NOW

MAIL = JobKind("post", "mail")
PRINT = JobKind("post", "print")
OTHER = JobKind("other", "mail")
LATER = NOW + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def jobs(catalog: Catalog) -> JobStore:
    return catalog.jobs


def a_job(payload: str = "{}", kind: JobKind = MAIL, **other: Any) -> NewJob:
    return replace(NewJob(kind, payload, NOW), **other)


async def claimed(
    jobs: JobStore, *kinds: JobKind, now: datetime = NOW, limit: int = 10, worker: str = "w"
) -> list[Job]:
    return await jobs.claim(kinds or (MAIL,), worker, now, now + MINUTE, limit)


def payloads(found: list[Job]) -> list[str]:
    return [job.payload for job in found]


async def test_a_job_is_claimed_as_it_was_added(jobs: JobStore) -> None:
    berlin = timezone(timedelta(hours=2))
    new = a_job('{"to": "ä"}', key="k", group="g", deadline=LATER.astimezone(berlin))
    assert await jobs.add(replace(new, run_at=NOW.astimezone(berlin)))
    [job] = await claimed(jobs)
    assert job == Job(MAIL, '{"to": "ä"}', NOW, "k", "g", LATER, number=job.number, tries=1)
    assert job.run_at.utcoffset() == timedelta(0)


async def test_a_job_is_not_claimed_before_its_time(jobs: JobStore) -> None:
    await jobs.add(a_job(run_at=LATER))
    assert await claimed(jobs) == []
    assert await jobs.next_at([MAIL]) == LATER
    assert len(await claimed(jobs, now=LATER)) == 1


async def test_the_longest_due_job_comes_first_and_no_more_than_wanted(jobs: JobStore) -> None:
    for minutes in (1, 3, 2):
        await jobs.add(a_job(str(minutes), run_at=NOW - minutes * MINUTE))
    assert payloads(await claimed(jobs, limit=2)) == ["3", "2"]
    assert payloads(await claimed(jobs)) == ["1"]


async def test_a_claimed_job_is_nobody_elses_until_the_claim_is_over(jobs: JobStore) -> None:
    await jobs.add(a_job())
    [first] = await claimed(jobs)
    assert await claimed(jobs) == []
    assert await jobs.next_at([MAIL]) == NOW + MINUTE
    [again] = await claimed(jobs, now=NOW + MINUTE)
    assert again == replace(first, tries=2)


async def test_many_claims_at_once_give_each_job_to_one(jobs: JobStore) -> None:
    await asyncio.gather(*(jobs.add(a_job(str(number))) for number in range(20)))
    found = await asyncio.gather(*(claimed(jobs, limit=3) for _ in range(10)))
    assert sorted(payloads([job for each in found for job in each]), key=int) == list(map(str, range(20)))


async def test_kinds_that_nobody_claims_stay_untouched(jobs: JobStore) -> None:
    await jobs.add(a_job("other", OTHER, deadline=NOW))
    await jobs.add(a_job("print", PRINT))
    await jobs.add(a_job("mail"))
    assert payloads(await claimed(jobs, MAIL)) == ["mail"]
    assert await jobs.claim([], "w", NOW, LATER, 10) == []
    assert await jobs.next_at([JobKind("post", "no such")]) is None
    assert await jobs.next_at([]) is None
    assert await jobs.counts() == {"other": 1, "post": 2}
    assert await jobs.dead("other") == []
    assert payloads(await claimed(jobs, MAIL, PRINT)) == ["print"]


async def test_a_completed_job_is_gone(jobs: JobStore) -> None:
    await jobs.add(a_job())
    [job] = await claimed(jobs)
    await jobs.complete(job)
    assert await claimed(jobs, now=LATER) == []
    assert await jobs.next_at([MAIL]) is None
    assert await jobs.counts() == {}


async def test_a_job_put_off_comes_back_with_its_tries_and_error(jobs: JobStore) -> None:
    await jobs.add(a_job())
    [job] = await claimed(jobs)
    await jobs.put_off(job, LATER, tries=1, error="x" * (LONGEST_ERROR + 9))
    assert await claimed(jobs) == []
    assert await jobs.next_at([MAIL]) == LATER
    [again] = await claimed(jobs, now=LATER)
    assert (again.tries, again.error) == (2, "x" * LONGEST_ERROR)
    await jobs.put_off(again, LATER, tries=0)
    assert [(each.tries, each.error) for each in await claimed(jobs, now=LATER)] == [(1, "")]


async def test_a_claim_that_is_over_changes_nothing(jobs: JobStore) -> None:
    await jobs.add(a_job())
    [late] = await claimed(jobs)
    [holder] = await claimed(jobs, now=NOW + MINUTE)
    await jobs.complete(late)
    await jobs.bury(late, NOW, "no")
    await jobs.put_off(late, LATER, tries=0)
    assert await jobs.counts() == {"post": 1}
    await jobs.complete(holder)
    await jobs.complete(holder)
    await jobs.put_off(holder, NOW, tries=0)
    assert await jobs.counts() == {}


async def test_a_dead_job_is_visible_and_not_claimed(jobs: JobStore) -> None:
    await jobs.add(a_job("bad", key="k"))
    [job] = await claimed(jobs)
    await jobs.bury(job, LATER, "no such page")
    assert await claimed(jobs, now=LATER + MINUTE) == []
    assert await jobs.next_at([MAIL]) is None
    [dead] = await jobs.dead("post")
    assert (dead.job.payload, dead.job.error, dead.died_at) == ("bad", "no such page", LATER)
    assert await jobs.counts() == {"post": 0}
    assert await jobs.dead("other") == []
    assert await jobs.add(a_job("new", key="k"))


async def test_a_job_past_its_deadline_is_dead_and_makes_way(jobs: JobStore) -> None:
    await jobs.add(a_job("late", deadline=NOW))
    await jobs.add(a_job("in time", deadline=NOW + MINUTE))
    assert payloads(await claimed(jobs, limit=1)) == ["in time"]
    [dead] = await jobs.dead("post")
    assert (dead.job.payload, dead.job.error, dead.job.tries) == ("late", "its deadline has passed", 0)


async def test_only_the_newest_dead_jobs_are_kept(jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    bound(monkeypatch, "MOST_DEAD_OF_PLUGIN", 2)
    for number in range(4):
        await jobs.add(a_job(str(number)))
        [job] = await claimed(jobs)
        await jobs.bury(job, NOW + number * MINUTE, "")
    assert [dead.job.payload for dead in await jobs.dead("post")] == ["2", "3"]


async def test_jobs_of_a_group_are_claimed_one_after_the_other_in_order(jobs: JobStore) -> None:
    await jobs.add(a_job("1", group="g", run_at=LATER))
    await jobs.add(a_job("2", group="g"))
    await jobs.add(a_job("3", PRINT, group="g"))
    await jobs.add(a_job("alone"))
    await jobs.add(a_job("elsewhere", OTHER, group="g"))
    others = await claimed(jobs, MAIL, PRINT, OTHER)
    assert payloads(others) == ["alone", "elsewhere"]
    for each in others:
        await jobs.complete(each)
    assert await jobs.next_at([PRINT]) is None
    [first] = await claimed(jobs, MAIL, PRINT, now=LATER)
    assert first.payload == "1"
    await jobs.put_off(first, LATER, tries=1)
    [first] = await claimed(jobs, MAIL, PRINT, now=LATER)
    assert first.payload == "1"
    await jobs.bury(first, LATER, "")
    [second] = await claimed(jobs, MAIL, PRINT, now=LATER)
    await jobs.complete(second)
    assert [second.payload, *payloads(await claimed(jobs, MAIL, PRINT))] == ["2", "3"]


async def test_a_cancelled_or_late_job_lets_the_next_of_its_group_through(jobs: JobStore) -> None:
    await jobs.add(a_job("cancelled", group="g", key="k"))
    await jobs.add(a_job("late", group="g", deadline=NOW))
    await jobs.add(a_job("next", group="g"))
    assert await jobs.cancel("post", "k")
    assert payloads(await claimed(jobs)) == ["next"]
    await jobs.add(a_job("last", group="g"))
    assert await claimed(jobs) == []


async def test_a_key_is_added_once_while_its_job_lives(jobs: JobStore) -> None:
    assert await jobs.add(a_job("first", key="k"))
    assert not await jobs.add(a_job("second", PRINT, key="k"))
    assert await jobs.add(a_job("other", OTHER, key="k"))
    found = await jobs.find("post", "k")
    assert found is not None
    assert found.payload == "first"
    [job] = await claimed(jobs)
    assert not await jobs.add(a_job("third", key="k"))
    await jobs.complete(job)
    assert await jobs.find("post", "k") is None
    assert await jobs.add(a_job("fourth", key="k"))


async def test_only_a_waiting_job_is_cancelled(jobs: JobStore) -> None:
    await jobs.add(a_job(key="k"))
    assert not await jobs.cancel("post", "no such")
    assert not await jobs.cancel("other", "k")
    await claimed(jobs)
    assert not await jobs.cancel("post", "k")
    await jobs.end_claims("w")
    assert await jobs.cancel("post", "k")
    assert not await jobs.cancel("post", "k")
    assert await jobs.counts() == {}


async def test_the_claims_of_a_worker_that_is_gone_are_ended_and_their_tries_stay_counted(
    jobs: JobStore,
) -> None:
    for number in range(3):
        await jobs.add(a_job(str(number)))
    await claimed(jobs, worker="gone", limit=2)
    await claimed(jobs, worker="there")
    await jobs.end_claims("gone")
    assert [(job.payload, job.tries) for job in await claimed(jobs)] == [("0", 2), ("1", 2)]


async def test_purging_removes_a_plugins_jobs_alone(jobs: JobStore) -> None:
    await jobs.add(a_job("dead"))
    [job] = await claimed(jobs)
    await jobs.bury(job, NOW, "")
    await jobs.add(a_job("running", group="g"))
    await claimed(jobs)
    await jobs.add(a_job("waiting", group="g"))
    await jobs.add(a_job("other", OTHER))
    assert await jobs.purge("post") == 3
    assert await jobs.purge("post") == 0
    assert await jobs.counts() == {"other": 1}
    assert await jobs.dead("post") == []
    await jobs.add(a_job("new", group="g"))
    assert payloads(await claimed(jobs)) == ["new"]


async def test_a_payload_is_bounded(jobs: JobStore) -> None:
    assert await jobs.add(a_job("x" * LONGEST_PAYLOAD))
    with pytest.raises(JobQueueFull):
        await jobs.add(a_job("ä" * (LONGEST_PAYLOAD // 2) + "x"))


@pytest.mark.parametrize(
    ("name", "most", "full_for_others"),
    [
        ("MOST_JOBS_OF_PLUGIN", 3, False),
        ("MOST_BYTES_OF_PLUGIN", 30, False),
        ("MOST_JOBS", 3, True),
        ("MOST_BYTES", 30, True),
    ],
)
async def test_jobs_are_bounded(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch, name: str, most: int, full_for_others: bool
) -> None:
    bound(monkeypatch, name, most)
    for _ in range(3):
        await jobs.add(a_job("0123456789"))
    with pytest.raises(JobQueueFull):
        await jobs.add(a_job("x"))
    if full_for_others:
        with pytest.raises(JobQueueFull):
            await jobs.add(a_job("x", OTHER))
    else:
        assert await jobs.add(a_job("x", OTHER))
    [job, _, _] = await claimed(jobs)
    await jobs.bury(job, NOW, "")  # dead ones count as well
    with pytest.raises(JobQueueFull):
        await jobs.add(a_job("x"))
    await jobs.purge("post")
    assert await jobs.add(a_job("0123456789"))


async def test_who_listens_is_told_of_new_jobs_when_they_can_be_claimed(jobs: JobStore) -> None:
    told = asyncio.Event()
    jobs.on_added(told.set)
    await jobs.add(a_job())
    assert told.is_set()
    assert len(await claimed(jobs)) == 1


def bound(monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    """Set a bound of the port in both implementations."""
    assert hasattr(ports, name)
    for module in ("filebot.catalog.job_writes", "filebot.testing.jobs"):
        monkeypatch.setattr(f"{module}.{name}", value)
