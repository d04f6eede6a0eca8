"""A web of files in memory, in place of the HTTP client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from filebot.errors import Refused, SizeMismatch
from filebot.filenames import name_from_url
from filebot.model import Slot

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class HostedFile:
    """What stands behind a URL."""

    content: bytes
    media_type: str | None = None
    name: str | None = None
    size: int | None = None
    """As the server announces it, which need not be true."""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(self.content), _PIECE):
            yield self.content[start : start + _PIECE]
        if self.size is not None and self.size != len(self.content):
            raise SizeMismatch(announced_bytes=self.size, received_bytes=len(self.content))


class MemoryWeb:
    """The ``HttpTransfer`` port. Put files into ``hosted`` by hand, or through :meth:`put`."""

    def __init__(self) -> None:
        self.hosted: dict[str, HostedFile] = {}

    @asynccontextmanager
    async def get(self, url: str) -> AsyncIterator[HostedFile]:
        file = self.hosted.get(url)
        if file is None:
            raise Refused(status=404)
        size = len(file.content) if file.size is None else file.size
        yield HostedFile(file.content, file.media_type, file.name or name_from_url(url), size)

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        self.hosted[slot.get_url] = HostedFile(await asyncio.to_thread(file.read_bytes), media_type)

    async def alive(self, url: str, size: int) -> bool:
        return url in self.hosted and len(self.hosted[url].content) == size
