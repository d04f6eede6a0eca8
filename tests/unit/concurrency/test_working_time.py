"""Limits on time that stand still while something else is waited for."""

import asyncio

import pytest

from filebot.concurrency.working_time import not_counted, working_time
from tests.support.virtual_time import in_virtual_time


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
