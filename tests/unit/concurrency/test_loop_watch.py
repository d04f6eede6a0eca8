"""A task that holds the event loop up is named in the log."""

import asyncio
import re
import time

import pytest

from filebot.concurrency.loop_watch import watched_loop
from tests.support.waiting import loop_turns, until


def busy(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def block(seconds: float) -> None:
    busy(seconds)


async def test_a_task_that_blocks_is_named_with_its_place_once(caplog: pytest.LogCaptureFixture) -> None:
    with watched_loop(0.1):
        await asyncio.create_task(block(1), name="command 'spin' of plugin wheel")
        await until(lambda: "everybody was held up" in caplog.text)
    held, after = caplog.messages
    assert re.fullmatch(
        r"command 'spin' of plugin wheel holds everybody up: "
        rf"{re.escape(__file__)}, line \d+, in busy < {re.escape(__file__)}, line \d+, in block",
        held,
    )
    assert float(re.findall(r"\d\.\d", after)[0]) >= 0.5


async def test_a_callback_is_named_by_its_place(caplog: pytest.LogCaptureFixture) -> None:
    with watched_loop(0.1):
        asyncio.get_running_loop().call_soon(busy, 0.5)
        await until(lambda: "everybody was held up" in caplog.text)
    assert "a callback holds everybody up" in caplog.messages[0]
    assert "in busy" in caplog.messages[0]


async def test_a_loop_that_works_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with watched_loop(1.0):
        for _ in range(20):
            busy(0.01)
            await loop_turns()
    assert caplog.messages == []
