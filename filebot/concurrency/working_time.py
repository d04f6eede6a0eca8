"""Limit on the time of a task that stands still while something with limits of its own is awaited."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Final


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
