"""Each key has one task at most, and all of them end with their owner."""

import asyncio

import pytest

from filebot.concurrency.keyed_tasks import KeyedTasks


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_key_has_one_task_at_a_time() -> None:
    tasks = KeyedTasks[str]()
    assert tasks.start("a", forever(), "first")
    assert not tasks.start("a", forever(), "second")
    assert tasks.start("b", forever(), "other")
    assert len(tasks) == 2
    await tasks.close()
    assert len(tasks) == 0


async def test_a_key_is_free_as_soon_as_its_work_has_ended() -> None:
    tasks, order = KeyedTasks[str](), list[object]()

    async def work() -> None:
        order.append("works")

    def again() -> None:
        order.append("a" in tasks)
        tasks.start("a", work(), "again")

    tasks.start("a", work(), "work", then=again)
    await tasks.idle()
    assert order == ["works", False, "works"]


@pytest.mark.parametrize("begun", [False, True])
async def test_a_stopped_task_has_ended_and_is_followed_by_what_comes_then(begun: bool) -> None:
    tasks, ended = KeyedTasks[str](), list[str]()
    tasks.start("a", forever(), "work", then=lambda: ended.append("a"))
    if begun:
        await asyncio.sleep(0)
    assert await tasks.stop("a")
    assert ended == ["a"]
    assert not await tasks.stop("a")


async def test_nothing_starts_after_the_close() -> None:
    tasks = KeyedTasks[str]()
    await tasks.close()
    assert not tasks.start("a", forever(), "late")
    assert len(tasks) == 0


async def test_what_a_task_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tasks = KeyedTasks[str]()

    async def fails() -> None:
        raise ValueError("broken")

    tasks.start("a", fails(), "the work")
    await tasks.idle()
    await asyncio.sleep(0)
    assert "the work failed" in caplog.text
