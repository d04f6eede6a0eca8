"""Blocking work in threads, and waiting for it in a way that cancellation cannot break.

A job in a thread cannot be stopped, and it uses a file that somebody is going to close. So a cancelled task
first waits for its job, and only then lets the cancellation go on.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


async def settled(job: "asyncio.Future[T]") -> T:
    """The job's result. A cancellation meanwhile is raised after the job has ended, never before."""
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


def begun(work: Callable[..., T], *args: object) -> "asyncio.Future[T]":
    """Begin a job in a thread of the loop; whoever begins one awaits it by :func:`settled`.

    No task: the end of the loop cancels those, and their threads go on.
    """
    return asyncio.get_running_loop().run_in_executor(None, work, *args)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[io.FileIO]:
    """A file to read from in threads, without a buffer. Raises OSError."""
    job = begun(lambda: path.open("rb", buffering=0))
    try:
        file = await settled(job)
    except asyncio.CancelledError:
        if job.exception() is None:
            job.result().close()
        raise
    with file:
        yield file
