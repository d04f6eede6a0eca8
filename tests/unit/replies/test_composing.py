"""Chat states (XEP-0085): however an answer ends, its state ends with it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from filebot.model import Address
from filebot.replies import Replies
from filebot.replies.renderer import COMPOSING_AFTER_S, ReplySender
from filebot.testing import ALICE, in_room, through_room
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.messenger import RecordingMessenger
from tests.support.virtual_time import in_virtual_time

CHAT = Address(ALICE)


class States(RecordingMessenger):
    """Messenger that records the states alone."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[bool] = []

    async def composing(self, to: Address, active: bool) -> None:
        self.states.append(active)


async def quick() -> None:
    """End before there is a state."""


async def slow() -> None:
    await asyncio.sleep(2 * COMPOSING_AFTER_S)


async def failing() -> None:
    await slow()
    raise LookupError


async def timing_out() -> None:
    async with asyncio.timeout(2 * COMPOSING_AFTER_S):
        await asyncio.sleep(60)


async def cancelled() -> None:
    await slow()
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("work", "states"),
    [
        (quick, []),
        (slow, [True, False]),
        (failing, [True, False]),
        (timing_out, [True, False]),
        (cancelled, [True, False]),
    ],
)
@in_virtual_time
async def test_no_state_is_left_hanging(work: Callable[[], Awaitable[None]], states: list[bool]) -> None:
    messenger = States()
    sender = ReplySender(messenger, Replies(), MemoryCatalog())

    async def answer() -> None:
        async with sender.composing(CHAT, wanted=True):
            await work()

    await asyncio.gather(asyncio.create_task(answer()), return_exceptions=True)
    assert messenger.states == states


@in_virtual_time
async def test_a_task_that_is_cut_off_ends_its_state() -> None:
    messenger = States()
    sender = ReplySender(messenger, Replies(), MemoryCatalog())

    async def answer() -> None:
        async with sender.composing(CHAT, wanted=True):
            await asyncio.sleep(60)

    task = asyncio.create_task(answer())
    await slow()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert messenger.states == [True, False]


@pytest.mark.parametrize("to", [in_room().address, through_room().address])
@in_virtual_time
async def test_rooms_and_their_occupants_are_shown_none(to: Address) -> None:
    messenger = States()
    async with ReplySender(messenger, Replies(), MemoryCatalog()).composing(to, wanted=True):
        await slow()
    assert messenger.states == []
