"""Source of files behind rows://HOST:PORT/NAME: a toy protocol, for tests of installed sources.

It sends the name on one line, and is sent the length on one line, and the bytes.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from filebot.plugin import Download, PeerGone, SourceServices


@dataclass
class Rows:
    """An open download."""

    reader: asyncio.StreamReader
    name: str
    size: int
    skip: int
    media_type: str | None = None
    late_hashes: Mapping[str, bytes] = field(default_factory=dict)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        await self.reader.readexactly(self.skip)
        left = self.size - self.skip
        while left:
            chunk = await self.reader.read(min(left, 65_536))
            if not chunk:
                raise PeerGone("it ended early")
            left -= len(chunk)
            yield chunk


class RowsSource:
    """The source; its class is the factory."""

    def __init__(self, services: SourceServices) -> None:
        self._connect = services.connect

    @asynccontextmanager
    async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[Download]:
        parts = urlsplit(url)
        name = parts.path.removeprefix("/")
        reader, writer = await self._connect(parts.hostname or "", parts.port or 7)
        try:
            writer.write(f"{name}\n".encode())
            yield Rows(reader, name, int(await reader.readline()), offset)
        finally:
            writer.close()


def broken(_: SourceServices) -> None:
    """Fail as a factory."""
    raise LookupError("no such library")
