"""The body of one upload: a file, sent by the kernel where it can, and watched for standstill."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NoReturn

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from filebot.errors import BlobCorrupt
from filebot.transfer.sendfile import sendfile

ANSWER_FACTOR: Final = 4
"""The kernel buffers megabytes: on a slow line they are still on their way when the last byte is handed
over, and some servers copy the file before they answer."""

PIECE_BYTES: Final = 1024 * 1024


class FileBody(aiohttp.Payload):
    """Exactly the bytes of a file. ``sent`` counts those that left for the kernel.

    aiohttp wraps what is raised while a body is written into errors of its own; ``failure`` keeps what
    the file itself is to blame for.
    """

    def __init__(self, file: Path, size: int, moved: Callable[[int], None]) -> None:
        super().__init__(file, content_type="application/octet-stream")
        self._moved = moved
        self._size = self._length = size
        self.sent = 0
        self.failure: BlobCorrupt | None = None

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
        with await asyncio.to_thread(self._value.open, "rb", buffering=0) as file:
            if transport.get_extra_info("sslcontext") is None:
                writer.send_headers()
                await sendfile(transport, file.fileno(), self._length, self._account)
            else:
                await self._by_reading(writer, file)

    async def _by_reading(self, writer: AbstractStreamWriter, file: io.FileIO) -> None:
        """TLS is done in this process: the bytes must come through it. One piece is read ahead."""
        ahead = asyncio.ensure_future(asyncio.to_thread(file.read, PIECE_BYTES))
        try:
            while not self.complete:
                piece = await ahead
                ahead = asyncio.ensure_future(asyncio.to_thread(file.read, PIECE_BYTES))
                await writer.write(piece)
                self._account(len(piece))
        finally:
            # A thread is still using the file, whatever happened here.
            await asyncio.wait({ahead})

    def _account(self, count: int) -> None:
        self.sent += count
        if not count or self.sent > self._length:
            self.failure = BlobCorrupt("the file is not as long as it was")
            raise self.failure
        self._moved(self.sent)


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
