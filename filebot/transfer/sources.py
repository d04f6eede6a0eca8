"""Sources of bytes by the scheme of their URL: the bot's own for the web, and those of installed packages.

What is foreign is bounded here: it has the bot's idle limit for each step, and whatever it raises is an
error of this one transfer.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass

from filebot.errors import FilebotError, ForbiddenTarget, PeerGone, PeerProtocolError, TransferTimeout
from filebot.ports import Data, Download, UrlSource
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.resolver import MOST_ADDRESSES, NameLookup

log = logging.getLogger(__name__)


class Connector:
    """Maker of TCP connections to hosts that strangers name, under the address policy."""

    def __init__(self, policy: AddressPolicy, names: NameLookup, idle_s: float) -> None:
        self._policy = policy
        self._names = names
        self._idle_s = idle_s

    async def __call__(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to exactly an address that was checked. Raises ForbiddenTarget or PeerGone."""
        try:
            found = [address[0] for *_, address in await self._names.addresses(host, port)]
        except UnicodeError as error:
            raise ForbiddenTarget(reason="malformed") from error
        except OSError as error:
            raise PeerGone(f"{host}: {error.strerror or error}") from error
        allowed = [each for each in dict.fromkeys(found) if self._policy.allows(str(each))]
        if not allowed:
            raise ForbiddenTarget(reason="private")
        for each in allowed[:MOST_ADDRESSES]:
            try:
                async with asyncio.timeout(self._idle_s):
                    return await asyncio.open_connection(str(each), port)
            except OSError as error:  # TimeoutError is one
                log.debug("%s, port %d: %s", each, port, error)
        raise PeerGone(f"{host}: no address answers")


class SourcesByScheme:
    """Implements :class:`filebot.ports.UrlSource` by others, each for one scheme."""

    def __init__(self, web: UrlSource, foreign: Mapping[str, UrlSource], idle_s: float) -> None:
        """``web`` has every scheme that ``foreign`` has not, and refuses those that it does not know."""
        self._web = web
        self._foreign = foreign
        self._idle_s = idle_s

    def get(
        self, url: str, offset: int = 0, *, hashed: bool = False
    ) -> AbstractAsyncContextManager[Download]:
        """Open a download by the source of the URL's scheme."""
        scheme = url.partition(":")[0].strip().lower()
        source = self._foreign.get(scheme)
        if source is None:
            return self._web.get(url, offset, hashed=hashed)
        return self._bounded(scheme, source.get(url, offset, hashed=hashed))

    @asynccontextmanager
    async def _bounded(
        self, scheme: str, opening: AbstractAsyncContextManager[Download]
    ) -> AsyncIterator[Download]:
        with_errors = _Errors(scheme, self._idle_s)
        with with_errors:
            async with asyncio.timeout(self._idle_s):
                download = await opening.__aenter__()
        try:
            yield _BoundedDownload(download, with_errors, self._idle_s)
        finally:
            with with_errors:
                async with asyncio.timeout(self._idle_s):
                    await opening.__aexit__(None, None, None)


class _Errors:
    """Context in which whatever a source raises becomes a TransferError."""

    def __init__(self, scheme: str, idle_s: float) -> None:
        self._scheme = scheme
        self._idle_s = idle_s

    def __enter__(self) -> None:
        """Begin it."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise TransferTimeout(idle_s=self._idle_s) from error
        if isinstance(error, Exception) and not isinstance(error, FilebotError):
            log.error("the source of %s failed", self._scheme, exc_info=error)
            raise PeerProtocolError(
                f"the source of {self._scheme} failed: {type(error).__name__}"
            ) from error


@dataclass(frozen=True, slots=True)
class _BoundedDownload:
    """Implements :class:`filebot.ports.Download` by one of a foreign source."""

    download: Download
    with_errors: _Errors
    idle_s: float

    @property
    def size(self) -> int | None:
        return self.download.size

    @property
    def name(self) -> str | None:
        return self.download.name

    @property
    def media_type(self) -> str | None:
        return self.download.media_type

    @property
    def late_hashes(self) -> Mapping[str, bytes]:
        return self.download.late_hashes

    async def chunks(self) -> AsyncGenerator[Data, None]:
        async with aclosing(self.download.chunks()) as chunks:
            while True:
                with self.with_errors:
                    async with asyncio.timeout(self.idle_s):
                        chunk = await anext(chunks, None)
                if chunk is None:
                    return
                if not isinstance(chunk, bytes | bytearray | memoryview):
                    raise PeerProtocolError(f"a source gave {type(chunk).__name__}, which is no bytes")
                yield chunk
