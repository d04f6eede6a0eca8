"""Background tasks have an owner that bounds them, hears their errors and ends them."""

import asyncio
import logging

import pytest

from filebot.concurrency.tasks import Tasks, race


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
