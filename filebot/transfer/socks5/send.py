"""Sending a part of a file into a connection: by the kernel alone, and until the other side has it."""

import asyncio
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filebot.errors import BlobCorrupt, NoDescriptors, PeerGone, StorageError, TransferTimeout
from filebot.system.descriptors import is_shortage
from filebot.transfer.sendfile import pump
from filebot.transfer.socks5.socket import readable

CLOSE_S: Final = 5.0
"""How long a peer that has every byte may leave its side open. Most close at once."""

_POLL_S: Final = 0.1
_DISCARD_BYTES: Final = 64 * 1024


async def send_file(
    sock: socket.socket, path: Path, offset: int, size: int, progress: Callable[[int], None], idle_s: float
) -> None:
    """Send ``size`` bytes from ``offset`` on, end the stream, and wait until the other side has them.

    ``progress`` is called with the offset of the next byte, often. Raises PeerGone, TransferTimeout,
    BlobCorrupt if the file is gone or too short, or StorageError if it cannot be opened.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise BlobCorrupt(str(error)) from error
    except OSError as error:
        raise (NoDescriptors if is_shortage(error) else StorageError)(str(error)) from error
    try:
        await pump(sock, file, offset, offset + size, progress, idle_s)
        # Psi takes the end of the stream for the end of the file. What is still under way is not lost.
        sock.shutdown(socket.SHUT_WR)
        await _delivered(sock, idle_s)
    except OSError as error:
        raise PeerGone(f"broken: {error}") from error
    finally:
        os.close(file)


async def _delivered(sock: socket.socket, idle_s: float) -> None:
    """Wait until all has been acknowledged and the other side has closed, or could have."""
    clock = asyncio.get_running_loop().time
    waiting, moved_at, closed = _unacknowledged(sock), clock(), False
    while True:
        closed = closed or await _has_closed(sock)
        if (left := _unacknowledged(sock)) < waiting:
            waiting, moved_at = left, clock()
        if not left and (closed or clock() - moved_at > CLOSE_S):
            return
        if clock() - moved_at > max(idle_s, CLOSE_S):
            raise TransferTimeout(idle_s=idle_s)
        if closed:
            await asyncio.sleep(_POLL_S)


async def _has_closed(sock: socket.socket) -> bool:
    """Look for a while. What a receiver of a file says is of no interest. Raises OSError after a reset."""
    try:
        await readable(sock, _POLL_S)
        return not sock.recv(_DISCARD_BYTES)
    except (TransferTimeout, BlockingIOError):
        return False


def _unacknowledged(sock: socket.socket) -> int:
    """Bytes that the other side's kernel has not confirmed; 0 where that cannot be told (not on Linux)."""
    if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, os.strerror(error))
    try:
        answer: bytes = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int(struct.unpack("i", answer)[0])
