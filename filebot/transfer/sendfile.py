"""From a file into a socket by the kernel alone (sendfile(2)).

``loop.sendfile`` would pause the reading of a transport meanwhile, and with it an answer that comes before
the last byte, such as a refusal. So this works on sockets, or on a duplicate of a transport's.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from filebot.errors import BlobCorrupt, TransferTimeout

PIECE_BYTES: Final = 2 * 1024 * 1024
"""Most that is sent in one turn of the loop."""

AHEAD_BYTES: Final = 8 * 1024 * 1024
"""Asked of the disk before it is needed: sendfile(2) on what is not in memory would stop the loop."""


async def pump(
    sock: socket.socket, file: int, offset: int, end: int, progress: Callable[[int], None], idle_s: float
) -> None:
    """Send the open file from ``offset`` to ``end``.

    ``progress`` is called with the offset of the next byte, often. Raises OSError if the connection breaks,
    TransferTimeout, or BlobCorrupt if the file is too short.
    """
    if offset >= end:
        return
    loop = asyncio.get_running_loop()
    work = _Pump(sock.fileno(), file, offset, end, progress, loop.create_future())
    # The loop calls the work itself: to wake a task for each piece takes longer than to send a small one.
    loop.add_writer(sock, work.turn)
    try:
        while not work.over.done():
            left_s = work.moved_at + idle_s - loop.time()
            if left_s <= 0:
                raise TransferTimeout(idle_s=idle_s)
            await asyncio.wait((work.over,), timeout=left_s)
        work.over.result()
    finally:
        loop.remove_writer(sock)


class _Pump:
    """A piece whenever the socket has room."""

    def __init__(
        self,
        sock: int,
        file: int,
        offset: int,
        end: int,
        progress: Callable[[int], None],
        over: "asyncio.Future[None]",
    ) -> None:
        self.offset = offset
        self.over = over
        self.moved_at = over.get_loop().time()
        self._sock = sock
        self._file = file
        self._end = end
        self._progress = progress
        self._advised = offset

    def turn(self) -> None:
        """Send what the socket takes; others have their turn before the next."""
        if self.over.done():
            return
        try:
            self._send()
        except (BlockingIOError, InterruptedError):
            return
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            self.over.set_exception(error)
        else:
            if self.offset == self._end:
                self.over.set_result(None)

    def _send(self) -> None:
        if self.offset + AHEAD_BYTES // 2 >= self._advised:
            self._advise(min(AHEAD_BYTES, self._end - self._advised))
            self._advised += AHEAD_BYTES
        sent = os.sendfile(self._sock, self._file, self.offset, min(PIECE_BYTES, self._end - self.offset))
        if sent == 0:
            raise BlobCorrupt("the file is shorter than it was")
        self.offset += sent
        self.moved_at = self.over.get_loop().time()
        self._progress(self.offset)

    def _advise(self, count: int) -> None:
        """Have the disk read what comes next, unless both ends of it are in memory already.

        To advise what is in memory takes the kernel a tenth of the time of sending it.
        """
        ends = (self._advised, self._advised + count - 1)
        if count > 0 and not all(_is_in_memory(self._file, each) for each in ends):
            os.posix_fadvise(self._file, self._advised, count, os.POSIX_FADV_WILLNEED)


def _is_in_memory(file: int, offset: int) -> bool:
    """Whether the byte can be had without the disk. EOPNOTSUPP: a file system that cannot tell."""
    try:
        return os.preadv(file, [bytearray(1)], offset, os.RWF_NOWAIT) == 1
    except OSError:
        return False
