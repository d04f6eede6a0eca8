"""One download by HTTP, over as many connections as it takes, and what aiohttp's exceptions mean.

Of how a download goes on, :mod:`filebot.protocol.http_range`, nothing is needed until one breaks.
"""

import asyncio
import logging
import ssl
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from types import MappingProxyType
from typing import Final, Self

import aiohttp

from filebot.errors import (
    ForbiddenTarget,
    NoDescriptors,
    PeerGone,
    PeerProtocolError,
    Refused,
    SizeMismatch,
    TransferError,
    TransferTimeout,
    Unresumable,
)
from filebot.filenames import name_from_url
from filebot.protocol.http_range import (
    AnnouncedBody,
    Attempts,
    announced_by,
    bytes_to_skip,
    resume_headers,
    updated_by,
)
from filebot.system.descriptors import is_shortage

_log = logging.getLogger(__name__)

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
        self._first = self._response = response
        self._request = request
        self._host = response.url.raw_host or ""
        self._idle_s = idle_s
        self._offset = self._received = offset
        self._skip = self._known(response) if offset else 0
        self._ranges = True
        self.size: int | None = self._announced.size if offset else response.content_length
        self.name: str | None = _disposition_name(response) or name_from_url(url)
        self.media_type: str | None = response.content_type if "Content-Type" in response.headers else None

    @classmethod
    async def open(
        cls, request: Request, url: str, offset: int, idle_s: float, *, hashed: bool = False
    ) -> Self:
        """Ask for the file, or for the rest of it. Raises TransferError."""
        response = await request(resume_headers(AnnouncedBody(None, None), offset) if offset else {})
        if response.status == _NO_RANGES and offset:
            response.close()
            response = await request({})
        try:
            _check_status(response.status, offset)
            return cls(response, url, request, offset, idle_s, hashed=hashed)
        except BaseException:
            response.close()
            raise

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
                await self._go_on(_translated(error, host=self._host, idle_s=self._idle_s))
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

    @cached_property
    def _announced(self) -> AnnouncedBody:
        first = self._first
        return announced_by(first.status, first.headers, first.content_length)

    @cached_property
    def _attempts(self) -> Attempts:
        return Attempts(received=self._offset)

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
        self.size = self._announced.size
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


@contextmanager
def peer_errors(host: str, idle_s: float) -> Iterator[None]:
    """Turn what aiohttp raises into TransferErrors, or NoDescriptors where the trouble is the bot's own."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        if is_shortage(error):
            raise NoDescriptors(str(error)) from error
        raise _translated(error, host=host, idle_s=idle_s) from error


def _translated(error: Exception, *, host: str, idle_s: float) -> TransferError:
    """The TransferError for what aiohttp raised. Logs TLS troubles: the operator has to see those."""
    if isinstance(error, TimeoutError):
        return TransferTimeout(idle_s=idle_s)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        _log.warning("TLS with %s failed: %s", host, _tls_reason(error))
        return PeerGone(f"TLS with {host} failed")
    if isinstance(error, aiohttp.InvalidURL):
        return ForbiddenTarget(reason="malformed")
    if isinstance(error, aiohttp.ClientResponseError):
        return PeerProtocolError(f"no valid HTTP from {host}: {error.message}")
    return PeerGone(f"{host}: {type(error).__name__}")


def _tls_reason(error: Exception) -> str:
    inner = error.__cause__ or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {inner.verify_message}"
    return getattr(inner, "reason", None) or type(inner).__name__
