"""Receiving from a connection, fast and without copies.

The kernel writes straight into large buffers, of which parts are handed on as they fill. One is written
to again only when nobody holds a part of it any more. What nobody takes stays in one buffer, then in the
kernel, and then the other side has to wait.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from filebot.errors import PeerGone, SizeMismatch, TransferTimeout
from filebot.transfer.socks5.socket import SocketConnection

SMALLEST_BYTES: Final = 32 * 1024
LARGEST_BYTES: Final = 1024 * 1024
"""Size of a buffer: it doubles while the peer fills it at once, and is given back when nothing comes."""

GATHER_BYTES: Final = 64 * 1024
GATHER_S: Final = 0.005
"""Small pieces are handed on once they are so much, or after so long. Proxies pass on 4 KiB at a time, and
to wake three threads for each takes more CPU than all that is done with the bytes."""

_SPENT: Final = 8
"""Buffers remembered for another use: more than a writer to disk has in flight, which is five."""

COOL_S: Final = 0.5
"""After so long without a byte a transfer is idle, and keeps no buffer."""

GRACE_S: Final = 0.5
"""How long the end is waited for after the last announced byte, to see whether more was sent."""


class _Landing(asyncio.BufferedProtocol):
    """Where the bytes arrive. Reading stops while a full buffer has not been taken."""

    def __init__(self, missing: int | None) -> None:
        """``missing``: how many bytes are to come; at the last of them nothing is waited for any more."""
        self._missing = missing
        self._gathering: asyncio.TimerHandle | None = None
        self._size = SMALLEST_BYTES
        self._buffer = bytearray()
        self._filled = 0
        self._taken = 0
        self._spent: deque[bytearray] = deque(maxlen=_SPENT)
        self._ended = False
        self._broken: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)  # noqa: S101 - it is a socket's
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._filled == len(self._buffer):
            self._buffer = self._next_buffer()
            self._filled = self._taken = 0
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        if nbytes == len(self._buffer):
            self._size = min(2 * self._size, LARGEST_BYTES)
        self._filled += nbytes
        if self._missing is not None:
            self._missing -= nbytes
        if self._filled == len(self._buffer):
            self._transport.pause_reading()
            self._paused = True
        self._gather()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._broken = exc
        self._wake()

    def take(self) -> memoryview:
        """Return what has come and was not taken yet."""
        self._stop_gathering()
        piece = memoryview(self._buffer)[self._taken : self._filled]
        self._taken = self._filled
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def has_ended(self) -> bool:
        """Whether no more will come. Raises PeerGone if the connection broke."""
        if self._broken is not None:
            raise PeerGone(f"broken: {self._broken}") from self._broken
        return self._ended

    async def arrival(self, idle_s: float) -> bool:
        """Wait until there is something to take; False at the end. Raises TransferTimeout or PeerGone."""
        if not await self._something(min(idle_s, COOL_S)):
            self._cool()
            if not await self._something(idle_s - COOL_S):
                raise TransferTimeout(idle_s=idle_s)
        return self._taken < self._filled or not self.has_ended()

    async def _something(self, limit_s: float) -> bool:
        if not self._ended and (self._taken == self._filled or self._gathering is not None):
            self._waiter = asyncio.get_running_loop().create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await self._waiter
        return self._taken < self._filled or self._ended

    def _next_buffer(self) -> bytearray:
        # Memory that was used a moment ago costs nothing; new memory is cleared twice, and that takes a
        # fifth of the time of receiving.
        if len(self._buffer) == LARGEST_BYTES:
            self._spent.append(self._buffer)
        if self._spent and _is_unshared(self._spent[0]):
            return self._spent.popleft()
        return bytearray(self._size)

    def _cool(self) -> None:
        self._spent.clear()
        self._buffer = bytearray()
        self._size = SMALLEST_BYTES
        self._filled = self._taken = 0

    def _gather(self) -> None:
        """Wake the reader, now or in a moment."""
        enough = self._paused or self._filled - self._taken >= GATHER_BYTES
        if enough or (self._missing is not None and self._missing <= 0):
            self._wake()
        elif self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_S, self._wake)

    def _stop_gathering(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def _wake(self) -> None:
        self._stop_gathering()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _is_unshared(buffer: bytearray) -> bool:
    """Whether nobody has a view of it: only then does Python let its length change."""
    try:
        buffer.append(buffer.pop())
    except BufferError:
        return False
    return True


class StreamReceiver:
    """Receiver of one file from one connection."""

    def __init__(self, connection: SocketConnection, size: int | None, idle_s: float) -> None:
        """Without a ``size`` the end of the stream is the end of the file."""
        self._connection = connection
        self._size = size
        self._idle_s = idle_s
        self._received = 0

    async def chunks(self) -> AsyncGenerator[bytes | memoryview, None]:
        """Yield the bytes as they come; to be asked for once. Closes the connection at the end.

        Raises PeerGone, SizeMismatch or TransferTimeout.
        """
        missing = None if self._size is None else self._size - self._received - len(self._connection.rest)
        landing = _Landing(missing)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: landing, sock=self._connection.sock)
        try:
            if self._connection.rest:
                yield self._counted(self._connection.rest)
            while self._received != self._size and await landing.arrival(self._idle_s):
                yield self._counted(landing.take())
            await self._check_end(landing)
        finally:
            transport.abort()

    def _counted(self, piece: bytes | memoryview) -> bytes | memoryview:
        self._received += len(piece)
        if self._size is not None and self._received > self._size:
            raise SizeMismatch(announced_bytes=self._size, received_bytes=self._received)
        return piece

    async def _check_end(self, landing: _Landing) -> None:
        if self._size is None:
            return
        if self._received == self._size:
            # Every byte is here: silence or a reset is as good an end as any.
            with suppress(TransferTimeout, PeerGone):
                if not await landing.arrival(GRACE_S):
                    return
                self._received += len(landing.take())
        if self._received != self._size:
            raise SizeMismatch(announced_bytes=self._size, received_bytes=self._received)
