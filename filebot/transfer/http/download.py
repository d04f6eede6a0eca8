"""One download by HTTP, over as many connections as it takes.

Of how a download goes on, :mod:`filebot.protocol.http_range`, nothing is needed until one breaks. A file
that comes compressed is counted, resumed and compared as it comes, and unpacked after that.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

import aiohttp

from filebot.errors import (
    NoDescriptors,
    PeerGone,
    PeerProtocolError,
    Refused,
    SizeMismatch,
    TransferError,
    Unresumable,
    WebPageInstead,
)
from filebot.filenames import extension, name_from_link
from filebot.protocol.http_range import (
    AnnouncedBody,
    Attempts,
    announced_by,
    bytes_to_skip,
    is_whole,
    resume_headers,
    retry_after_s,
    updated_by,
)
from filebot.system.descriptors import is_shortage
from filebot.transfer.http.errors import translated

if TYPE_CHECKING:
    from filebot.transfer.http.content_coding import Unpacker

PIECE_BYTES: Final = 1024 * 1024
"""The largest piece given out; aiohttp buffers up to twice as much."""

Request = Callable[[Mapping[str, str]], Awaitable[aiohttp.ClientResponse]]
"""Sends the GET, once more if need be, with these further headers."""

# Range not satisfiable; and what a server says while it restarts.
_NO_RANGES: Final = 416
_PASSING: Final = frozenset({502, 503, 504})
_BUSY: Final = frozenset({429, 503})

LONGEST_PAUSE_S: Final = 10.0
"""The longest that a busy server may ask for (Retry-After); it is asked once more."""

# Servers that want a login, or have lost the file, send a page in its place, with status 200.
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_PAGE_STARTS: Final = (b"<!doctype html", b"<html", b"<head")
_NO_PAGES: Final = re.compile(
    r"\.(7z|aac|apk|avi|bz2|csv|deb|dmg|docx?|epub|exe|flac|gif|gz|heic|iso|jpe?g|json|m4a|mkv|mov|mp[34g]"
    r"|msi|od[pst]|ogg|opus|pdf|png|pptx?|rar|rtf|svg|tar|tgz|tiff?|txt|wav|web[mp]|xlsx?|xml|xz|zip)"
)
"""Endings of what is no web page."""


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
        left_out: int = 0,
    ) -> None:
        """``response`` is to a request for all from ``offset`` on. Raises PeerProtocolError.

        ``hashed``: what is joined is proved to be one file by a hash. ``left_out`` bytes of what comes out
        of a compressed file are not given out.
        """
        self._hashed = hashed or offset > 0
        self._left_out = left_out
        self._first = self._response = response
        self._request = request
        self._host = response.url.raw_host or ""
        self._idle_s = idle_s
        self._offset = self._received = offset
        self._skip = self._known(response) if offset else 0
        self._ranges = True
        self._length = self._announced.size if offset else response.content_length
        self.media_type: str | None = response.content_type if "Content-Type" in response.headers else None
        named = _disposition_name(response)
        self.name: str | None = named or name_from_link(url, str(response.url))
        self._may_be_page = (
            self.media_type in _PAGES
            and not named
            and not offset
            and _NO_PAGES.fullmatch(extension(self.name or "")) is not None
        )
        self._unpacker = self._unpacker_for(response)

    @property
    def size(self) -> int | None:
        """Bytes of the whole file, unless it comes compressed."""
        return None if self._unpacker else self._length

    @classmethod
    async def open(
        cls, request: Request, url: str, offset: int, idle_s: float, *, hashed: bool = False
    ) -> Self:
        """Ask for the file, or for the rest of it. Raises TransferError."""
        response = await request(resume_headers(AnnouncedBody(None, None), offset) if offset else {})
        if offset and (response.status == _NO_RANGES or "Content-Encoding" in response.headers):
            # Ranges of a compressed file are not those of what comes out.
            response.close()
            response = await request({})
        pause_s = retry_after_s(response.headers) if response.status in _BUSY else None
        if pause_s is not None and pause_s <= LONGEST_PAUSE_S:
            response.close()
            await asyncio.sleep(pause_s)
            response = await request({})
        try:
            _check_status(response, offset)
            if not offset or "Content-Encoding" not in response.headers:
                return cls(response, url, request, offset, idle_s, hashed=hashed)
            download = cls(response, url, request, 0, idle_s, hashed=True, left_out=offset)
        except BaseException:
            response.close()
            raise
        return download

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        if not self._unpacker and not self._left_out and not self._may_be_page:
            while piece := await self._next():
                yield piece
            return
        while raw := await self._next():
            for piece in self._unpacker.unpack(raw) if self._unpacker else (raw,):
                if self._may_be_page:
                    self._must_be_no_page(piece)
                if kept := self._without_left_out(piece):
                    yield kept
        if self._unpacker:
            self._unpacker.finish()
        if self._left_out:
            raise PeerProtocolError("the file is shorter than what is there already")

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

    def _unpacker_for(self, response: aiohttp.ClientResponse) -> "Unpacker | None":
        if "Content-Encoding" not in response.headers:
            return None
        from filebot.transfer.http.content_coding import Unpacker, codings_of  # noqa: PLC0415 - seldom met

        codings = codings_of(response.headers, self.name, self.media_type)
        return Unpacker(codings) if codings else None

    def _must_be_no_page(self, first: bytes) -> None:
        self._may_be_page = False
        if first[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE_STARTS):
            raise WebPageInstead(self._host)

    def _without_left_out(self, piece: bytes) -> bytes:
        known = min(self._left_out, len(piece))
        self._left_out -= known
        return piece[known:]

    @cached_property
    def _announced(self) -> AnnouncedBody:
        first = self._first
        return announced_by(first.status, first.headers, first.content_length)

    @cached_property
    def _attempts(self) -> Attempts:
        return Attempts(received=self._offset)

    def _is_short(self) -> bool:
        return self._length is not None and self._received < self._length

    def _without_known(self, piece: bytes) -> bytes:
        known = min(self._skip, len(piece))
        self._skip -= known
        return piece[known:]

    def _count(self, piece: bytes) -> None:
        self._received += len(piece)
        if self._length is not None and self._received > self._length:
            raise SizeMismatch(announced_bytes=self._length, received_bytes=self._received)

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
        if isinstance(failure, PeerGone) and self._length is not None and self._received:
            return SizeMismatch(announced_bytes=self._length, received_bytes=self._received)
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
        coding, first = (each.headers.get("Content-Encoding") for each in (response, self._first))
        # A 206 to If-Range may leave it out (RFC 9110 section 15.3.7).
        if coding != first and (response.status != 206 or coding is not None):
            raise Unresumable("the rest has another content coding")
        self._announced = updated_by(
            self._announced, self._received, response.status, response.headers, response.content_length
        )
        self._length = self._announced.size
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


def _check_status(response: aiohttp.ClientResponse, offset: int) -> None:
    status, headers = response.status, response.headers
    if status == 200 or (status == 206 and (offset or is_whole(headers, response.content_length))):
        return
    raise Refused(status=status, retry_after_s=retry_after_s(headers))


def _disposition_name(response: aiohttp.ClientResponse) -> str | None:
    header = response.headers.get("Content-Disposition", "")
    if "=" not in header:
        return None
    from filebot.protocol.content_disposition import file_name  # noqa: PLC0415 - few servers name a file

    return file_name(header)


@contextmanager
def peer_errors(host: str, idle_s: float) -> Iterator[None]:
    """Turn what aiohttp raises into TransferErrors, or NoDescriptors where the trouble is the bot's own."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        if is_shortage(error):
            raise NoDescriptors(str(error)) from error
        raise translated(error, host=host, idle_s=idle_s) from error
