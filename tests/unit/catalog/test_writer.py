"""Group commit: together on disk, each on its own in failure."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from filebot.catalog import writer as writer_module
from filebot.catalog.sqlite import engines
from filebot.catalog.writer import MAX_GROUP, MAX_WAITING, Writer
from filebot.errors import CatalogUnavailable, StorageFull
from tests.support.waiting import loop_turns


class Gate:
    """An operation that waits, so that a group gathers behind it."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, _: AsyncConnection, arguments: Sequence[None]) -> Sequence[None]:
        self.entered.set()
        await self.open.wait()
        return arguments


async def insert(connection: AsyncConnection, numbers: Sequence[int]) -> Sequence[int]:
    """Double each number; a number that is there already breaks the constraint."""
    for number in numbers:
        await connection.execute(sa.text("INSERT INTO numbers VALUES (:n)"), {"n": number})
    return [2 * number for number in numbers]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = engines.writing_engine(tmp_path / "numbers.db")
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
    yield engine
    await engine.dispose()


@pytest.fixture
def commits(engine: AsyncEngine) -> list[str]:
    """One mark for each COMMIT."""
    seen: list[str] = []
    sa.event.listen(engine.sync_engine, "commit", lambda _: seen.append("commit"))
    return seen


async def kept(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(sa.text("SELECT n FROM numbers ORDER BY n"))).scalars())


async def behind(writer: Writer, gate: Gate) -> asyncio.Task[None]:
    """The writer at work on ``gate``: what is asked for now gathers."""
    task = asyncio.create_task(writer.run(gate, None))
    await gate.entered.wait()
    return task


async def test_waiting_operations_are_committed_together(engine: AsyncEngine, commits: list[str]) -> None:
    writer, gate = Writer(engine), Gate()
    first = await behind(writer, gate)
    tasks = [asyncio.create_task(writer.run(insert, number)) for number in range(MAX_GROUP + 5)]
    await asyncio.sleep(0)
    gate.open.set()
    assert await asyncio.gather(*tasks) == [2 * number for number in range(MAX_GROUP + 5)]
    await first
    assert len(commits) == 3  # the gate, a full group, the rest
    await writer.close()


async def test_one_failing_operation_does_not_spoil_the_others(engine: AsyncEngine) -> None:
    writer, gate = Writer(engine), Gate()
    await writer.run(insert, 3)
    first = await behind(writer, gate)
    tasks = [asyncio.create_task(writer.run(insert, number)) for number in (1, 2, 3, 4, 3)]
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await first
    await writer.close()
    assert [type(result) for result in results] == [
        int,
        int,
        sa.exc.IntegrityError,
        int,
        sa.exc.IntegrityError,
    ]
    assert await kept(engine) == [1, 2, 3, 4]


async def test_an_operation_that_cancels_itself_does_not_end_the_writer(engine: AsyncEngine) -> None:
    async def sulk(_: AsyncConnection, arguments: Sequence[None]) -> list[None]:
        raise asyncio.CancelledError

    writer = Writer(engine)
    with pytest.raises(CatalogUnavailable, match="cancelled itself"):
        await writer.run(sulk, None)
    assert await writer.run(insert, 7) == 14
    await writer.close()


async def test_a_caller_is_answered_only_after_the_commit(engine: AsyncEngine) -> None:
    writer = Writer(engine)
    answered: list[bool] = []
    task = asyncio.create_task(writer.run(insert, 1))
    sa.event.listen(engine.sync_engine, "commit", lambda _: answered.append(task.done()))
    await task
    assert answered == [False]
    await writer.close()


async def test_a_cancelled_caller_whose_turn_has_not_come_changes_nothing(engine: AsyncEngine) -> None:
    writer, gate = Writer(engine), Gate()
    first = await behind(writer, gate)
    cancelled, other = (asyncio.create_task(writer.run(insert, number)) for number in (1, 2))
    await asyncio.sleep(0)
    cancelled.cancel()
    gate.open.set()
    await asyncio.gather(first, other)
    assert cancelled.cancelled()
    await writer.close()
    assert await kept(engine) == [2]


async def test_a_caller_cancelled_in_mid_group_leaves_the_group_whole(engine: AsyncEngine) -> None:
    writer, gate = Writer(engine), Gate()
    first = await behind(writer, gate)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    gate.open.set()
    assert await writer.run(insert, 5) == 10
    await writer.close()


async def test_closing_finishes_what_is_queued_and_takes_nothing_more(engine: AsyncEngine) -> None:
    writer, gate = Writer(engine), Gate()
    first = await behind(writer, gate)
    tasks = [asyncio.create_task(writer.run(insert, number)) for number in range(MAX_WAITING + 20)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(first, closing)
    accepted = MAX_WAITING - 1  # the gate was the first to wait
    assert results[:accepted] == [2 * number for number in range(accepted)]
    assert {type(result) for result in results[accepted:]} == {CatalogUnavailable}
    assert await kept(engine) == list(range(accepted))
    with pytest.raises(CatalogUnavailable):
        await writer.run(insert, 1000)


async def test_closing_finishes_even_when_cancelled(engine: AsyncEngine) -> None:
    writer, gate = Writer(engine), Gate()
    first = await behind(writer, gate)
    queued = asyncio.create_task(writer.run(insert, 1))
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.sleep(0)
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert await queued == 2
    await first


async def test_a_stopped_writer_leaves_nobody_waiting(engine: AsyncEngine) -> None:
    writer, gate = Writer(engine), Gate()
    first = await behind(writer, gate)
    queued = asyncio.create_task(writer.run(insert, 1))
    await asyncio.sleep(0)
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "catalog-writer"]
    task.cancel()
    results = await asyncio.gather(first, queued, return_exceptions=True)
    assert {type(result) for result in results} == {CatalogUnavailable}
    with pytest.raises(CatalogUnavailable):
        await writer.run(insert, 2)
    assert await kept(engine) == []


async def test_a_writer_stopped_while_it_tries_one_by_one_leaves_nobody_waiting(
    engine: AsyncEngine,
) -> None:
    writer, gate, slow = Writer(engine), Gate(), Gate()
    await writer.run(insert, 1)
    first = await behind(writer, gate)
    # The second insert of 1 fails and takes the group apart; ``slow`` is reached again on its own.
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(writer.run(insert, 1))]
    tasks += [asyncio.create_task(writer.run(slow, None)), asyncio.create_task(writer.run(insert, 2))]
    await asyncio.sleep(0)
    gate.open.set()
    await slow.entered.wait()
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "catalog-writer"]
    task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [
        sa.exc.IntegrityError,
        CatalogUnavailable,
        CatalogUnavailable,
    ]
    await first


async def test_a_full_disk_is_an_error_of_its_own(engine: AsyncEngine) -> None:
    # max_page_count makes SQLite believe that the disk is full.
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1")

    async def fill(connection: AsyncConnection, sizes: Sequence[int]) -> Sequence[int]:
        for size in sizes:
            await connection.execute(sa.text(f"CREATE TABLE t{size} AS SELECT zeroblob({size})"))
        return sizes

    writer = Writer(engine)
    with pytest.raises(StorageFull):
        await writer.run(fill, 100_000)
    await writer.close()


async def test_a_locked_database_is_unavailable_and_works_again_afterwards(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    writer = Writer(engine)
    other = sqlite3.connect(tmp_path / "numbers.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogUnavailable):
        await writer.run(insert, 1)
    other.execute("ROLLBACK")
    other.close()
    assert await writer.run(insert, 1) == 2
    await writer.close()


async def test_many_random_cancellations_lose_no_answered_operation(engine: AsyncEngine) -> None:
    writer = Writer(engine)
    tasks = [asyncio.create_task(writer.run(insert, number)) for number in range(400)]
    for turn, task in enumerate(tasks):
        if turn % 3 == 0:
            task.cancel()
        if turn % 20 == 0:
            await loop_turns()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await writer.close()
    answered = {number for number, result in enumerate(results) if result == 2 * number}
    assert answered <= set(await kept(engine))
    assert {number for number in range(400) if number % 3} <= answered


def test_the_bounds_let_a_whole_group_gather() -> None:
    assert writer_module.MAX_GROUP <= writer_module.MAX_WAITING
