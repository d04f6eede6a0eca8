"""Files by HTTP, to and from servers that others name (XEP-0363, XEP-0066).

Every URL, redirects included, passes the address policy before anything is connected. There is a limit on
standstill, and one on the time until an answer begins; how long it may then take is up to the caller.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from filebot.concurrency.tasks import Threads
from filebot.errors import (
    ForbiddenTarget,
    PeerProtocolError,
    Refused,
    ServerTimeout,
    TransferError,
    TransferTimeout,
)
from filebot.model import HttpRequest, HttpResponse, Slot
from filebot.protocol.http_range import announced_by
from filebot.system.certificates import Trust
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.cookies import RedirectCookies
from filebot.transfer.http.download import PIECE_BYTES, HttpDownload, peer_errors
from filebot.transfer.http.resolver import NameLookup, PolicyResolver
from filebot.transfer.http.upload import FileBody, idle_limit

_log = logging.getLogger(__name__)

MAX_REDIRECTS: Final = 10
READERS: Final = 4
"""Threads that read files for uploads over TLS."""
ANSWER_S: Final = 120.0
"""Within that the headers of the answer are there, redirects included: they may not trickle in for ever."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_GONE: Final = frozenset({404, 410})
_BUSY: Final = frozenset({429, 503})
"""Answers that say nothing about a file, or that ask to come again."""

# The bytes as they are: compressed ones would have another size, and might be a bomb.
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "filebot"}

# A connection kept for later holds a descriptor without a slot, and strangers name the hosts.
_CLOSE: Final = {"Connection": "close"}
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class HttpClient:
    """Implements :class:`filebot.ports.HttpTransfer`. The one aiohttp session of a policy.

    Made anywhere, used in one event loop, closed by :meth:`close` or as a context manager.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        ca_file: Path | None = None,
        idle_s: float = 60,
        names: NameLookup | None = None,
    ) -> None:
        """``ca_file`` has certificates to trust beside the system's. Raises ConfigError if unreadable."""
        self._names = names or NameLookup()
        self._files = Threads("upload", READERS)
        self._policy = policy
        self._idle_s = idle_s
        self._trust = Trust(ca_file)
        self._made: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._made is not None:
            await self._made.close()

    @asynccontextmanager
    async def get(self, url: str, offset: int = 0, *, hashed: bool = False) -> AsyncIterator[HttpDownload]:
        download = await HttpDownload.open(
            lambda headers: self._follow("GET", url, {**headers, **_CLOSE}),
            url,
            offset,
            self._idle_s,
            hashed=hashed,
        )
        try:
            yield download
        finally:
            download.close()

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        url = self._policy.check(slot.put_url)
        size = (await self._files.run(file.stat)).st_size
        body = FileBody(file, size, moved, self._idle_s, self._files)
        headers = {**slot.headers, "Content-Type": media_type, "Content-Length": str(size)}
        with peer_errors(url.raw_host or "", self._idle_s):
            try:
                async with (
                    idle_limit(body, self._idle_s),
                    self._session().put(
                        url,
                        data=body,
                        headers=headers,
                        ssl=self._trust.context(),
                        allow_redirects=False,  # XEP-0363 knows none
                        timeout=aiohttp.ClientTimeout(total=None, connect=self._idle_s),
                    ) as response,
                ):
                    status = response.status
            except (aiohttp.ClientError, OSError):
                if isinstance(body.failure, TransferTimeout):
                    raise ServerTimeout(url.raw_host or "", idle_s=self._idle_s) from None
                if body.failure is not None:
                    raise body.failure from None
                raise
        if not 200 <= status < 300:
            raise Refused(status=status)
        if not body.complete:
            raise PeerProtocolError("the upload was confirmed before it was complete")

    async def request(self, request: HttpRequest, *, most_bytes: int, limit_s: float) -> HttpResponse:
        try:
            async with asyncio.timeout(limit_s):
                return await self._whole_answer(request, most_bytes)
        except TimeoutError as error:
            raise TransferError(f"no whole answer within {limit_s:g} s") from error

    async def _whole_answer(self, request: HttpRequest, most_bytes: int) -> HttpResponse:
        if request.method == "GET":
            response = await self._redirected("GET", request.url, _CLOSE, request.headers)
        else:
            target = self._policy.check(request.url)
            with peer_errors(target.raw_host or "", self._idle_s):
                response = await self._session().request(
                    request.method,
                    target,
                    headers={**request.headers, **_CLOSE},
                    data=request.body,
                    ssl=self._trust.context(),
                    allow_redirects=False,
                )
        body = bytearray()
        try:
            with peer_errors(response.url.raw_host or "", self._idle_s):
                async for piece in response.content.iter_chunked(PIECE_BYTES):
                    body += piece
                    if len(body) > most_bytes:
                        raise TransferError(f"the answer has more than {most_bytes} bytes")
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status, headers, bytes(body))

    async def alive(self, url: str, size: int) -> bool | None:
        try:
            response = await self._follow("HEAD", url, {})
            response.close()
            if response.status == 200 and response.content_length == size:
                return True
            if response.status in _GONE:
                return False
            # COMPAT(hosts with signed URLs): serve GET alone. Others tell HEAD no length, or a wrong one.
            response = await self._follow("GET", url, {"Range": "bytes=0-0"})
            response.close()
        except TransferError as error:
            _log.debug("not known to be there: %r", error)
            return None
        if response.status not in {200, 206}:
            return None if response.status in _BUSY else False
        told = announced_by(response.status, response.headers, response.content_length)
        # That of what comes compressed is not the size of the file.
        return None if told.size is None or "Content-Encoding" in response.headers else told.size == size

    async def _follow(self, method: str, url: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """The first answer that is no redirect. Raises TransferError."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._redirected(method, url, headers)
        except TimeoutError as error:
            raise TransferError(f"no answer within {ANSWER_S:.0f} s") from error

    async def _redirected(
        self, method: str, url: str, headers: Mapping[str, str], confidential: Mapping[str, str] = _NOTHING
    ) -> aiohttp.ClientResponse:
        """Follow redirects; ``confidential`` are headers for the first origin alone."""
        origin = self._policy.check(url).origin()
        cookies: RedirectCookies | None = None
        seen = set[tuple[URL, str]]()
        for _ in range(MAX_REDIRECTS + 1):
            target = self._policy.check(url)
            cookie = cookies.header(target) if cookies else ""
            if (target, cookie) in seen:
                raise ForbiddenTarget(reason="redirect_loop")
            seen.add((target, cookie))
            sent = {**(confidential if target.origin() == origin else {}), **headers}
            if cookie:
                sent = {"Cookie": cookie, **sent}
            with peer_errors(target.raw_host or "", self._idle_s):
                response = await self._session().request(
                    method, target, headers=sent, ssl=self._trust.context(), allow_redirects=False
                )
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                return response
            if response.cookies:
                cookies = cookies or RedirectCookies()
                cookies.add(target, response.cookies.values())
            response.close()
            url = _joined(target, location)
            if target.scheme == "https" and url.lower().startswith("http:"):
                self._check_downgrade(url)
        raise ForbiddenTarget(reason="redirects")

    def _check_downgrade(self, url: str) -> None:
        """Raise ForbiddenTarget if a secure link must not lead to this one."""
        try:
            self._policy.check(url)
        except ForbiddenTarget as error:
            reason = "downgrade" if error.reason == "insecure" else error.reason
            raise ForbiddenTarget(reason=reason) from error

    def _session(self) -> aiohttp.ClientSession:
        if self._made is None:
            resolver = PolicyResolver(self._policy, self._names)
            self._made = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=None, connect=self._idle_s, sock_read=self._idle_s),
                auto_decompress=False,  # bounded, and only what is not the file itself: see content_coding
                trust_env=False,
            )
        return self._made


def _joined(base: URL, location: str) -> str:
    try:
        return urljoin(str(base), location)
    except ValueError as error:
        raise ForbiddenTarget(reason="malformed") from error
