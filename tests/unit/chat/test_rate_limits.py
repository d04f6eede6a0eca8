"""Nobody, and no room with as many occupants as it likes, leaves others without their turn.

Work that messages begin ends with the bot: in peace, or cancelled when its time is over.
"""

import asyncio
from contextlib import ExitStack

import pytest

from filebot.chat import rate_limits
from filebot.chat.rate_limits import RateLimiter, RateLimits, Workload
from filebot.model import Address, AddressKind, Sender
from filebot.xmpp.rooms.joined_rooms import MOST_INVITED_BY_ONE
from tests.support.virtual_time import in_virtual_time

ANNA = Sender(Address("anna@example.org"), "anna@example.org")


def occupant(number: int, room: str = "den@muc.evil.example") -> Sender:
    return Sender(Address(room, AddressKind.ROOM), None, room, f"nick{number}", f"{room}/{number}")


def test_a_room_that_makes_up_occupants_fills_its_own_share_only() -> None:
    load = RateLimiter(RateLimits())
    with ExitStack() as waiting:
        for number in range(rate_limits.WAITING_PER_ROOM):
            assert not load.is_full(occupant(number))
            waiting.enter_context(load.waiting(occupant(number)))
        assert load.is_full(occupant(rate_limits.WAITING_PER_ROOM))
        assert load.is_full(occupant(0).privately)
        assert not load.is_full(occupant(0, "other@muc.example.org"))
        assert not load.is_full(ANNA)
    assert not load.is_full(occupant(0))


def test_one_person_waits_for_so_much_and_no_more() -> None:
    load = RateLimiter(RateLimits())
    with ExitStack() as waiting:
        for _ in range(rate_limits.WAITING_PER_PERSON):
            assert not load.is_full(ANNA)
            waiting.enter_context(load.waiting(ANNA))
        assert load.is_full(ANNA)
        assert not load.is_full(occupant(0))
    assert not load.is_full(ANNA)


def test_there_is_an_end_to_what_all_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "WAITING", 2)
    load = RateLimiter(RateLimits())
    with load.waiting(occupant(0)), load.waiting(occupant(0, "other@muc.example.org")):
        assert load.is_full(ANNA)
    assert not load.is_full(ANNA)


async def test_all_of_a_room_together_ask_for_so_much_in_a_minute_and_others_may_ask_all_the_same() -> None:
    load = RateLimiter(RateLimits(commands_per_minute=2))
    most = RateLimits(commands_per_minute=2).commands_per_minute_in_a_room
    assert [await load.is_in_pace(occupant(number)) for number in range(most + 1)] == [True] * most + [
        False
    ]
    assert not await load.is_in_pace(occupant(most + 1).privately)
    assert [await load.is_in_pace(ANNA) for _ in range(3)] == [True, True, False]
    assert await load.is_in_pace(occupant(0, "other@muc.example.org"))


async def test_other_limits_hold_at_once_and_the_same_ones_forget_no_request() -> None:
    load = RateLimiter(RateLimits(commands_per_minute=1))
    assert await load.is_in_pace(ANNA)
    load.use(RateLimits(commands_per_minute=1))
    assert not await load.is_in_pace(ANNA)
    load.use(RateLimits(commands_per_minute=2))
    assert [await load.is_in_pace(ANNA) for _ in range(3)] == [True, True, False]


@in_virtual_time
async def test_requests_of_one_person_begin_in_order_and_wait_for_no_slow_one() -> None:
    load, done = RateLimiter(RateLimits()), list[str]()

    async def work(name: str, takes_s: float) -> None:
        await asyncio.sleep(takes_s)
        done.append(name)

    with load.waiting(ANNA):
        async with asyncio.TaskGroup() as group:
            for name, takes_s in (("slow", 60.0), ("first", 1.0), ("second", 0.1)):
                group.create_task(load.in_turn(ANNA, work(name, takes_s)))
    assert done == ["first", "second", "slow"]
    assert not load._waiting_of


def test_rooms_of_one_inviter_cannot_take_everything() -> None:
    assert MOST_INVITED_BY_ONE * rate_limits.WAITING_PER_ROOM < rate_limits.WAITING


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
