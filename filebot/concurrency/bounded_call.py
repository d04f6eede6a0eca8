"""Calls of foreign code with a limit that holds whatever the code does.

A coroutine may ignore its cancellation, by accident (``except BaseException``) or for ever. It runs in a
task of its own here, so that whoever waits for it can go on without it. Its limit stands still while it
waits for what has limits of its own, such as a file on its way.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from filebot.concurrency.tasks import retrieve

T = TypeVar("T")

log = logging.getLogger(__name__)

GRACE_S: Final = 5.0
"""Time that a cancelled call has for its clean-up."""


class TimeLimitExceeded(Exception):
    """The call took longer than its limit, and was ended."""


class _Limit:
    """Time that is left, and the timeout that ends it."""

    def __init__(self, timeout: asyncio.Timeout, seconds: float, outer: "_Limit | None") -> None:
        self._timeout = timeout
        self._left_s = seconds
        self._outer = outer
        self._waits = 0

    def stop(self) -> None:
        """Let the time stand still."""
        deadline = self._timeout.when()
        if not self._waits and deadline is not None:
            self._left_s = deadline - asyncio.get_running_loop().time()
            self._reschedule(None)
        self._waits += 1
        if self._outer is not None:
            self._outer.stop()

    def go_on(self) -> None:
        """Let it run on when nothing is awaited any more."""
        self._waits -= 1
        if not self._waits:
            self._reschedule(asyncio.get_running_loop().time() + self._left_s)
        if self._outer is not None:
            self._outer.go_on()

    def _reschedule(self, when: float | None) -> None:
        with suppress(RuntimeError):  # it is over, and a task that was made within goes on
            self._timeout.reschedule(when)


_LIMIT: Final[ContextVar[_Limit | None]] = ContextVar("working time", default=None)


@asynccontextmanager
async def working_time(seconds: float | None) -> AsyncIterator[None]:
    """Raise TimeoutError after so many seconds, without those in which :func:`not_counted` was entered;
    never if ``seconds`` is None.
    """
    async with asyncio.timeout(seconds) as timeout:
        outer = _LIMIT.get()
        token = _LIMIT.set(outer if seconds is None else _Limit(timeout, seconds, outer))
        try:
            yield
        finally:
            _LIMIT.reset(token)


@contextmanager
def not_counted() -> Iterator[None]:
    """Let the time of each :func:`working_time` around it stand still, also around its task's maker."""
    limit = _LIMIT.get()
    if limit is None:
        yield
        return
    limit.stop()
    try:
        yield
    finally:
        limit.go_on()


async def call_bounded(work: Coroutine[Any, Any, T], name: str, limit_s: float | None = None) -> T:
    """Run ``work`` for at most ``limit_s`` and return its result, or raise what it raised.

    Time in which :func:`not_counted` is entered does not count. If the limit is over or the caller is
    cancelled, it is cancelled; ``GRACE_S`` later the caller goes on without it. Raises TimeLimitExceeded.
    """
    task: asyncio.Task[T] | None = None
    try:
        async with working_time(limit_s):
            task = asyncio.get_running_loop().create_task(work, name=name)
            await asyncio.wait((task,))
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        if task is not None:
            await cut_off(task)
        raise
    assert task is not None  # noqa: S101 - the limit is checked while it runs
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
