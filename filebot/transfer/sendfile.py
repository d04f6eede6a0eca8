"""From a file into a socket by the kernel alone (sendfile(2)).

``loop.sendfile`` would pause the reading of a transport meanwhile, and with it an answer that comes before
the last byte, such as a refusal. So this works on sockets, or on a duplicate of a transport's.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from filebot.errors import BlobCorrupt
from filebot.transfer.connection import writable

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
    advised = offset
    while offset < end:
        if offset + AHEAD_BYTES // 2 >= advised:
            os.posix_fadvise(file, advised, AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
            advised += AHEAD_BYTES
        try:
            sent = os.sendfile(sock.fileno(), file, offset, min(PIECE_BYTES, end - offset))
        except BlockingIOError:
            await writable(sock, idle_s)
            continue
        if sent == 0:
            raise BlobCorrupt("the file is shorter than it was")
        offset += sent
        progress(offset)
        # Everybody else's turn. Meanwhile a quick receiver has made room, and nothing need be waited for.
        await asyncio.sleep(0)
