"""Foreign code that ignores its cancellation holds up nobody."""

import asyncio
from contextlib import suppress

import pytest

from filebot.concurrency.bounded_call import (
    GRACE_S,
    TimeLimitExceeded,
    call_bounded,
    not_counted,
    working_time,
)
from filebot.concurrency.tasks import END_LIMIT_S, Tasks
from tests.support.virtual_time import in_virtual_time


async def deaf() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def stone_deaf(until: asyncio.Event) -> None:
    while not until.is_set():
        with suppress(BaseException):
            await asyncio.sleep(3600)


async def slow(seconds: float, result: str = "done") -> str:
    await asyncio.sleep(seconds)
    return result


async def test_a_result_or_an_error_is_the_callers() -> None:
    assert await call_bounded(slow(0), "work", 1) == "done"

    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await call_bounded(fail(), "work")


@in_virtual_time
async def test_what_takes_too_long_is_cancelled() -> None:
    with pytest.raises(TimeLimitExceeded, match="work took over 2 s"):
        await call_bounded(slow(3), "work", 2)
    assert asyncio.get_running_loop().time() == 2


async def moving(seconds: float) -> None:
    with not_counted():
        await slow(seconds)


@in_virtual_time
async def test_a_limit_stands_still_while_something_has_limits_of_its_own() -> None:
    async def work() -> str:
        await slow(1)
        await asyncio.gather(moving(1000), moving(2000))
        with not_counted():
            await moving(1000)
        return await slow(0.5)

    assert await call_bounded(work(), "work", 2) == "done"
    assert asyncio.get_running_loop().time() == 3001.5


@in_virtual_time
async def test_what_ends_in_its_grace_has_its_result() -> None:
    async def finish() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        return await slow(1)

    assert await call_bounded(finish(), "work", 2) == "done"


@pytest.mark.parametrize("limit_s", [2.0, None])
def test_what_ignores_its_cancellation_is_broken_off(
    caplog: pytest.LogCaptureFixture, limit_s: float | None
) -> None:
    @in_virtual_time
    async def play() -> None:
        loop = asyncio.get_running_loop()
        caller = asyncio.create_task(call_bounded(deaf(), "the deaf one", limit_s))
        await asyncio.sleep(2)
        if limit_s is None:
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
        else:
            with pytest.raises(TimeLimitExceeded):
                await caller
        assert loop.time() == pytest.approx(2 + GRACE_S)
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play()
    assert caplog.messages == ["the deaf one ignores that it is cancelled; it is broken off"]


@in_virtual_time
async def test_even_what_cannot_be_broken_off_holds_up_nobody() -> None:
    over = asyncio.Event()
    with pytest.raises(TimeLimitExceeded):
        await call_bounded(stone_deaf(over), "the stone-deaf one", 2)
    assert asyncio.get_running_loop().time() == pytest.approx(2 + GRACE_S)
    over.set()
    await asyncio.sleep(3600)


@in_virtual_time
async def test_a_caller_that_is_cancelled_twice_waits_for_the_clean_up() -> None:
    cleaned = list[str]()

    async def tidy() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(1)
            cleaned.append("up")

    caller = asyncio.create_task(call_bounded(tidy(), "the tidy one"))
    for _ in range(2):
        await asyncio.sleep(0.5)
        caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert cleaned == ["up"]


def test_an_owner_of_tasks_waits_for_none_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    over = asyncio.Event()

    @in_virtual_time
    async def play() -> None:
        tasks = Tasks(2)
        tasks.start(stone_deaf(over), "the stone-deaf one")
        tasks.start(slow(3600), "the slow one")
        await asyncio.sleep(0)
        await tasks.close()
        assert asyncio.get_running_loop().time() == pytest.approx(END_LIMIT_S)
        over.set()
        await asyncio.sleep(3600)

    play()
    assert caplog.messages == ["the stone-deaf one ignores that it is cancelled; going on without it"]


async def pause(seconds: float) -> None:
    with not_counted():
        await asyncio.sleep(seconds)


async def work(limit: float, *seconds: float) -> None:
    """Work for these times, with a pause after each."""
    async with working_time(limit):
        for each in seconds:
            await asyncio.sleep(each)
            await pause(1)


@in_virtual_time
async def test_time_that_is_not_counted_does_not_end_the_work() -> None:
    async with working_time(0.1):
        await asyncio.gather(pause(0.15), pause(0.2))
        await asyncio.sleep(0.01)
        await pause(0.15)


@in_virtual_time
async def test_the_rest_is_counted() -> None:
    await work(0.1, 0.05, 0.04)
    with pytest.raises(TimeoutError):
        await work(0.1, 0.06, 0.06)


@in_virtual_time
async def test_without_a_limit_nothing_happens() -> None:
    await pause(0)


@in_virtual_time
async def test_a_task_that_outlives_the_work_goes_on() -> None:
    async with working_time(0.1):
        later = asyncio.create_task(pause(0.05))
        await asyncio.sleep(0)
    await later


@in_virtual_time
async def test_work_within_work_has_its_own_time() -> None:
    async with working_time(0.2):
        with pytest.raises(TimeoutError):
            await work(0.05, 0.1)
        await pause(0.3)


@in_virtual_time
async def test_the_time_of_the_outer_work_stands_still_as_well() -> None:
    async with working_time(0.2):
        async with working_time(0.1):
            await pause(1)
        await asyncio.sleep(0.1)
