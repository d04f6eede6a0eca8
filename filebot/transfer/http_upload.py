"""The body of one upload: counted, and watched for standstill."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

from aiohttp import UploadTracker

from filebot.errors import LocalProtocolError

ANSWER_FACTOR: Final = 4
"""The kernel buffers megabytes: on a slow line they are still on their way when the last byte is handed
over, and some servers copy the file before they answer."""


class UploadBody:
    """Exactly ``size`` bytes from an iterator, as aiohttp's writer task takes them.

    An iterator that gives more or fewer ends in LocalProtocolError. aiohttp wraps whatever is raised here
    into errors of its own; ``failure`` keeps the original.
    """

    def __init__(self, chunks: AsyncIterator[bytes], size: int) -> None:
        self._chunks = chunks
        self._left = size
        self._pulling: asyncio.Future[None] | None = None
        self.failure: Exception | None = None

    @property
    def complete(self) -> bool:
        """Whether every byte was taken."""
        return self._left == 0

    async def settle(self) -> None:
        """Wait until nobody is inside of the iterator any more, so that its owner can close it.

        aiohttp cancels its writer task, and does not wait for it if the request was cancelled, too.
        """
        if self._pulling is not None:
            await self._pulling

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._pulling = asyncio.get_running_loop().create_future()
        try:
            chunk = await anext(self._chunks, None)
            self._account(chunk)
        except Exception as error:
            self.failure = error
            raise
        finally:
            self._pulling.set_result(None)
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def _account(self, chunk: bytes | None) -> None:
        if chunk is not None:
            self._left -= len(chunk)
        if self._left < 0 or (chunk is None and self._left):
            raise LocalProtocolError("not as many bytes as the upload slot is for")


@asynccontextmanager
async def idle_limit(sent: UploadTracker, body: UploadBody, idle_s: float) -> AsyncIterator[None]:
    """Raise TimeoutError in the block once nothing has left for the kernel for ``idle_s`` seconds.

    After the last byte it may take ``ANSWER_FACTOR`` times as long until the answer ends the block.
    """
    loop = asyncio.get_running_loop()
    handle: asyncio.TimerHandle

    async with asyncio.timeout(idle_s) as limit:

        def look(last: tuple[int, bool]) -> None:
            nonlocal handle
            now = (sent.bytes_written, body.complete)
            if now != last and not limit.expired():
                limit.reschedule(loop.time() + idle_s * (ANSWER_FACTOR if body.complete else 1))
            handle = loop.call_later(idle_s / 8, look, now)

        handle = loop.call_later(idle_s / 8, look, (0, False))
        try:
            yield
        finally:
            handle.cancel()
