"""Turns: requests of one person begin in order, but none waits long for the one before."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Final

_TURN: Final[ContextVar["asyncio.Future[None] | None"]] = ContextVar("_TURN", default=None)


def begin_turn(work: Coroutine[object, object, None]) -> tuple[asyncio.Task[None], asyncio.Future[None]]:
    """Start work in a task; the future is done when the work lets the next request go on."""
    over = asyncio.get_running_loop().create_future()
    token = _TURN.set(over)
    task = asyncio.create_task(work)
    _TURN.reset(token)
    return task, over


def end_turn() -> None:
    """Let the next request of the same person go on: the present one is going to wait for something."""
    over = _TURN.get()
    if over is not None and not over.done():
        over.set_result(None)
