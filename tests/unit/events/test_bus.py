"""Events of a change: told for what is committed, whatever happens meanwhile."""

import asyncio

import pytest

from filebot.events.bus import LISTENERS_LIMIT_S, WRITE_LIMIT_S, EventBus
from filebot.events.facts import Event
from filebot.model import Address, Sender
from tests.support.virtual_time import in_virtual_time

EVENT = Event(Sender(Address("ann@example.org"), "ann@example.org"), None)


async def test_events_are_told_after_the_context_also_when_it_fails() -> None:
    told, left = list[bool](), False

    async def listen(_: Event) -> None:
        told.append(left)

    async def fail_afterwards() -> None:
        nonlocal left
        async with EventBus(listen).change() as change:
            await change.write(asyncio.sleep(0), lambda _: [EVENT])
            left = True
            raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        await fail_afterwards()
    assert told == [True]


async def test_a_write_that_fails_has_no_event() -> None:
    told = list[Event]()

    async def listen(event: Event) -> None:
        told.append(event)

    async def fail() -> None:
        raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        async with EventBus(listen).change() as change:
            await change.write(fail(), lambda _: [EVENT])
    assert told == []


@in_virtual_time
async def test_listeners_of_a_cancelled_change_have_a_limit() -> None:
    loop, quick = asyncio.get_running_loop(), list[Event]()
    listening = asyncio.Event()

    async def listen(event: Event) -> None:
        quick.append(event)
        listening.set()
        await asyncio.sleep(3600)

    async def change() -> None:
        async with EventBus(listen).change() as change:
            await change.write(asyncio.sleep(0), lambda _: [EVENT])

    task = asyncio.create_task(change())
    await listening.wait()
    began_s = loop.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert quick == [EVENT]
    assert loop.time() - began_s == pytest.approx(LISTENERS_LIMIT_S)


@in_virtual_time
async def test_a_write_that_hangs_has_a_limit_after_a_cancellation() -> None:
    loop, told = asyncio.get_running_loop(), list[Event]()
    writing = asyncio.Event()

    async def listen(event: Event) -> None:
        told.append(event)

    async def hang() -> None:
        writing.set()
        await asyncio.sleep(3600)

    async def change() -> None:
        async with EventBus(listen).change() as change:
            await change.write(hang(), lambda _: [EVENT])

    task = asyncio.create_task(change())
    await writing.wait()
    began_s = loop.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == []
    assert loop.time() - began_s == pytest.approx(WRITE_LIMIT_S)
