"""Background tasks have an owner that bounds them, hears their errors and ends them.

Work that is to go on as long as the bot does, goes on.
"""

import asyncio
import logging
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from filebot.app import assembled
from filebot.concurrency.tasks import FIRST_PAUSE_S, LONGEST_PAUSE_S, Tasks, race, run_supervised
from filebot.config import load
from filebot.files.trusted_time import TrustedTime
from filebot.storage.disk import DiskStore
from tests.support.virtual_time import in_virtual_time


class Work:
    """Waits to be let go on; remembers how it ended."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.outcome = ""

    async def __call__(self, error: Exception | None = None) -> None:
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.outcome = "cancelled"
            raise
        self.outcome = "done"
        if error is not None:
            raise error


async def test_close_cancels_what_runs() -> None:
    tasks, work = Tasks(2), Work()
    assert tasks.start(work(), "work")
    await asyncio.sleep(0)
    await tasks.close()
    assert work.outcome == "cancelled"


async def test_more_than_the_limit_is_not_run(caplog: pytest.LogCaptureFixture) -> None:
    tasks, work = Tasks(1), Work()
    assert tasks.start(work(), "first")
    assert not tasks.start(work(), "second")
    assert not await tasks.run(work(), "third")
    assert caplog.messages == [
        f"{name} is not started: 1 tasks are running" for name in ("second", "third")
    ]
    await tasks.close()


async def test_an_error_of_background_work_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tasks, work = Tasks(1), Work()
    tasks.start(work(ValueError("odd")), "the work")
    work.go_on.set()
    await tasks.idle()
    await asyncio.sleep(0)
    assert [(each.levelno, each.getMessage()) for each in caplog.records] == [
        (logging.ERROR, "the work failed")
    ]


async def test_an_error_of_awaited_work_goes_to_the_caller_alone(caplog: pytest.LogCaptureFixture) -> None:
    tasks, work = Tasks(1), Work()
    work.go_on.set()
    with pytest.raises(ValueError, match="odd"):
        await tasks.run(work(ValueError("odd")), "the work")
    assert not caplog.records


async def test_awaited_work_goes_on_without_its_caller(caplog: pytest.LogCaptureFixture) -> None:
    tasks, work = Tasks(1), Work()
    caller = asyncio.create_task(tasks.run(work(ValueError("odd")), "the work"))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    assert work.outcome == ""
    work.go_on.set()
    await tasks.idle()
    await asyncio.sleep(0)
    assert work.outcome == "done"
    assert caplog.messages == ["the work failed"]


async def test_awaited_work_that_is_cancelled_cancels_its_caller() -> None:
    tasks, work = Tasks(1), Work()
    caller = asyncio.create_task(tasks.run(work(), "the work"))
    await asyncio.sleep(0)
    await tasks.close()
    await asyncio.gather(caller, return_exceptions=True)
    assert caller.cancelled()


async def test_a_race_ends_with_its_first_and_cancels_the_rest() -> None:
    fast, slow = Work(), Work()
    fast.go_on.set()
    await race(slow(), fast())
    assert (fast.outcome, slow.outcome) == ("done", "cancelled")
    with pytest.raises(ValueError, match="odd"):
        await race(fast(ValueError("odd")), slow())


async def test_a_race_that_is_cancelled_cancels_all() -> None:
    one, other = Work(), Work()
    racing = asyncio.create_task(race(one(), other()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    racing.cancel()
    await asyncio.gather(racing, return_exceptions=True)
    assert (one.outcome, other.outcome) == ("cancelled", "cancelled")


class FailingWork:
    """Fails some times after some seconds."""

    def __init__(self, failures: int, after_s: float = 0.0) -> None:
        self.failures = failures
        self.after_s = after_s
        self.began: list[float] = []

    async def __call__(self) -> str:
        self.began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.after_s)
        if len(self.began) <= self.failures:
            raise RuntimeError("a bug")
        return "done"

    def pauses(self) -> list[float]:
        begins = zip(self.began, self.began[1:], strict=False)
        return [round(later - earlier - self.after_s, 3) for earlier, later in begins]


@in_virtual_time
async def test_after_an_error_it_goes_on_and_waits_longer_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = FailingWork(9)
    assert await run_supervised(work, "the work") == "done"
    assert work.pauses() == [min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n in range(9)]
    assert "the work failed" in caplog.text
    assert "RuntimeError: a bug" in caplog.text


@in_virtual_time
async def test_what_went_well_for_long_is_not_waited_for_long() -> None:
    work = FailingWork(9, after_s=LONGEST_PAUSE_S + 1)
    await run_supervised(work, "the work")
    assert work.pauses() == [FIRST_PAUSE_S] * 9


@in_virtual_time
async def test_supervised_task_can_be_ended() -> None:
    task = asyncio.create_task(run_supervised(partial(asyncio.sleep, 10**6), "the work"))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_the_bot_does_all_the_time_goes_on_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, again = 0, asyncio.Event()

    async def forget_partials(_: DiskStore, older_than_s: float) -> None:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise OSError("the disk is away")
        again.set()

    monkeypatch.setattr("filebot.concurrency.tasks.FIRST_PAUSE_S", 0.01)

    async def certain(_: TrustedTime) -> datetime:
        return datetime.now(UTC)

    monkeypatch.setattr(TrustedTime, "now", certain)
    monkeypatch.setattr(DiskStore, "forget_partials", forget_partials)
    file = tmp_path / "config.toml"
    file.write_text('[xmpp]\njid = "bot@example.org"\npassword = "hunter2"\n')
    file.chmod(0o600)
    async with assembled(load(file, {}), lambda: load(file, {})) as bot:
        await asyncio.wait_for(again.wait(), 5)
        await bot.session.stop()
