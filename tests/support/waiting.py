"""Waits for a condition instead of a fixed time.

A test that sleeps for a moment and then looks fails on a slow machine and wastes time on a fast one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

LIMIT_S: Final = 20.0
POLL_S: Final = 0.01
TURNS: Final = 50

T = TypeVar("T")


async def until(
    condition: Callable[[], T | None], limit_s: float = LIMIT_S, *, poll_s: float = POLL_S
) -> T:
    """Return the result of the condition as soon as it is true. Raises TimeoutError at the limit."""

    async def ask() -> T | None:
        return condition()

    return await until_answered(ask, limit_s, poll_s=poll_s)


async def until_answered(
    question: Callable[[], Awaitable[T | None]], limit_s: float = LIMIT_S, *, poll_s: float = POLL_S
) -> T:
    """Return the answer to a question as soon as it is true. Raises TimeoutError at the limit."""
    async with asyncio.timeout(limit_s):
        while not (answer := await question()):
            await asyncio.sleep(poll_s)
    return answer


async def loop_turns(turns: int = TURNS) -> None:
    """Run every task that is ready, and those that become ready by it."""
    for _ in range(turns):
        await asyncio.sleep(0)
