"""Fetch what a finger server says: `fetch finger://example.org/alice`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from urllib.parse import urlsplit

from filebot.plugin import PeerGone, SourceServices


class Answer:
    """A download."""

    size = None
    media_type = "text/plain"
    late_hashes: Mapping[str, bytes] = {}

    def __init__(self, name: str, reader: asyncio.StreamReader) -> None:
        self.name = name
        self._reader = reader

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        while chunk := await self._reader.read(65536):
            yield chunk


class FingerSource:
    """A source."""

    def __init__(self, services: SourceServices) -> None:
        self._services = services

    @asynccontextmanager
    async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[Answer]:
        parts = urlsplit(url)
        user = parts.path.removeprefix("/")
        reader, writer = await self._services.connect(parts.hostname or "", parts.port or 79)
        with closing(writer):
            try:
                writer.write(f"{user}\r\n".encode())
                await writer.drain()
                await reader.readexactly(offset)
            except (asyncio.IncompleteReadError, OSError) as error:
                raise PeerGone("the finger server has closed the connection") from error
            yield Answer(f"{user}.txt", reader)
