"""Work that messages begin ends with the bot: in peace, or cancelled when its time is over."""

import asyncio

import pytest

from filebot.chat.rate_limits import RateLimits
from filebot.chat.workload import Workload
from filebot.model import Address, Sender
from tests.support.virtual_time import in_virtual_time

ANNA = Sender(Address("anna@example.org"), "anna@example.org")


@in_virtual_time
async def test_running_work_may_end_within_the_timeout() -> None:
    workload, done = Workload(RateLimits()), list[str]()

    async def work() -> None:
        await asyncio.sleep(5)
        done.append("work")

    running = asyncio.create_task(workload.run(work()))
    await asyncio.sleep(0)
    await workload.close(timeout_s=10)
    assert done == ["work"]
    await running


@in_virtual_time
async def test_work_that_takes_longer_is_cancelled_and_nothing_begins_any_more() -> None:
    loop, workload = asyncio.get_running_loop(), Workload(RateLimits())
    running = asyncio.create_task(workload.run(asyncio.sleep(60)))
    await asyncio.sleep(0)
    began = loop.time()
    await workload.close(timeout_s=10)
    assert loop.time() - began == pytest.approx(10)
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
    with pytest.raises(asyncio.CancelledError):
        await workload.run(asyncio.sleep(0))


async def test_an_answer_is_given_once_a_day_for_each_reason_and_person() -> None:
    workload, said = Workload(RateLimits()), list[str]()

    async def say(text: str) -> None:
        said.append(text)

    for person in (ANNA, ANNA, Sender(Address("bob@example.org"), "bob@example.org")):
        for reason in ("stranger", "encrypted"):
            await workload.once_per_day(person, reason, lambda p=person, r=reason: say(f"{p.jid} {r}"))  # type: ignore[misc]
    assert said == [
        "anna@example.org stranger",
        "anna@example.org encrypted",
        "bob@example.org stranger",
        "bob@example.org encrypted",
    ]


async def test_counted_work_fills_the_share_of_its_sender() -> None:
    workload = Workload(RateLimits())
    size = 8 * 1024 * 1024
    go_on = asyncio.Event()

    async def work() -> None:
        assert workload.rate_limiter.is_full(ANNA, size)
        await go_on.wait()

    running = asyncio.create_task(workload.run_counted(ANNA, work(), size // 2))
    await asyncio.sleep(0)
    assert workload.rate_limiter.is_full(ANNA, size // 2)
    go_on.set()
    await running
    assert not workload.rate_limiter.is_full(ANNA, size // 2)
