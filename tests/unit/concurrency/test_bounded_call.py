"""Foreign code that ignores its cancellation holds up nobody."""

import asyncio
from contextlib import suppress

import pytest

from filebot.concurrency.bounded_call import (
    GRACE_S,
    TimeLimitExceeded,
    call_bounded,
)
from filebot.concurrency.tasks import END_LIMIT_S, Tasks
from filebot.concurrency.working_time import not_counted
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
