"""One download by HTTP, over as many connections as it takes."""

import asyncio
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, Self

import aiohttp

from filebot.errors import PeerGone, Refused, SizeMismatch, TransferError, Unresumable
from filebot.filenames import name_from_url
from filebot.protocol.http_range import (
    AnnouncedBody,
    Attempts,
    announced_by,
    bytes_to_skip,
    resume_headers,
    updated_by,
)
from filebot.transfer.http.errors import translated

PIECE_BYTES: Final = 1024 * 1024
"""The largest piece given out; aiohttp buffers up to twice as much."""

Request = Callable[[Mapping[str, str]], Awaitable[aiohttp.ClientResponse]]
"""Sends the GET, once more if need be, with these further headers."""

# Range not satisfiable; and what a server says while it restarts.
_NO_RANGES: Final = 416
_PASSING: Final = frozenset({502, 503, 504})


class HttpDownload:
    """An open answer with the file, or the rest of it. Implements :class:`filebot.ports.Download`."""

    late_hashes: Mapping[str, bytes] = MappingProxyType({})

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        url: str,
        request: Request,
        offset: int,
        idle_s: float,
        *,
        hashed: bool,
    ) -> None:
        """``response`` is to a request for all from ``offset`` on. Raises PeerProtocolError.

        ``hashed``: what is joined is proved to be one file by a hash.
        """
        self._hashed = hashed or offset > 0
        self._response = response
        self._request = request
        self._host = response.url.raw_host or ""
        self._idle_s = idle_s
        self._announced = announced_by(response.status, response.headers, response.content_length)
        self._received = offset
        self._skip = self._known(response)
        self._ranges = True
        self._attempts = Attempts(received=offset)
        self.name: str | None = _disposition_name(response) or name_from_url(url)
        self.media_type: str | None = response.content_type if "Content-Type" in response.headers else None

    @classmethod
    async def open(
        cls, request: Request, url: str, offset: int, idle_s: float, *, hashed: bool = False
    ) -> Self:
        """Ask for the file, or for the rest of it. Raises TransferError."""
        response = await request(resume_headers(AnnouncedBody(None, None), offset))
        if response.status == _NO_RANGES and offset:
            response.close()
            response = await request({})
        try:
            _check_status(response.status, offset)
            return cls(response, url, request, offset, idle_s, hashed=hashed)
        except BaseException:
            response.close()
            raise

    @property
    def size(self) -> int | None:
        return self._announced.size

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        while piece := await self._next():
            yield piece

    def close(self) -> None:
        """Drop the connection, unless the answer was read to its end."""
        self._response.close()

    async def _next(self) -> bytes:
        """The next piece; empty at the end."""
        while True:
            try:
                piece = await self._response.content.read(PIECE_BYTES)
            except (aiohttp.ClientError, OSError) as error:
                await self._go_on(translated(error, host=self._host, idle_s=self._idle_s))
                continue
            if not piece and not self._is_short():
                return b""
            if not piece:
                await self._go_on(PeerGone("the answer ended early"))
                continue
            if self._skip:
                piece = self._without_known(piece)
            self._count(piece)
            if piece:
                return piece

    def _is_short(self) -> bool:
        return self.size is not None and self._received < self.size

    def _without_known(self, piece: bytes) -> bytes:
        known = min(self._skip, len(piece))
        self._skip -= known
        return piece[known:]

    def _count(self, piece: bytes) -> None:
        self._received += len(piece)
        if self.size is not None and self._received > self.size:
            raise SizeMismatch(announced_bytes=self.size, received_bytes=self._received)

    async def _go_on(self, failure: TransferError) -> None:
        """Open another connection for the rest, or raise."""
        self._response.close()
        if isinstance(failure, PeerGone) and not self._may_join():
            raise Unresumable(str(failure)) from failure
        while True:
            delay_s = self._attempts.next_delay_s(self._received)
            if not isinstance(failure, PeerGone) or delay_s is None:
                raise self._verdict(failure)
            await asyncio.sleep(delay_s)
            try:
                await self._resume()
            except Unresumable:
                raise
            except PeerGone as error:
                failure = error
            else:
                return

    def _may_join(self) -> bool:
        return not self._received or self._hashed or self._announced.recognizable

    def _verdict(self, failure: TransferError) -> TransferError:
        if isinstance(failure, PeerGone) and self.size is not None and self._received:
            return SizeMismatch(announced_bytes=self.size, received_bytes=self._received)
        return failure

    async def _resume(self) -> None:
        headers = resume_headers(self._announced, self._received) if self._ranges else {}
        response = await self._request(headers)
        try:
            self._skip = self._judge(response)
        except BaseException:
            response.close()
            raise
        self._response = response

    def _judge(self, response: aiohttp.ClientResponse) -> int:
        if response.status == _NO_RANGES and self._ranges:
            self._ranges = False
            raise PeerGone("ranges are refused")
        if response.status in _PASSING:
            raise PeerGone(f"status {response.status}")
        if response.status not in {200, 206}:
            raise Refused(status=response.status)
        known = self._known(response)
        self._announced = updated_by(
            self._announced, self._received, response.status, response.headers, response.content_length
        )
        return known

    def _known(self, response: aiohttp.ClientResponse) -> int:
        """How much of what an answer brings is there already. Raises TransferError if it does not fit."""
        return bytes_to_skip(
            self._announced,
            self._received,
            response.status,
            response.headers,
            response.content_length,
            hashed=self._hashed,
        )


def _check_status(status: int, offset: int) -> None:
    if status not in ({200, 206} if offset else {200}):
        raise Refused(status=status)


def _disposition_name(response: aiohttp.ClientResponse) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiohttp warns of every header that is not well-formed
        disposition = response.content_disposition
    return disposition.filename if disposition else None
