"""From a file into a socket by the kernel alone (sendfile(2)), beside a transport that goes on reading.

``loop.sendfile`` pauses the transport's reading meanwhile: an answer that comes before the last byte, such
as a refusal, would not be seen. So the socket is duplicated and only its writability is waited for.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Final

# Reading a file that is not in memory blocks the loop: never more than this at once, and the kernel is
# told early what comes next.
PIECE_BYTES: Final = 1024 * 1024
AHEAD_BYTES: Final = 8 * 1024 * 1024

_FLUSH_POLL_S: Final = 0.005


async def sendfile(
    transport: asyncio.Transport, file: int, size: int, sent: Callable[[int], None], *, offset: int = 0
) -> None:
    """Send ``size`` bytes of the open file from ``offset`` on, after all that was written before.

    ``sent`` is told of every piece that has left for the kernel, and of 0 bytes if the file has no more;
    it may raise. Raises OSError if the connection breaks.
    """
    while transport.get_write_buffer_size():  # noqa: ASYNC110 - nothing else tells when it is empty
        await asyncio.sleep(_FLUSH_POLL_S)  # mostly it is empty already: a head is sent at once
    connection = os.dup(transport.get_extra_info("socket").fileno())
    try:
        end, advised = offset + size, offset
        while offset < end:
            if offset + AHEAD_BYTES // 2 >= advised:
                os.posix_fadvise(file, advised, AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
                advised += AHEAD_BYTES
            try:
                count = os.sendfile(connection, file, offset, min(PIECE_BYTES, end - offset))
            except BlockingIOError:
                await _writable(connection)
                continue
            offset += count
            sent(count)
            await asyncio.sleep(0)  # everybody else's turn
    finally:
        os.close(connection)


async def _writable(connection: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(connection, wake)
    try:
        await ready
    finally:
        loop.remove_writer(connection)
