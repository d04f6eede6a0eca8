"""A connected TCP socket, and waiting for it with a limit.

Sockets, not asyncio transports: the same connection is handshaken, then lent to a buffered protocol or to
``sendfile``, and nothing may be read from it in between.
"""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from filebot.errors import PeerGone, PeerProtocolError, TransferTimeout
from filebot.protocol.socks5 import ClientHandshake, Done, Reject, SendBytes, ServerHandshake

_READ_BYTES: Final = 4096
"""A handshake has 54 bytes at most; the rest belongs to the file and can wait in the kernel."""


@dataclass(slots=True, eq=False)
class SocketConnection:
    """Whoever holds it closes it."""

    sock: socket.socket
    """Connected and not blocking."""
    rest: bytes = b""
    """Bytes that came behind the handshake: the first bytes of the stream."""

    def is_open(self) -> bool:
        """Whether the other side has neither closed nor reset it. Takes no byte away."""
        try:
            return self.sock.recv(1, socket.MSG_PEEK) != b""
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False

    def close(self) -> None:
        self.sock.close()


def prepare(sock: socket.socket) -> None:
    """Set what every byte stream wants. Buffers are left alone: Linux sizes them better than a constant."""
    sock.setblocking(False)
    with suppress(OSError):  # the other side may be gone already
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def handshake(sock: socket.socket, machine: ClientHandshake | ServerHandshake) -> bytes:
    """Drive a machine to its end; what came behind it. The caller limits the time, and closes.

    Raises PeerGone, PeerProtocolError or Refused.
    """
    try:
        if isinstance(machine, ClientHandshake):
            _say(sock, machine.opening)
        while data := await asyncio.get_running_loop().sock_recv(sock, _READ_BYTES):
            for event in machine.receive(data):
                match event:
                    case SendBytes(answer):
                        _say(sock, answer)
                    case Reject(answer, reason):
                        _say(sock, answer)
                        raise PeerProtocolError(reason)
                    case Done(rest):
                        return rest
    except OSError as error:
        raise PeerGone(f"broken in the handshake: {error}") from error
    raise PeerGone("closed in the handshake")


async def readable(sock: socket.socket, idle_s: float) -> None:
    """Wait for bytes, or for the end. Raises TransferTimeout."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        async with asyncio.timeout(idle_s):
            await ready.wait()
    except TimeoutError as error:
        raise TransferTimeout(idle_s=idle_s) from error
    finally:
        loop.remove_reader(sock)


def _say(sock: socket.socket, data: bytes) -> None:
    # A new socket has room for so little. If not, nobody reads at the other end.
    if sock.send(data) != len(data):
        raise PeerGone("takes nothing")
