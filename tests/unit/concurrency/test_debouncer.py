"""Debouncers: one action for many signals, in virtual time."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import pytest

from filebot.concurrency.debouncer import Debouncer
from tests.support.virtual_time import in_virtual_time


async def signal_at(debouncer: Debouncer, moments_s: Iterable[float]) -> None:
    """Signal at these moments from now."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for moment_s in moments_s:
        await asyncio.sleep(began_s + moment_s - loop.time())
        debouncer.signal()


async def actions(debouncer: Debouncer, signals_s: Iterable[float], *, until_s: float) -> list[float]:
    """Return when something was to be done, for signals at these moments."""
    loop, acted = asyncio.get_running_loop(), list[float]()
    began_s = loop.time()
    signals = asyncio.create_task(signal_at(debouncer, signals_s))
    with suppress(TimeoutError):
        async with asyncio.timeout(until_s):
            while await debouncer.settled():
                acted.append(round(loop.time() - began_s, 3))
    await signals
    return acted


@in_virtual_time
async def test_each_signal_puts_the_action_off() -> None:
    assert await actions(Debouncer(2.0), [1, 2, 3, 10], until_s=60) == [5, 12]


@in_virtual_time
async def test_signals_without_a_pause_are_acted_on_in_time() -> None:
    assert await actions(Debouncer(2.0, latest_s=5.0), range(1, 10), until_s=60) == [6, 11]


@in_virtual_time
async def test_equal_times_gather_signals_after_the_first() -> None:
    assert await actions(Debouncer(3.0, latest_s=3.0), [1, 2, 3, 5], until_s=60) == [4, 8]


@in_virtual_time
async def test_signals_that_come_during_the_action_lead_to_another() -> None:
    loop, debouncer = asyncio.get_running_loop(), Debouncer(2.0)
    signals = asyncio.create_task(signal_at(debouncer, [0, 3, 10]))
    assert await debouncer.settled()
    assert not debouncer.is_signalled
    await asyncio.sleep(4)
    assert debouncer.is_signalled
    assert await debouncer.settled()
    assert loop.time() == pytest.approx(6), "the signal has been old enough for a while"
    assert await debouncer.settled()
    assert loop.time() == pytest.approx(12)
    await signals


@in_virtual_time
async def test_a_wait_without_a_signal_has_a_limit() -> None:
    loop, debouncer = asyncio.get_running_loop(), Debouncer(2.0)
    assert not await debouncer.settled(within_s=5.0)
    assert loop.time() == pytest.approx(5)
    debouncer.signal()
    assert await debouncer.settled(within_s=1.0), "the limit is for the first signal only"
    assert loop.time() == pytest.approx(7)


@in_virtual_time
async def test_a_cancelled_wait_forgets_no_signal() -> None:
    debouncer = Debouncer(2.0)
    debouncer.signal()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await debouncer.settled()
    assert await debouncer.settled(within_s=0.5)
