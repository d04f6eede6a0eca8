"""Transfers in progress: their rates and their cancellation."""

import asyncio

import pytest

from filebot.errors import NoSuchTransfer, TransferCancelled
from filebot.files.transfers import Direction, Transfers
from filebot.model import Address, Method, Sender
from tests.support.waiting import loop_turns

ALICE = Sender(Address("alice@example.org"), "alice@example.org")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_the_rate_is_that_of_the_last_seconds() -> None:
    clock = Clock()
    with Transfers(clock).running(ALICE, None, "a", Direction.TO_BOT, Method.HTTP, 100_000) as transfer:
        assert (transfer.bytes_per_s, transfer.left_s) == (0.0, None)
        for _ in range(20):
            clock.now += 1
            transfer.moved(transfer.done_bytes + 1000)
        assert transfer.bytes_per_s == pytest.approx(1000)
        assert transfer.left_s == pytest.approx(80)
        for _ in range(20):
            clock.now += 1
            transfer.moved(transfer.done_bytes + 100)
        assert transfer.bytes_per_s == pytest.approx(100)
        clock.now += 1000
        assert transfer.bytes_per_s == 0
        assert transfer.age_s == 1040


async def test_only_ones_own_are_seen_and_stopped() -> None:
    transfers = Transfers(Clock())
    with transfers.running(ALICE, None, "a", Direction.TO_BOT, Method.HTTP) as transfer:
        assert transfers.of("alice@example.org") == [transfer]
        assert transfers.of("bob@example.org") == []
        for person, number in (("bob@example.org", transfer.number), ("alice@example.org", 99)):
            with pytest.raises(NoSuchTransfer):
                transfers.cancel(person, number)
    assert transfers.all() == []


async def test_a_stopped_transfer_raises_in_its_own_task_and_nowhere_else() -> None:
    transfers = Transfers(Clock())

    async def move() -> None:
        with transfers.running(ALICE, None, "a.pdf", Direction.TO_BOT, Method.HTTP):
            await asyncio.sleep(60)

    task = asyncio.create_task(move())
    await asyncio.sleep(0)
    transfers.cancel("alice@example.org", 1)
    with pytest.raises(TransferCancelled) as caught:
        await task
    assert caught.value.name == "a.pdf"
    assert not transfers.all()


async def test_a_transfer_that_is_stopped_twice_is_stopped_once() -> None:
    transfers = Transfers(Clock())

    async def move() -> None:
        with transfers.running(ALICE, None, "a.pdf", Direction.TO_BOT, Method.HTTP):
            try:
                await asyncio.sleep(60)
            finally:
                await loop_turns()  # what came is put away

    task = asyncio.create_task(move())
    await asyncio.sleep(0)
    for _ in range(2):
        transfers.cancel("alice@example.org", 1)
        await asyncio.sleep(0)
    with pytest.raises(TransferCancelled):
        await task


async def test_a_cancelled_task_is_cancelled_as_any_other() -> None:
    transfers = Transfers(Clock())

    async def move() -> None:
        with transfers.running(ALICE, None, "a.pdf", Direction.TO_BOT, Method.HTTP):
            await asyncio.sleep(60)

    task = asyncio.create_task(move())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not transfers.all()


async def test_another_method_begins_anew_under_the_same_number() -> None:
    clock = Clock()
    transfers = Transfers(clock)
    transfers.count_from(7)
    with transfers.running(ALICE, None, "a", Direction.FROM_BOT, Method.SOCKS5, 1000) as transfer:
        assert transfer.number == 7
        assert transfers.is_running(7)
        clock.now += 1
        transfer.moved(500)
        transfer.begin(Method.IBB)
        assert (transfer.method, transfer.done_bytes, transfer.bytes_per_s) == (Method.IBB, 0, 0.0)
        transfer.moved(500)  # the peer has a part already
        clock.now += 1
        transfer.moved(600)
        assert transfer.left_s is not None
    assert not transfers.is_running(7)
    with transfers.running(ALICE, None, "a", Direction.FROM_BOT, Method.SOCKS5, number=3) as other:
        assert other.number == 3
    with transfers.running(ALICE, None, "a", Direction.FROM_BOT, Method.SOCKS5) as next_one:
        assert next_one.number == 8
