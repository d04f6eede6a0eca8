"""Sources of bytes by the scheme of their URL: the bot's own for the web, and those of installed packages.

What is foreign is bounded here: it has the bot's idle limit for each step, and whatever it raises is an
error of this one transfer.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from types import UnionType
from typing import TypeVar, cast

from filebot.concurrency.bounded_call import cut_off
from filebot.errors import FilebotError, ForbiddenTarget, PeerGone, PeerProtocolError, TransferTimeout
from filebot.ports import Data, Download, SourceServices, UrlSource
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.resolver import MOST_ADDRESSES, NameLookup

T = TypeVar("T")

log = logging.getLogger(__name__)


def web(services: SourceServices) -> UrlSource:
    """Return the source of http and https, which is the bot's client of the web."""
    return services.http


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
        return _bounded(scheme, lambda: source.get(url, offset, hashed=hashed), self._idle_s)


@asynccontextmanager
async def _bounded(
    scheme: str, open_: Callable[[], AbstractAsyncContextManager[Download]], idle_s: float
) -> AsyncIterator[Download]:
    use = _Use(scheme, idle_s)
    use.task = asyncio.get_running_loop().create_task(use.run(open_), name=f"the source of {scheme}")
    try:
        yield await use.opened()
    finally:
        await use.end()


class _Use:
    """One use of a source, in a task of its own from its opening to its end: whoever waits for it goes on
    without it if it ignores that its time is over.
    """

    task: asyncio.Task[None]

    def __init__(self, scheme: str, idle_s: float) -> None:
        self._scheme = scheme
        self._idle_s = idle_s
        self._given: asyncio.Queue[Download | Data | None] = asyncio.Queue(1)
        """The download, then its chunks, then None."""
        self._left = asyncio.Event()
        self._all_given = False

    async def run(self, open_: Callable[[], AbstractAsyncContextManager[Download]]) -> None:
        """Give what the source gives, as it is taken."""
        try:
            async with open_() as download:
                await self._given.put(download)
                async with aclosing(download.chunks()) as chunks:
                    async for chunk in chunks:
                        await self._given.put(chunk)
                await self._given.put(None)
                await self._left.wait()
        except (SystemExit, GeneratorExit) as error:
            raise PeerProtocolError("a source wanted to end the bot") from error

    async def opened(self) -> Download:
        """Return the download when there is one. Raises TransferError."""
        with self.errors():
            return _BoundedDownload(cast("Download", await self._next()), self)

    async def chunks(self) -> AsyncGenerator[Data, None]:
        """Yield what comes then. Raises TransferError."""
        while (chunk := await self._next()) is not None:
            if not isinstance(chunk, bytes | bytearray | memoryview):
                raise PeerProtocolError(f"a source gave {type(chunk).__name__}, which is no bytes")
            yield chunk
        self._all_given = True

    async def end(self) -> None:
        """Let it close what it has opened; trouble with that is logged alone."""
        try:
            if self._all_given:
                self._left.set()
                await asyncio.wait((self.task,), timeout=self._idle_s)
        finally:
            await cut_off(self.task)
        ended = self._all_given and self.task.done() and not self.task.cancelled()
        if ended and (error := self.task.exception()) is not None:
            log.error("the source of %s failed at its end", self._scheme, exc_info=error)

    async def _next(self) -> Download | Data | None:
        getting = asyncio.ensure_future(self._given.get())
        try:
            await asyncio.wait(
                (getting, self.task), timeout=self._idle_s, return_when=asyncio.FIRST_COMPLETED
            )
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
        if not self.task.done():
            raise TransferTimeout(idle_s=self._idle_s)
        with self.errors():
            self.task.result()
        raise PeerProtocolError(f"the source of {self._scheme} has ended")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise a TransferError for whatever a source raises."""
        try:
            yield
        except FilebotError:
            raise
        except TimeoutError as error:
            raise TransferTimeout(idle_s=self._idle_s) from error
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and not self.task.cancelled():
                raise
            log.error("the source of %s failed", self._scheme, exc_info=error)
            raise PeerProtocolError(
                f"the source of {self._scheme} failed: {type(error).__name__}"
            ) from error


class _BoundedDownload:
    """Implements :class:`filebot.ports.Download` by one of a foreign source."""

    def __init__(self, download: Download, use: _Use) -> None:
        """Raises TypeError for what is no download."""
        self.size = _of_kind(download.size, int | None, "size")
        self.name = _of_kind(download.name, str | None, "name")
        self.media_type = _of_kind(download.media_type, str | None, "media type")
        if self.size is not None and self.size < 0:
            raise TypeError(f"a size of {self.size}")
        self._download = download
        self._use = use

    @property
    def late_hashes(self) -> Mapping[str, bytes]:
        with self._use.errors():
            hashes = dict(self._download.late_hashes)
            for algorithm, digest in hashes.items():
                _of_kind(algorithm, str, "hash")
                _of_kind(digest, bytes, "hash")
            return hashes

    def chunks(self) -> AsyncGenerator[Data, None]:
        return self._use.chunks()


def _of_kind(value: T, kind: type | UnionType, what: str) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} as a {what}")
    return value
