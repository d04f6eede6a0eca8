"""Spool of one blob: a temporary file that is hashed, counted and written by threads.

One thread hashes and another writes the same pieces at once: both take about as long. The bytes that wait
are bounded, so that a slow disk slows the sender down instead of filling the memory (back-pressure).
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebot.concurrency.tasks import settled
from filebot.errors import LocalProtocolError, StorageError
from filebot.model import BlobRef, Digest
from filebot.ports import Data
from filebot.protocol.hashes import KNOWN
from filebot.storage.file_system import EarlyWriteback, StorageThreads, has_name, lock, sync_folder

BUDGET_BYTES: Final = 4 * 1024 * 1024
"""Most that may wait in one spool before :meth:`Spool.write` waits."""

PIECE_BYTES: Final = 1024 * 1024
"""Read at a time of what is there already."""

TRIES: Final = 5
"""Attempts to open a file by a name that other tasks use as well."""

TURN_BYTES: Final = 64 * 1024 * 1024
"""Bytes after which a job ends, so that another file gets its turn."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Final place of a spool's file."""

    place: Callable[[Digest], Path]
    """Gives the path of a blob."""
    placed: Callable[[Digest, os.stat_result], None]
    """Is told when one is there."""


class Spool:
    """Temporary file being filled, by one task, which calls :meth:`discard` at the end.

    Implements :class:`filebot.ports.BlobWriter`.
    """

    def __init__(
        self,
        path: Path,
        algorithms: Sequence[str],
        threads: StorageThreads,
        placing: Placing,
        *,
        is_partial: bool = False,
    ) -> None:
        """A file that ``is_partial`` can be kept, for the next spool of its path."""
        self.path = path
        self.size = 0
        self._placing = placing
        self._is_partial = is_partial
        self._keeps = False
        self._digest: Digest | None = None
        self._threads = threads
        self._hashers = {name: KNOWN[name]() for name in ("sha-256", *algorithms)}
        self._queues = tuple(PieceQueue(threads, work, self._moved) for work in (self._write, self._hash))
        self._written = 0
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._fd = -1
        self._writeback = EarlyWriteback(threads.syncers)
        self._closed = False
        self._has_moved = False

    async def open(self) -> None:
        """Create the file. Raises StorageError."""
        await self._threads.run(self._create)

    async def reopen(self, at_most: int) -> bool:
        """Open the file as it is, or create it, and go on at its end, but no further than ``at_most``.

        False if somebody else has it. Raises StorageError.
        """
        return await self._threads.run(self._take_over, at_most)

    async def write(self, data: Data) -> None:
        """Take some bytes; waits while more than the budget is in flight. Raises StorageError."""
        if self._closed:
            raise LocalProtocolError("write after seal")
        self._raise_failure()
        if len(data) == 0:
            return
        self.size += len(data)
        for queue in self._queues:
            queue.put(data)
        while self._waiting_bytes() > BUDGET_BYTES and not self._has_failed():
            await self._progress()
        self._raise_failure()

    async def seal(self) -> Mapping[str, bytes]:
        """Wait until every byte is on the disk; return the digests by name. Raises StorageError."""
        if self._closed:
            raise LocalProtocolError("sealed twice")
        self._closed = True
        for queue in self._queues:
            await queue.ended()
        self._raise_failure()
        await self._threads.run(self._sync)
        digests = {name: hasher.digest() for name, hasher in self._hashers.items()}
        self._digest = digests["sha-256"].hex()
        return digests

    @asynccontextmanager
    async def local_file(self) -> AsyncIterator[Path]:
        """Give the file itself."""
        if self._digest is None:
            raise LocalProtocolError("not sealed yet")
        yield self.path

    def keep(self) -> None:
        """Have the file outlive :meth:`discard`, if it is a partial one."""
        self._keeps = self._is_partial

    async def commit(self) -> BlobRef:
        """Give the sealed file its final name, durably, in place of any other.

        The old name is free then, and the next spool may use it at once. Raises StorageError.
        """
        if self._digest is None:
            raise LocalProtocolError("commit before seal")
        written = await self._threads.run(self._rename, self._placing.place(self._digest))
        self._placing.placed(self._digest, written)
        return BlobRef(self._digest, self.size)

    async def discard(self) -> None:
        """Close the file and, unless it is to be kept or was moved, remove it if it is still there.

        A cancellation cannot stop it half-way.
        """
        self._closed = True
        if not self._keeps:
            for queue in self._queues:
                queue.abandon()
        await settled(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        for queue in self._queues:  # what is to be kept is written to its end first
            await queue.ended()
        await self._threads.run(self._remove)

    def _waiting_bytes(self) -> int:
        return self.size - min(queue.done for queue in self._queues)

    def _has_failed(self) -> bool:
        return any(queue.failure is not None for queue in self._queues)

    def _raise_failure(self) -> None:
        for queue in self._queues:
            if queue.failure is not None:
                raise queue.failure

    async def _progress(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- in a worker thread -------------------------------------------------------------------------

    def _create(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # Held as long as the file is open: tells a second process that this is no leftover.
        if not lock(self._fd):
            raise StorageError("taken for a leftover by another process")

    def _take_over(self, at_most: int) -> bool:
        for _ in range(TRIES):
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if not lock(fd):
                os.close(fd)
                return False
            if has_name(fd, self.path):
                break
            # Moved or removed before it was locked. It may be a blob by now: not a byte of it is ours.
            os.close(fd)
        else:
            return False
        self._fd = fd
        while data := os.read(fd, min(PIECE_BYTES, at_most - self.size)):
            self._hash(data)
            self.size += len(data)
        os.ftruncate(fd, self.size)
        self._written = self.size
        for queue in self._queues:
            queue.done = self.size
        return True

    def _hash(self, data: Data) -> None:
        for hasher in self._hashers.values():
            hasher.update(data)

    def _write(self, data: Data) -> None:
        _write_all(self._fd, data)
        self._written += len(data)
        self._writeback.reached(self._fd, self._written)

    def _sync(self) -> None:
        self._writeback.finish()
        os.fdatasync(self._fd)

    def _moved(self) -> None:
        # Half empty, not merely below the brim: each wake-up of the loop costs both threads.
        if self._waiter is not None and (self._waiting_bytes() <= BUDGET_BYTES // 2 or self._has_failed()):
            self._loop.call_soon_threadsafe(self._wake)

    def _rename(self, place: Path) -> os.stat_result:
        if not has_name(self._fd, self.path):
            raise StorageError(f"{self.path} is another file than the one that was written")
        self.path.rename(place)
        self._has_moved = True
        sync_folder(place.parent)
        return os.fstat(self._fd)

    def _remove(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self._writeback.settle()
            try:
                if not self._keeps and not self._has_moved and has_name(fd, self.path):
                    self.path.unlink()
            finally:
                os.close(fd)


def _write_all(fd: int, data: Data) -> None:
    written = os.write(fd, data)
    if written < len(data):  # a short write: the disk is nearly full, or a signal came
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]


class PieceQueue:
    """Queue of the pieces of a file, to each of which a thread does the same work in order.

    The event loop only queues the pieces. One job at a time takes them, for as long as there are some: a
    job per piece would cost more in switching threads than the work itself. It has no bound of its own:
    its user limits the bytes that wait.
    """

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
