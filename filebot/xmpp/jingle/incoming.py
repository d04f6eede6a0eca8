"""Files that others offer by Jingle (XEP-0234), and files that they ask for."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filebot.errors import LocalProtocolError, SizeMismatch, TransferTimeout
from filebot.model import Entry, Method, Offer
from filebot.ports import Data, Download
from filebot.protocol.ibb import OFFERED_BLOCK
from filebot.protocol.jingle.actions import Content
from filebot.protocol.jingle.description import FileDescription, Range, describe
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.transports import InBandTransport, Socks5Transport
from filebot.xmpp.bytestreams.iq_fast_path import Request
from filebot.xmpp.bytestreams.offer_policy import PendingOffer, Rejection
from filebot.xmpp.jingle.candidates import own_candidates, to_dial
from filebot.xmpp.jingle.driver import Driver, JingleTools
from filebot.xmpp.jingle.errors import failure_of, reason_of, reason_of_rejection
from filebot.xmpp.jingle.registry import JingleSessions
from filebot.xmpp.jingle.send import send_bytes


@dataclass(frozen=True, slots=True)
class PendingSession:
    """A session that a peer has begun, and that can be accepted."""

    request: Request
    terms: SessionParameters
    others: tuple[Content, ...] = ()
    """Contents beside the one that it is about."""
    unanswered: str = ""
    """Text for the peer if nobody answers."""


class PeerSession(PendingOffer):
    """Session that a peer has begun: an offer of a file, or a request for one."""

    def __init__(self, tools: JingleTools, table: JingleSessions, begun: PendingSession) -> None:
        super().__init__(begun.request, tools.streams.limits.offer_s, begun.unanswered)
        self._tools = tools
        self._table = table
        self._begun = begun
        self._driver = Driver(tools, begun.request.peer, begun.request.own, begun.terms)
        table.add(self._driver)

    @property
    def offer(self) -> Offer:
        file = self._driver.session.file
        return replace(file.offer, hash_follows=file.hash_follows)

    @asynccontextmanager
    async def accepted(
        self, *, offset: int = 0, file: FileDescription | None = None
    ) -> AsyncGenerator[Driver, None]:
        """The session, accepted; the peer is told how it was left."""
        self._answer()
        driver = self._driver
        try:
            async with driver:
                try:
                    transport = await self._transport(driver)
                    others = self._begun.others
                    driver.perform(
                        driver.session.accept(transport, offset=offset, file=file, others=others)
                    )
                    yield driver
                except BaseException as error:
                    driver.perform(driver.session.fail(reason_of(error)))
                    raise
        finally:
            self._table.remove(driver)

    async def _transport(self, driver: Driver) -> Socks5Transport | InBandTransport:
        offered, connections = self._begun.terms.content.transport, self._tools.streams.connections
        if isinstance(offered, InBandTransport):
            return replace(offered, block_size=min(offered.block_size, OFFERED_BLOCK))
        assert isinstance(offered, Socks5Transport)  # noqa: S101  # the initiate handler has looked at it
        assert connections is not None  # noqa: S101  # likewise
        own, peer = self._begun.request.own, self._begun.request.peer
        # A proxy that the peer names is met there: to name it as well would be one more thing to try.
        named = to_dial(self._begun.terms, offered, own, peer).values()
        transport = await own_candidates(
            connections, self._tools.proxies, offered.sid, own, peer, named=tuple(named)
        )
        driver.expect(transport)
        return transport

    def _reject(self, rejection: Rejection) -> None:
        self._driver.end(reason_of_rejection(rejection), rejection.text)
        self._table.remove(self._driver)


class JingleOffer(PeerSession):
    """The ``StreamOffer`` port."""

    @property
    def resumable(self) -> bool:
        file = self._begun.terms.content.file
        return file is not None and file.range is not None

    @asynccontextmanager
    async def accept(self, offset: int = 0) -> AsyncGenerator[Download, None]:
        size = self.offer.size
        if offset and (not self.resumable or size is None or offset > size):
            raise LocalProtocolError(f"the offer does not allow to begin at {offset}")
        async with self.accepted(offset=offset) as driver:
            await driver.route
            yield JingleDownload(driver)
            # Only now: the taker has checked the bytes (XEP-0234, "Received").
            driver.perform(driver.session.stored())


class JingleDownload:
    """The ``Download`` port."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._offer = driver.session.file.offer

    @property
    def size(self) -> int | None:
        return self._offer.size

    @property
    def name(self) -> str | None:
        return self._offer.name

    @property
    def media_type(self) -> str | None:
        return self._offer.media_type

    @property
    def late_hashes(self) -> Mapping[str, bytes]:
        """Hashes that came after the offer (XEP-0234, "Checksum")."""
        return self._driver.session.late_hashes

    async def chunks(self) -> AsyncGenerator[Data, None]:
        async with aclosing(self._source()) as chunks:
            try:
                async for chunk in chunks:
                    yield chunk
            except SizeMismatch:
                # The peer may have said why it stopped: that is worth more.
                if self._driver.ended.done() and (failure := failure_of(self._driver.ended.result())):
                    raise failure from None
                raise
            except TransferTimeout:
                self._driver.dials.stalled()
                raise
        await self._hashed()

    def _source(self) -> AsyncGenerator[Data, None]:
        driver = self._driver
        if driver.ibb_receiver is not None:
            return driver.ibb_receiver.chunks()
        assert driver.connection is not None  # noqa: S101  # the route is there, and it is not in-band
        return driver.connection.chunks(driver.session.expected_bytes)

    async def _hashed(self) -> None:
        """Wait for a hash that was promised or, from some clients, is to be expected."""
        driver = self._driver
        with suppress(TimeoutError):
            async with asyncio.timeout(driver.session.checksum_wait_s):
                while driver.session.checksum_wait_s and not driver.ended.done():
                    driver.heard.clear()
                    await driver.heard.wait()


class JingleRequest(PeerSession):
    """The ``FileRequest`` port."""

    async def send(self, file: Path, entry: Entry, progress: Callable[[int], None]) -> Method:
        asked = self._driver.session.file
        described = describe(entry, _part(asked.range, entry.blob.size), asked.namespace)
        async with self.accepted(file=described) as driver:
            return await send_bytes(driver, file, progress)


def _part(asked: Range | None, size: int) -> Range | None:
    """Return the part that is asked for of a file of this size; all of it if that makes no sense."""
    if asked is None or asked.offset + (asked.length or 0) > size:
        return None
    return asked
