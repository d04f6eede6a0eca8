"""An event loop whose clock stands still while there is something to do, and then jumps to the next timer.

So a wait of five minutes takes no time, happens after exactly five minutes, and one without a limit is an
error at once: if no timer is left and nothing is going to come, nothing would ever happen again.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, TypeVarTuple

_SETTLES_S: Final = 0.002
"""Real time that local sockets get to deliver data in transit."""
_THREADS_S: Final = 10.0
"""Limit of a wait for a thread, in real time."""

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Stuck(BaseException):
    """Deadlock: every task waits, without a limit. A BaseException, so that no task catches it."""


class _JumpingSelector(selectors.DefaultSelector):
    """Selector that reports real sockets' events, and advances virtual time only if there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.threads = 0
        """Number of threads that the loop waits for: they take real time and no virtual one."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        came = super().select(0) or super().select(_THREADS_S if self.threads else _SETTLES_S)
        if came:
            return came
        if timeout is None:
            raise Stuck
        self.now_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Event loop in virtual time, see the module."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        self._jumping.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._returned)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._jumping.threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._jumping.threads -= 1

    def _returned(self, _: "asyncio.Future[Any]") -> None:
        self._jumping.threads -= 1


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run an asynchronous test on a :class:`VirtualLoop`."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(test(*args, **kwargs))

    return run


async def seconds(work: Awaitable[object]) -> float:
    """Return how long it takes, whatever comes of it."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(work, return_exceptions=True)
    return loop.time() - began
