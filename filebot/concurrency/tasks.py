"""Background tasks with an owner: nothing started here outlives its :class:`Tasks`.

Turns let requests of one person begin in order, while none waits long for the one before.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from filebot.concurrency.backoff import Backoff

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0
"""Pauses of supervised work after errors."""

_T = TypeVar("_T")

_TURN: Final[ContextVar["asyncio.Future[None] | None"]] = ContextVar("_TURN", default=None)


class Tasks:
    """A bounded set of running tasks. Closing cancels and awaits them all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, object], name: str) -> bool:
        """Run ``work`` in the background and log what it raises.

        Return False, without running it, if too much is running already.
        """
        task = self._create(work, name)
        if task is None:
            return False
        task.add_done_callback(log_failure)
        return True

    async def run(self, work: Coroutine[Any, Any, object], name: str) -> bool:
        """Run ``work`` as a task; return, or raise what it raised, when it has ended.

        It goes on if the caller is cancelled. Return False, without running it, if too much is running
        already.
        """
        task = self._create(work, name)
        if task is None:
            return False
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                task.add_done_callback(log_failure)  # nobody else will hear of it
            raise
        return True

    async def idle(self, limit_s: float | None = None) -> None:
        """Wait until no task is running, for at most ``limit_s`` if there is a limit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._running:
                    await asyncio.wait(self._running)

    async def close(self) -> None:
        """Cancel all and wait for their clean-up. May be used again afterwards."""
        await end(self._running)

    def _create(self, work: Coroutine[Any, Any, object], name: str) -> asyncio.Task[Any] | None:
        if len(self._running) >= self._limit:
            work.close()
            log.warning("%s is not started: %d tasks are running", name, self._limit)
            return None
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks, and return when they have ended, however they did."""
    ending = tuple(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def race(*works: Coroutine[Any, Any, object]) -> None:
    """Run coroutines until the first of them ends, and cancel the others. Raise what the first raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(tasks)
    for task in done:
        task.result()


def log_failure(task: asyncio.Task[Any]) -> None:
    """Log what a task that has ended raised, if it raised anything."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", task.get_name(), exc_info=error)


async def run_supervised(work: Callable[[], Awaitable[_T]], name: str) -> _T:
    """Run ``work``, again after each error, until it returns; return its result.

    Errors are logged with their traceback. The pause after an error doubles while errors follow each
    other soon.
    """
    loop, backoff = asyncio.get_running_loop(), Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
    while True:
        began = loop.time()
        try:
            return await work()
        except Exception:
            if loop.time() - began > LONGEST_PAUSE_S:
                backoff.reset()
            pause_s = backoff.next_s()
            log.exception("%s failed; going on in %.0f s", name, pause_s)
        await asyncio.sleep(pause_s)


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
