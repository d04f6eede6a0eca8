"""Background work, each with an owner: tasks, and blocking work in threads.

Turns let requests of one person begin in order, while none waits long for the one before.

No task outlives its :class:`Tasks`, but for one that ignores its cancellation: nothing waits for that
without a limit, and the log names it. A job in a thread cannot be stopped, and may use a file that somebody
is going to close: whoever waits for such a job does it by :func:`settled`.
"""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from threading import Thread, current_thread
from typing import Any, ClassVar, Final, ParamSpec, TypeVar

from filebot.concurrency.backoff import Backoff

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 600.0
"""Pauses of supervised work after errors."""

END_LIMIT_S: Final = 15.0
"""Time that cancelled tasks have for their clean-up."""

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


class Threads:
    """Pool for one kind of blocking work: what holds one kind up stops no other.

    Its jobs wait for nothing but each other, and its threads are made when they are needed.
    """

    _busy: ClassVar[set[Thread]] = set()

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"filebot-{name}")

    @classmethod
    def busy(cls) -> frozenset[Thread]:
        """Return the threads of all pools that have a job just now."""
        return frozenset(cls._busy)

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Begin a job; whoever begins one that uses a file awaits it by :func:`settled`.

        No task: the end of the loop cancels those, and their threads go on.
        """

        def job() -> T:
            thread = current_thread()
            self._busy.add(thread)
            try:
                return work(*args, **kwargs)
            finally:
                self._busy.discard(thread)

        return asyncio.get_running_loop().run_in_executor(self._pool, job)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a job in one of the threads; a cancelled caller leaves it to end by itself."""
        return await self.start(work, *args, **kwargs)

    async def close(self) -> None:
        """End the threads once they have nothing left to do."""
        # The pool's own threads cannot wait for themselves: one of the loop's does.
        await settled(asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown))

    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[io.FileIO]:
        """Open a file to read from in these threads, without a buffer. Raises OSError."""
        job = self.start(lambda: path.open("rb", buffering=0))
        try:
            file = await settled(job)
        except asyncio.CancelledError:
            if job.exception() is None:
                job.result().close()
            raise
        with file:
            yield file


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks, and return when they have ended, however they did.

    It does not wait longer than ``END_LIMIT_S``: those that ignore their cancellation are left, and the log
    names them. A cancelled caller waits as well.
    """
    ending = tuple(tasks)
    for task in ending:
        task.cancel()
        task.add_done_callback(retrieve)
    loop, cancelled = asyncio.get_running_loop(), None
    until, left = loop.time() + END_LIMIT_S, set(ending)
    while left and (left_s := until - loop.time()) > 0:
        try:
            _, left = await asyncio.wait(left, timeout=left_s)
        except asyncio.CancelledError as error:
            cancelled = error
            left = {each for each in left if not each.done()}
    for each in left:
        name = each.get_name() if isinstance(each, asyncio.Task) else repr(each)
        log.error("%s ignores that it is cancelled; going on without it", name)
    if cancelled is not None:
        raise cancelled


def retrieve(future: asyncio.Future[Any]) -> None:
    """Take note of an error that nobody waits for, so that asyncio does not complain of it."""
    if not future.cancelled():
        future.exception()


async def settled(job: "asyncio.Future[T]") -> T:
    """Return the job's result. A cancellation meanwhile is raised after the job has ended, never before.

    For jobs that cannot be stopped half-way, such as those of threads.
    """
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait((job,))
        except asyncio.CancelledError as error:
            cancelled = error
    failure = job.exception()
    if cancelled is not None:
        raise cancelled
    if failure is not None:
        raise failure
    return job.result()


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


async def run_supervised(work: Callable[[], Awaitable[T]], name: str) -> T:
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
