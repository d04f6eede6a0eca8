"""Files on HTTP servers, in memory: a fake of the HTTP client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from filebot.errors import (
    PeerGone,
    PeerProtocolError,
    Refused,
    SizeMismatch,
    TransferError,
    Unresumable,
)
from filebot.filenames import name_from_url
from filebot.model import HttpRequest, HttpResponse, Slot
from filebot.transfer.address_policy import AddressPolicy

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class HostedFile:
    """File behind a URL, and how its server behaves."""

    content: bytes
    media_type: str | None = None
    name: str | None = None
    size: int | None = None
    """Size that the server announces, which need not be true."""
    breaks_at: int | None = None
    """Offset at which every connection breaks."""
    recognizable: bool = True
    """Whether the server tells one version of the file from another."""
    offset: int = 0
    """Offset of the first chunk."""
    late_hashes: Mapping[str, bytes] = field(default_factory=dict)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        until = len(self.content) if self.breaks_at is None else self.breaks_at
        for start in range(self.offset, until, _PIECE):
            yield self.content[start : min(start + _PIECE, until)]
        if self.breaks_at is not None:
            raise PeerGone("broken") if self.recognizable else Unresumable("broken")
        if self.size is not None and self.size != len(self.content):
            raise SizeMismatch(announced_bytes=self.size, received_bytes=len(self.content))


class MemoryWeb:
    """Implements the ``HttpTransfer`` port. Tests add files to ``hosted``, or by :meth:`put`."""

    def __init__(self) -> None:
        self.hosted: dict[str, HostedFile] = {}
        self.asked: list[tuple[str, int]] = []
        """URL and offset of every download that was begun."""
        self.answers: dict[str, HttpResponse | TransferError] = {}
        """Answers to the requests of plugins, by URL; a hosted file is one to a GET, and else it is 404."""
        self.requests: list[HttpRequest] = []
        """Requests of plugins, in order."""
        self.fault: HttpResponse | TransferError | None = None
        """Answer of all servers to everything, see ``bot.faults.http``."""

    @asynccontextmanager
    async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[HostedFile]:
        self.asked.append((url, offset))
        self._fail()
        file = self.hosted.get(url)
        if file is None:
            raise Refused(status=404)
        size = len(file.content) if file.size is None else file.size
        if offset > size:
            raise PeerProtocolError("the file is shorter than what is there already")
        yield replace(
            file,
            name=file.name or name_from_url(url),
            size=size,
            offset=offset,
            recognizable=file.recognizable or hashed or offset > 0,
        )

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        self._fail()
        self.hosted[slot.get_url] = HostedFile(await asyncio.to_thread(file.read_bytes), media_type)

    async def request(self, request: HttpRequest, *, most_bytes: int, limit_s: float) -> HttpResponse:
        AddressPolicy().check(request.url)
        self.requests.append(request)
        if isinstance(self.fault, HttpResponse):
            return self.fault
        self._fail()
        file = self.hosted.get(request.url)
        hosted = None if file is None or request.method != "GET" else HttpResponse(200, {}, file.content)
        answer = self.answers.get(request.url, hosted or HttpResponse(404))
        if isinstance(answer, TransferError):
            raise answer
        if len(answer.body) > most_bytes:
            raise TransferError(f"the answer has more than {most_bytes} bytes")
        return answer

    def _fail(self) -> None:
        if isinstance(self.fault, HttpResponse):
            raise Refused(status=self.fault.status)
        if self.fault is not None:
            raise self.fault

    async def alive(self, url: str, size: int) -> bool | None:
        return url in self.hosted and len(self.hosted[url].content) == size
