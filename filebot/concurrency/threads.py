"""Blocking work in small pools of threads.

Each kind of work has a pool of its own: what holds one kind up stops no other. A job in a thread cannot be
stopped, and may use a file that somebody is going to close: whoever waits for such a job does it by
:func:`filebot.concurrency.tasks.settled`.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from filebot.concurrency.tasks import settled

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """Pool whose jobs wait for nothing but each other. Its threads are made when they are needed."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"filebot-{name}")

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Begin a job; whoever begins one that uses a file awaits it by :func:`settled`.

        No task: the end of the loop cancels those, and their threads go on.
        """
        return asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))

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
