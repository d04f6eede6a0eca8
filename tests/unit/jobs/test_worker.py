"""The worker, in virtual time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from filebot.errors import StorageFull
from filebot.jobs.schedules import Every, Schedule
from filebot.jobs.worker import (
    CLAIM_MARGIN_S,
    LIMIT_S,
    MOST_RUNNING,
    MOST_RUNNING_OF_PLUGIN,
    MOST_TRIES,
    SETTLE_S,
    JobWorker,
    Work,
)
from filebot.model import Job, JobKind, NewJob
from filebot.testing.jobs import MemoryJobs
from tests.support.virtual_time import in_virtual_time
from tests.support.waiting import loop_turns

BEGIN = datetime(2026, 11, 30, tzinfo=UTC)
MAIL = JobKind("post", "mail")
HOUR_S = 3600.0


def clock() -> datetime:
    return BEGIN + timedelta(seconds=asyncio.get_running_loop().time())


class Lab:
    """A worker, its queue, and what was done."""

    def __init__(self, store: MemoryJobs | None = None) -> None:
        self.store = store or MemoryJobs()
        self.worker = JobWorker(self.store, clock)
        self.done: list[tuple[float, str]] = []
        self.works: list[Work] = []

    def does(
        self,
        kind: JobKind = MAIL,
        run: Callable[[Job], Awaitable[None]] | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        async def note(job: Job) -> None:
            self.done.append((asyncio.get_running_loop().time(), job.payload))
            if run is not None:
                await run(job)

        self.works.append(Work(kind, note, schedule=schedule))
        self.worker.replace(self.works)

    async def add(
        self, payload: str = "{}", kind: JobKind = MAIL, after_s: float = 0.0, **other: Any
    ) -> None:
        await self.store.add(NewJob(kind, payload, clock() + timedelta(seconds=after_s), **other))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.worker.run())
        yield
        await self.worker.close(timeout_s=0.0)
        await task

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.done]


@in_virtual_time
async def test_a_job_is_done_when_it_is_due() -> None:
    lab = Lab()
    lab.does()
    async with lab.running():
        await lab.add("later", after_s=20 * HOUR_S)
        await lab.add("soon", after_s=5.0)
        await asyncio.sleep(21 * HOUR_S)
    assert lab.done == [(5.0, "soon"), (20 * HOUR_S, "later")]
    assert await lab.store.counts() == {}


@in_virtual_time
async def test_a_job_added_while_the_worker_sleeps_wakes_it_after_the_answers() -> None:
    lab = Lab()
    lab.does()
    async with lab.running():
        await asyncio.sleep(7.0)
        await lab.add()
        await loop_turns()
        assert lab.times == []
        await asyncio.sleep(2 * SETTLE_S)
        assert lab.times == [7.0 + SETTLE_S]


@in_virtual_time
async def test_jobs_that_are_added_together_wake_the_worker_once() -> None:
    lab = Lab()
    lab.does()
    asked = 0
    claim = lab.store.claim

    async def counted(*arguments: Any) -> list[Job]:
        nonlocal asked
        asked += 1
        return await claim(*arguments)

    lab.store.claim = counted  # type: ignore[method-assign, assignment]
    async with lab.running():
        await asyncio.sleep(7.0)
        for number in range(MOST_RUNNING_OF_PLUGIN):
            await lab.add(str(number))
            await loop_turns()
        await asyncio.sleep(2 * SETTLE_S)
    assert len(lab.done) == MOST_RUNNING_OF_PLUGIN
    assert asked == 1


@in_virtual_time
async def test_an_idle_worker_asks_nothing() -> None:
    lab = Lab()
    lab.does()
    asked: list[float] = []
    ask = lab.store.next_at

    async def counted(kinds: Any) -> datetime | None:
        asked.append(asyncio.get_running_loop().time())
        return await ask(kinds)

    lab.store.next_at = counted  # type: ignore[method-assign]
    async with lab.running():
        await asyncio.sleep(1000 * HOUR_S)
    assert set(asked) == {0.0}


@in_virtual_time
async def test_a_failing_job_is_tried_again_ever_later_and_then_dead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: Job) -> None:
        raise ValueError("no paper")

    lab = Lab()
    lab.does(run=fail)
    async with lab.running():
        await lab.add()
        await asyncio.sleep(100 * HOUR_S)
    pauses = [after - before for before, after in zip(lab.times, lab.times[1:], strict=False)]
    assert len(lab.times) == MOST_TRIES
    assert pauses == sorted(pauses)
    assert 7.5 <= pauses[0] <= 10.0
    assert pauses[-1] > 1000.0
    [dead] = await lab.store.dead("post")
    assert (dead.job.error, dead.job.tries) == ("ValueError: no paper", MOST_TRIES)
    assert "job mail of plugin post is given up after 10 tries: plugin post, " in caplog.text
    assert ": ValueError: no paper" in caplog.text


@in_virtual_time
async def test_a_job_that_never_ends_is_cut_off_and_tried_again() -> None:
    async def hang(job: Job) -> None:
        if job.tries == 1:
            await asyncio.Event().wait()

    lab = Lab()
    lab.does(run=hang)
    async with lab.running():
        await lab.add()
        await asyncio.sleep(LIMIT_S + 1)
        [job] = lab.store._living.values()
        assert job.error == "job mail of plugin post took over 60 s"
        await asyncio.sleep(LIMIT_S)
    assert len(lab.times) == 2
    assert await lab.store.counts() == {}


@in_virtual_time
async def test_no_more_run_at_once_than_may_and_no_plugin_takes_all_places() -> None:
    running, most, gate = set[str](), list[set[str]](), asyncio.Event()

    async def wait(job: Job) -> None:
        running.add(job.payload)
        most.append(set(running))
        await gate.wait()
        running.discard(job.payload)

    lab = Lab()
    kinds = [JobKind(plugin, "work") for plugin in ("a", "b", "c")]
    for kind in kinds:
        lab.does(kind, wait)
    for kind in kinds:
        for number in range(20):
            await lab.add(f"{kind.plugin}{number}", kind)
    async with lab.running():
        await loop_turns(200)
        assert len(running) == MOST_RUNNING
        assert sum(each.startswith("a") for each in running) == MOST_RUNNING_OF_PLUGIN
        gate.set()
        await asyncio.sleep(1.0)
    assert max(map(len, most)) == MOST_RUNNING
    assert len(lab.done) == 60
    assert await lab.store.counts() == {}


@in_virtual_time
async def test_a_group_is_done_in_order_although_one_of_it_fails_once() -> None:
    async def fail_once(job: Job) -> None:
        if job.payload == "1" and job.tries == 1:
            raise ValueError

    lab = Lab()
    lab.does(run=fail_once)
    async with lab.running():
        for number in range(4):
            await lab.add(str(number), group="g")
        await asyncio.sleep(HOUR_S)
    assert [payload for _, payload in lab.done] == ["0", "1", "1", "2", "3"]


@in_virtual_time
async def test_kinds_that_it_does_not_know_stay() -> None:
    lab = Lab()
    lab.does()
    async with lab.running():
        await lab.add(kind=JobKind("off", "mail"))
        await lab.add(kind=JobKind("post", "unknown"))
        await asyncio.sleep(HOUR_S)
    assert lab.done == []
    assert await lab.store.counts() == {"off": 1, "post": 1}


@in_virtual_time
async def test_a_stop_lets_a_job_end_or_gives_it_back_with_its_tries() -> None:
    async def work(job: Job) -> None:
        await asyncio.sleep(3.0 if job.payload == "quick" else 1000.0)

    lab = Lab()
    lab.does(run=work)
    await lab.add("quick")
    await lab.add("slow")
    task = asyncio.create_task(lab.worker.run())
    await loop_turns()
    await lab.worker.close(timeout_s=5.0)
    await task
    assert asyncio.get_running_loop().time() == 5.0
    [job] = lab.store._living.values()
    assert (job.payload, job.tries) == ("slow", 0)
    later = Lab(lab.store)
    later.does()
    await later.worker.run_due()
    assert later.done == [(5.0, "slow")]


@in_virtual_time
async def test_what_a_killed_run_had_begun_is_done_again_at_once() -> None:
    lab = Lab()
    lab.does()
    await lab.add()
    await lab.store.claim([MAIL], "filebot", clock(), clock() + timedelta(days=1), 1)
    async with lab.running():
        await loop_turns()
        assert lab.times == [0.0]


@in_virtual_time
async def test_a_job_that_kills_the_bot_at_each_try_is_dead_in_the_end() -> None:
    store = MemoryJobs()
    await store.add(NewJob(MAIL, "bomb", clock()))
    for _ in range(MOST_TRIES):
        await store.claim([MAIL], "filebot", clock(), clock() + timedelta(days=1), 1)
        await store.end_claims("filebot")
    lab = Lab(store)
    lab.does()
    await lab.worker.run_due()
    assert lab.done == []
    [dead] = await store.dead("post")
    assert dead.job.error == "the bot was killed while it was done"


@in_virtual_time
async def test_a_job_whose_end_cannot_be_noted_is_done_once_more() -> None:
    lab = Lab()
    lab.does()
    complete, failures = lab.store.complete, [StorageFull()]

    async def fail_once(job: Job) -> None:
        if failures:
            raise failures.pop()
        await complete(job)

    lab.store.complete = fail_once  # type: ignore[method-assign]
    async with lab.running():
        await lab.add()
        await asyncio.sleep(HOUR_S)
    assert lab.times == [0.0, LIMIT_S + CLAIM_MARGIN_S]
    assert await lab.store.counts() == {}


@in_virtual_time
async def test_a_schedule_is_kept_and_what_was_missed_is_done_once() -> None:
    nightly = JobKind("post", "schedule empty")
    lab = Lab()
    lab.does(nightly, schedule=Every(timedelta(hours=1)))
    async with lab.running():
        await asyncio.sleep(2.5 * HOUR_S)
    await asyncio.sleep(5 * HOUR_S)  # nobody is there
    later = Lab(lab.store)
    later.does(nightly, schedule=Every(timedelta(hours=1)))
    async with later.running():
        await asyncio.sleep(HOUR_S)
    assert [at / HOUR_S for at in lab.times] == [1.0, 2.0]
    assert [at / HOUR_S for at in later.times] == [7.5, 8.0]


@in_virtual_time
async def test_a_changed_rule_of_a_schedule_holds_from_the_next_start() -> None:
    nightly = JobKind("post", "schedule empty")
    lab = Lab()
    for hours in (31 * 24, 1):
        lab = Lab(lab.store)
        lab.does(nightly, schedule=Every(timedelta(hours=hours)))
        async with lab.running():
            await asyncio.sleep(2.5 * HOUR_S)
    assert [at / HOUR_S for at in lab.times] == [3.5, 4.5]
    assert await lab.store.counts() == {"post": 1}


@in_virtual_time
async def test_a_schedule_that_has_no_place_keeps_no_other_job_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("filebot.testing.jobs.MOST_JOBS_OF_PLUGIN", 1)
    lab = Lab()
    lab.does()
    lab.does(JobKind("post", "schedule empty"), schedule=Every(timedelta(hours=1)))
    await lab.add("mail")
    await lab.worker.run_due()
    assert [payload for _, payload in lab.done] == ["mail"]
    assert "a schedule is left out until the next start: no place for job schedule empty" in caplog.text


@in_virtual_time
async def test_a_failing_schedule_is_tried_again_and_never_dead(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_: Job) -> None:
        raise ValueError("no paper")

    lab = Lab()
    lab.does(JobKind("post", "schedule empty"), fail, Every(timedelta(minutes=2)))
    with caplog.at_level(logging.ERROR):
        async with lab.running():
            await asyncio.sleep(HOUR_S)
    assert lab.times[0] == 120.0
    assert all(after - before < 121.0 for before, after in zip(lab.times, lab.times[1:], strict=False))
    assert len(lab.times) > 60
    assert (
        "job schedule empty of plugin post failed and waits for its next time: plugin post" in caplog.text
    )
    assert "ValueError: no paper" in caplog.text
    assert await lab.store.dead("post") == []
    assert await lab.store.counts() == {"post": 1}


@in_virtual_time
async def test_jobs_that_wait_are_done_by_the_works_that_replaced_the_earlier_ones() -> None:
    lab, others = Lab(), Lab()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: Job) -> None:
        begun.set()
        await go_on.wait()

    lab.does(run=wait)
    others.does()
    async with lab.running():
        await lab.add("runs")
        await begun.wait()
        await lab.add("waits", after_s=10)
        lab.worker.replace(others.works)
        await asyncio.sleep(20)
        go_on.set()
        await asyncio.sleep(1)
    assert lab.done == [(0, "runs")]  # it ended as it began
    assert others.done == [(10, "waits")]
    assert await lab.store.counts() == {}


@in_virtual_time
async def test_a_schedule_of_another_rule_is_due_by_it_and_one_of_the_same_rule_as_before() -> None:
    hourly, stays = JobKind("post", "hourly"), JobKind("post", "stays")
    lab, others = Lab(), Lab()
    lab.does(hourly, schedule=Every.parse("1h"))
    lab.does(stays, schedule=Every.parse("1h", at_start=True))
    others.does(hourly, schedule=Every.parse("2h"))
    others.does(stays, schedule=Every.parse("1h", at_start=True))
    async with lab.running():
        await asyncio.sleep(HOUR_S / 2)
        lab.worker.replace(others.works)
        await asyncio.sleep(2.6 * HOUR_S)
    assert [at / HOUR_S for at in others.times] == [1, 2, 2.5, 3]
    assert await lab.store.counts() == {"post": 2}
