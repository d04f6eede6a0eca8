"""The body of one upload: a file, sent by the kernel where it can, and watched for standstill."""

import asyncio
import io
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from filebot.concurrency.tasks import Threads, settled
from filebot.errors import BlobCorrupt, TransferTimeout
from filebot.transfer.sendfile import pump

ANSWER_FACTOR: Final = 4
"""The kernel buffers megabytes: on a slow line they are still on their way when the last byte is handed
over, and some servers copy the file before they answer."""

PIECE_BYTES: Final = 1024 * 1024
_FLUSH_POLL_S: Final = 0.005


class FileBody(aiohttp.Payload):
    """Exactly the bytes of a file. ``sent`` counts those that left for the kernel.

    aiohttp wraps what is raised while a body is written into errors of its own; ``failure`` keeps ours.
    """

    def __init__(
        self, file: Path, size: int, moved: Callable[[int], None], idle_s: float, threads: Threads
    ) -> None:
        super().__init__(file, content_type="application/octet-stream")
        self._moved = moved
        self._idle_s = idle_s
        self._threads = threads
        self._size = self._length = size
        self.sent = 0
        self.failure: BlobCorrupt | TransferTimeout | None = None

    @property
    def complete(self) -> bool:
        """Whether every byte was sent."""
        return self.sent == self._length

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> NoReturn:
        """Only of use to those who log bodies."""
        raise TypeError("a file's bytes are no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Called by aiohttp once the connection is there."""
        transport = getattr(writer, "transport", None)
        if not self._length or not isinstance(transport, asyncio.Transport):
            return
        async with self._threads.opened(self._value) as file:
            if transport.get_extra_info("sslcontext") is None:
                writer.send_headers()
                await self._by_sendfile(transport, file)
            else:
                await self._by_reading(writer, file)

    async def _by_sendfile(self, transport: asyncio.Transport, file: io.FileIO) -> None:
        """On a duplicate of the socket, so that the transport goes on reading."""
        while transport.get_write_buffer_size():  # noqa: ASYNC110 - nothing else tells when it is empty
            await asyncio.sleep(_FLUSH_POLL_S)
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as sock:
            try:
                await pump(sock, file.fileno(), 0, self._length, self._reached, self._idle_s)
            except (BlobCorrupt, TransferTimeout) as error:
                self.failure = error
                raise

    async def _by_reading(self, writer: AbstractStreamWriter, file: io.FileIO) -> None:
        """TLS is done in this process: the bytes must come through it. One piece is read ahead."""
        ahead = self._threads.start(file.read, PIECE_BYTES)
        try:
            while not self.complete:
                piece = await settled(ahead)
                ahead = self._threads.start(file.read, PIECE_BYTES)
                if not piece or self.sent + len(piece) > self._length:
                    self.failure = BlobCorrupt("the file is not as long as it was")
                    raise self.failure
                await writer.write(piece)
                self._reached(self.sent + len(piece))
        finally:
            # A thread is still using the file, whatever happened here; what it reads is of no interest.
            with suppress(OSError):
                await settled(ahead)

    def _reached(self, sent: int) -> None:
        self.sent = sent
        self._moved(sent)


@asynccontextmanager
async def idle_limit(body: FileBody, idle_s: float) -> AsyncIterator[None]:
    """Raise TimeoutError in the block once nothing has left for the kernel for ``idle_s`` seconds.

    After the last byte it may take ``ANSWER_FACTOR`` times as long until the answer ends the block.
    """
    loop = asyncio.get_running_loop()
    handle: asyncio.TimerHandle

    async with asyncio.timeout(idle_s) as limit:

        def look(last: int) -> None:
            nonlocal handle
            if body.sent != last and not limit.expired():
                limit.reschedule(loop.time() + idle_s * (ANSWER_FACTOR if body.complete else 1))
            handle = loop.call_later(idle_s / 8, look, body.sent)

        handle = loop.call_later(idle_s / 8, look, 0)
        try:
            yield
        finally:
            handle.cancel()
