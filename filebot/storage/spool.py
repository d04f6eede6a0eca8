"""The way of one blob into a temporary file: hashed, counted and written by a worker thread.

The event loop only queues the pieces. One job at a time drains the queue, in order, for as long as there
is something in it: a job per piece would cost more in switching threads than the work itself. What waits
in the queue is bounded, so a slow disk slows the sender down instead of filling the memory.
"""

import asyncio
import fcntl
import os
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from filebot.errors import LocalProtocolError
from filebot.protocol.hashes import KNOWN
from filebot.storage.early_writeback import EarlyWriteback
from filebot.storage.workers import Workers, settled

Data = bytes | bytearray | memoryview

BUDGET_BYTES: Final = 4 * 1024 * 1024
"""Most that may wait in one spool before :meth:`Spool.write` waits."""

PIECE_BYTES: Final = 1024 * 1024
"""Read at a time of what is there already."""

TURN_BYTES: Final = 64 * 1024 * 1024
"""After so much a job makes room for another spool's."""


class Spool:
    """One temporary file being filled. Used by one task; :meth:`discard` must be called at the end."""

    def __init__(self, path: Path, algorithms: Sequence[str], workers: Workers) -> None:
        self.path = path
        self.size = 0
        self.keeps = False
        """Whether the file outlives :meth:`discard`."""
        self._workers = workers
        self._hashers = {name: KNOWN[name]() for name in ("sha-256", *algorithms)}
        self._queue: deque[Data] = deque()
        self._done = 0  # bytes; changed by the worker only
        self._job: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._fd = -1
        self._writeback = EarlyWriteback(workers.syncers)
        self._closed = False
        self._failure: BaseException | None = None
        self._abandoned = False

    async def open(self) -> None:
        """Create the file. Raises StorageError."""
        await self._workers.run(self._create)

    async def reopen(self) -> bool:
        """Open the file as it is, or create it, and go on at its end; False if somebody else has it.

        Raises StorageError.
        """
        return await self._workers.run(self._take_over)

    async def write(self, data: Data) -> None:
        """Take some bytes; waits while more than the budget is in flight. Raises StorageError."""
        if self._closed:
            raise LocalProtocolError("write after seal")
        self._raise_failure()
        if len(data) == 0:
            return
        self._queue.append(data)
        self.size += len(data)
        self._start_job()
        while self.size - self._done > BUDGET_BYTES and self._failure is None:
            await self._progress()
        self._raise_failure()

    async def seal(self) -> Mapping[str, bytes]:
        """Wait until every byte is on the disk; the digests by name. Raises StorageError."""
        if self._closed:
            raise LocalProtocolError("sealed twice")
        self._closed = True
        while self._job is not None:
            await self._progress()
        self._raise_failure()
        await self._workers.run(os.fdatasync, self._fd)
        return {name: hasher.digest() for name, hasher in self._hashers.items()}

    async def discard(self) -> None:
        """Close the file and, unless it is to be kept, remove it if it is still there.

        A cancellation cannot stop it half-way.
        """
        self._abandoned = not self.keeps
        self._closed = True
        await settled(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        while self._job is not None:  # what is to be kept is written to its end first
            await asyncio.wait((self._job,))
            await asyncio.sleep(0)  # until the job's own callback has looked for more
        self._queue.clear()
        await self._workers.run(self._remove)

    async def _progress(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _start_job(self) -> None:
        if self._job is None and self._failure is None:
            self._job = self._workers.start(self._drain)
            self._job.add_done_callback(self._job_ended)

    def _job_ended(self, job: "asyncio.Future[None]") -> None:
        self._job = None
        self._failure = job.exception()
        if self._queue and not self._abandoned:
            self._start_job()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- in a worker thread -------------------------------------------------------------------------

    def _create(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # Held as long as the file is open: tells a second process that this is no leftover.
        fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def _take_over(self) -> bool:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        while data := os.read(fd, PIECE_BYTES):
            for hasher in self._hashers.values():
                hasher.update(data)
            self.size += len(data)
        self._done = self.size
        return True

    def _drain(self) -> None:
        turn_ends = self._done + TURN_BYTES
        while self._queue and self._done < turn_ends and not self._abandoned:
            data = self._queue.popleft()
            for hasher in self._hashers.values():
                hasher.update(data)
            _write_all(self._fd, data)
            self._done += len(data)
            self._writeback.reached(self._fd, self._done)
            # Half empty, not merely below the brim: each wake-up of the loop costs both threads.
            if self._waiter is not None and self.size - self._done <= BUDGET_BYTES // 2:
                self._loop.call_soon_threadsafe(self._wake)

    def _remove(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self._writeback.settle()
            try:
                if not self.keeps:
                    self.path.unlink(missing_ok=True)
            finally:
                os.close(fd)


def _write_all(fd: int, data: Data) -> None:
    written = os.write(fd, data)
    if written < len(data):  # a short write: the disk is nearly full, or a signal came
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]
