"""Events of a change: told for what is committed, whatever happens meanwhile, and recorded before."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from filebot.events.bus import LISTENERS_LIMIT_S, WRITE_LIMIT_S, EventBus
from filebot.events.facts import Event
from filebot.model import Address, JobKind, NewJob, Outbox, Sender
from tests.support.virtual_time import in_virtual_time

EVENT = Event(Sender(Address("ann@example.org"), "ann@example.org"), None)


async def test_events_are_told_after_the_context_also_when_it_fails() -> None:
    told, left = list[bool](), False

    async def listen(_: Event) -> None:
        told.append(left)

    async def fail_afterwards() -> None:
        nonlocal left
        async with EventBus(listen).change() as change:
            await change.write(lambda _: asyncio.sleep(0), lambda _: [EVENT])
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
            await change.write(lambda _: fail(), lambda _: [EVENT])
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
            await change.write(lambda _: asyncio.sleep(0), lambda _: [EVENT])

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
            await change.write(lambda _: hang(), lambda _: [EVENT])

    task = asyncio.create_task(change())
    await writing.wait()
    began_s = loop.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == []
    assert loop.time() - began_s == pytest.approx(WRITE_LIMIT_S)


class Record:
    """Implements ``Recorder``: writes down what was recorded and told, in order."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def jobs_for(self, event: Event) -> Sequence[NewJob]:
        return [NewJob(JobKind("post", "tell"), event.language or "", datetime.now(UTC))]

    def examine(self, event: Event) -> None:
        raise AssertionError("no plugin emits here")

    async def record(self, event: Event) -> None:
        self.steps += [f"record {job.payload}" for job in self.jobs_for(event)]

    async def listen(self, event: Event) -> None:
        self.steps.append(f"tell {event.language}")

    async def commit(self, outbox: Outbox[str] | None, result: str) -> str:
        """Write to a catalog whose transaction is rolled back once, and runs again."""
        assert outbox is not None
        outbox(result)
        self.steps += [f"commit {job.payload}" for job in outbox(result)]
        return result


def named(name: str) -> Event:
    return Event(EVENT.sender, name)


def tells(names: str) -> Sequence[Event]:
    return [named(name) for name in names]


async def test_events_of_a_change_are_recorded_with_it_and_no_second_time() -> None:
    record = Record()
    async with EventBus(record.listen, record).change() as change:
        assert await change.write(lambda outbox: record.commit(outbox, "ab"), tells) == "ab"
    assert record.steps == ["commit a", "commit b", "tell a", "tell b"]


async def test_what_no_transaction_has_recorded_is_recorded_before_anything_is_told() -> None:
    record = Record()
    bus = EventBus(record.listen, record)
    async with bus.change() as change:
        await change.write(lambda outbox: record.commit(outbox, "a"), tells)
        await change.write(lambda _: asyncio.sleep(0, "b"), tells)
        change.tell(named("c"))
        change.tell(named("d"), recorded=True)
    assert record.steps == [
        *("commit a", "record b", "record c"),
        *("tell a", "tell b", "tell c", "tell d"),
    ]
    await bus.tell(named("e"))
    assert record.steps[-2:] == ["record e", "tell e"]


async def test_without_a_recorder_there_is_no_outbox() -> None:
    record, outboxes = Record(), list[object]()

    async def write(outbox: object) -> str:
        outboxes.append(outbox)
        return "a"

    async with EventBus(record.listen).change() as change:
        await change.write(write, tells)
    assert (outboxes, record.steps) == ([None], ["tell a"])
