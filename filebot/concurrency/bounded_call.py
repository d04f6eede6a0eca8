"""Calls of foreign code with a limit that holds whatever the code does.

A coroutine may ignore its cancellation, by accident (``except BaseException``) or for ever. It runs in a
task of its own here, so that whoever waits for it can go on without it.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from filebot.concurrency.tasks import retrieve

T = TypeVar("T")

log = logging.getLogger(__name__)

GRACE_S: Final = 5.0
"""Time that a cancelled call has for its clean-up."""


class TimeLimitExceeded(Exception):
    """The call took longer than its limit, and was ended."""


class _Allowance:
    """Time that a call has; it does not run down while the call waits for what has limits of its own."""

    def __init__(self, limit_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._left_s, self._since_s, self._pauses = limit_s, self._loop.time(), 0

    @property
    def left_s(self) -> float:
        """Seconds that are left at this moment."""
        return self._left_s - (0.0 if self._pauses else self._loop.time() - self._since_s)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._left_s, self._pauses = self.left_s, self._pauses + 1
        try:
            yield
        finally:
            self._pauses, self._since_s = self._pauses - 1, self._loop.time()


_ALLOWANCE: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def outside_of_limits() -> Iterator[None]:
    """Let the limit of the call that this is a part of stand still: the context has limits of its own.

    It concerns :func:`call_with_pauses` alone.
    """
    allowance = _ALLOWANCE.get()
    if allowance is None:
        yield
        return
    with allowance.paused():
        yield


async def call_bounded(work: Coroutine[Any, Any, T], name: str, limit_s: float | None = None) -> T:
    """Run ``work`` for at most ``limit_s`` and return its result, or raise what it raised.

    If the limit is over or the caller is cancelled, it is cancelled; ``GRACE_S`` later the caller goes on
    without it. Raises TimeLimitExceeded.
    """
    return await _result(asyncio.get_running_loop().create_task(work, name=name), limit_s, None)


async def call_with_pauses(work: Coroutine[Any, Any, T], name: str, limit_s: float) -> T:
    """Do as :func:`call_bounded`, but with a limit that stands still :func:`outside_of_limits`."""
    allowance = _Allowance(limit_s)
    before = _ALLOWANCE.set(allowance)
    try:
        task = asyncio.get_running_loop().create_task(work, name=name)
    finally:
        _ALLOWANCE.reset(before)
    return await _result(task, limit_s, allowance)


async def _result(task: asyncio.Task[T], limit_s: float | None, allowance: _Allowance | None) -> T:
    left_s = limit_s
    try:
        while not task.done() and (left_s is None or left_s > 0):
            await asyncio.wait((task,), timeout=left_s)
            left_s = 0.0 if allowance is None else allowance.left_s
    except asyncio.CancelledError:
        await cut_off(task)
        raise
    if task.done():
        return task.result()
    await cut_off(task)
    if task.done() and not task.cancelled() and task.exception() is None:
        return task.result()  # it was about to end
    raise TimeLimitExceeded(f"{task.get_name()} took over {limit_s:g} s")


async def cut_off(task: asyncio.Task[Any]) -> None:
    """Cancel a task of foreign code, and return when it has ended or its grace is over."""
    task.cancel()
    task.add_done_callback(retrieve)
    loop = asyncio.get_running_loop()
    until, cancelled = loop.time() + GRACE_S, None
    while not task.done() and (left_s := until - loop.time()) > 0:
        try:
            await asyncio.wait((task,), timeout=left_s)
        except asyncio.CancelledError as error:
            cancelled = error  # the caller waits in any case, and not for long
    if not task.done():
        log.error("%s ignores that it is cancelled; it is broken off", task.get_name())
        _break_off(task)
    if cancelled is not None:
        raise cancelled


def _break_off(task: asyncio.Task[Any]) -> None:
    """End the coroutine of a task where it stands; one that ignores even that goes on."""
    coroutine = task.get_coro()
    task.cancel()  # wakes the task up, which then finds its coroutine closed
    try:
        if coroutine is not None:
            coroutine.close()
    except RuntimeError as error:
        log.error("%s goes on all the same: %s", task.get_name(), error)
    except BaseException:
        log.exception("%s failed while it was broken off", task.get_name())
