"""Queue of the pieces of a file, to each of which a thread does the same work in order.

The event loop only queues the pieces. One job at a time takes them, for as long as there are some: a job
per piece would cost more in switching threads than the work itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from filebot.storage.thread_pool import StorageThreads

Data = bytes | bytearray | memoryview

TURN_BYTES: Final = 64 * 1024 * 1024
"""Bytes after which a job ends, so that another file gets its turn."""


class PieceQueue:
    """Queue of pieces. It has no bound of its own: its user limits the bytes that wait."""

    def __init__(
        self, threads: StorageThreads, work: Callable[[Data], None], moved: Callable[[], None]
    ) -> None:
        """``work`` and ``moved`` run in a thread, for each piece, the latter after ``done`` has grown."""
        self.done = 0
        """Bytes so far; changed by the worker only, while there is a job."""
        self.job: asyncio.Future[None] | None = None
        self.failure: BaseException | None = None
        self._threads = threads
        self._work = work
        self._moved = moved
        self._queue: deque[Data] = deque()
        self._abandoned = False

    def put(self, data: Data) -> None:
        """Queue a piece after all others."""
        self._queue.append(data)
        self._start()

    def abandon(self) -> None:
        """Drop all pieces but the one that is being worked on."""
        self._abandoned = True

    async def ended(self) -> None:
        """Wait until no thread works here any more. A failure is not raised."""
        while self.job is not None:
            await asyncio.wait((self.job,))
            await asyncio.sleep(0)  # until the job's own callback has looked for more

    def _start(self) -> None:
        if self.job is None and self.failure is None and self._queue and not self._abandoned:
            self.job = self._threads.start(self._run)
            self.job.add_done_callback(self._job_ended)

    def _job_ended(self, job: "asyncio.Future[None]") -> None:
        self.job = None
        self.failure = job.exception()
        self._start()
        self._moved()

    def _run(self) -> None:
        turn_ends = self.done + TURN_BYTES
        while self._queue and self.done < turn_ends and not self._abandoned:
            data = self._queue.popleft()
            self._work(data)
            self.done += len(data)
            del data  # others see from that whether they may write to its memory again
            self._moved()
