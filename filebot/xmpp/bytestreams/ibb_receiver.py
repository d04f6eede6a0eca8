"""The receiving end of an in-band bytestream (XEP-0047): blocks in, large pieces out, in order.

A block is acknowledged when little is waiting to be taken; otherwise the acknowledgement is held back, and
with it a sender that counts its blocks in flight. Who sends on regardless meets a bound and ends.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Final

from filebot.errors import PeerProtocolError, TransferError, TransferTimeout
from filebot.protocol.ibb import BadBlock, IbbReceiver
from filebot.protocol.stanza_error import StanzaError
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.bytestreams.registry import BUSY, UNKNOWN, StreamLimits

WAITING_BYTES: Final = 256 * 1024
"""More than this and acknowledgements are held back."""
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_HELD: Final = 1024
"""Blocks without an acknowledgement; nobody honest has so many in flight."""


class IbbStreamReceiver:
    """Fed by the stream, emptied by one reader."""

    def __init__(
        self, fast_path: IqFastPath, limits: StreamLimits, block_size: int, expected_bytes: int | None
    ) -> None:
        self._fast_path = fast_path
        self._limits = limits
        self._receiver = IbbReceiver(block_size, expected_bytes)
        self._expected = expected_bytes
        self._blocks: deque[bytes] = deque()
        self._bytes = 0
        self._held: deque[Request] = deque()
        self._came = asyncio.Event()
        self._closed = False
        self._failure: TransferError | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the sender believes that the stream is still open, although nobody reads on."""
        return not self._closed and not self._receiver.complete

    def take(self, request: Request) -> None:
        """One block."""
        if self._failure is not None or self._closed:
            self._fast_path.refuse(request, UNKNOWN)
            return
        payload = request.payload
        text = payload.text if not len(payload) else "an element is no base64"
        try:
            data = self._receiver.block(payload.get("seq"), text)
        except BadBlock as error:
            self._fast_path.refuse(request, StanzaError(error.condition))
            self.fail(error)
        except PeerProtocolError as error:
            self._fast_path.refuse(request, StanzaError("bad-request"))
            self.fail(error)
        else:
            self._queue(request, data)

    def close(self) -> None:
        """The sender has closed."""
        self._closed = True
        try:
            self._receiver.closed()
        except PeerProtocolError as error:
            self.fail(error)
        self._came.set()

    def fail(self, error: TransferError) -> None:
        """Nothing more will come; the first reason counts."""
        self._failure = self._failure or error
        self._came.set()

    def end(self) -> None:
        """Nobody reads any more: answer what is still unanswered."""
        self.fail(PeerProtocolError("ended"))
        while self._held:
            self._fast_path.refuse(self._held.popleft(), UNKNOWN)
        self._blocks.clear()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes, many blocks at once. Raises TransferError, after what came before it."""
        taken = 0
        while taken != self._expected:
            if not self._blocks:
                if self._closed and self._failure is None:
                    return  # of an unknown size, and this is its end
                await self._wait(self._limits.idle_s)
                continue
            piece = b"".join(self._blocks)
            self._blocks.clear()
            self._bytes = 0
            taken += len(piece)
            self._release()
            yield piece
        await self._linger()

    def _queue(self, request: Request, data: bytes) -> None:
        if not data:
            self._fast_path.acknowledge(request)  # and the time limit goes on
            return
        self._blocks.append(data)
        self._bytes += len(data)
        self._came.set()
        if self._bytes > MOST_BYTES or len(self._held) >= MOST_HELD:
            self._fast_path.refuse(request, BUSY)
            self.fail(PeerProtocolError("sends faster than it may"))
        elif self._bytes > WAITING_BYTES:
            self._held.append(request)
        else:
            self._fast_path.acknowledge(request)

    def _release(self) -> None:
        while self._held:
            self._fast_path.acknowledge(self._held.popleft())

    async def _wait(self, limit_s: float) -> None:
        if self._failure is not None:
            raise self._failure
        self._came.clear()
        try:
            async with asyncio.timeout(limit_s):
                await self._came.wait()
        except TimeoutError as error:
            raise TransferTimeout(idle_s=limit_s) from error

    async def _linger(self) -> None:
        """Senders close at once, so more than was promised is seen here. No close is no mistake."""
        while not self._closed:
            try:
                await self._wait(self._limits.linger_s)
            except TransferTimeout:
                return
        if self._failure is not None:
            raise self._failure
