"""One file on its way in, from the answer to the offer until the stream has ended.

Theory of operation::

    OFFERED --accept--> WAITING --query--> DIALLING --connected--> OPEN --> ENDED
                         |   ^                |
                         |   +----- failed ---+
                         +--open--> OPEN (in-band)

A failed SOCKS5 attempt leaves the session waiting: COMPAT(Pidgin): opens an in-band stream of the same
sid then, without another word.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.concurrency.locks import on_behalf_of
from filebot.concurrency.tasks import Tasks
from filebot.errors import ForbiddenTarget, PeerGone, TransferError, TransferTimeout
from filebot.model import Method
from filebot.ports import Data
from filebot.protocol.bytestreams import StreamHost, destination
from filebot.protocol.ibb import IBB, BadBlock, read_block_size
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import BYTESTREAMS, SiOffer, write_answer
from filebot.xmpp.bytestreams.avoided_hosts import AvoidedHosts
from filebot.xmpp.bytestreams.ibb_receiver import IbbStreamReceiver
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.bytestreams.registry import UNKNOWN, UNWILLING, Sessions, StreamLimits
from filebot.xmpp.bytestreams.socks5_ports import ByteConnection, Socks5Connector
from filebot.xmpp.bytestreams.socks5_proxies import stream_hosts

log = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
"""Lists of stream hosts that are tried for one file."""


@dataclass(frozen=True, slots=True)
class StreamTools:
    """Parts that all byte streams share."""

    fast_path: IqFastPath
    sessions: Sessions
    limits: StreamLimits
    connections: Socks5Connector | None
    """None if there are only in-band streams."""
    avoided: AvoidedHosts = field(default_factory=AvoidedHosts)
    """Stream hosts that did not work lately."""


class SiReceive:
    """A ``StreamSession``, and the ``Download`` port once it is open."""

    late_hashes: Mapping[str, bytes] = MappingProxyType({})

    def __init__(self, tools: StreamTools, request: Request, offer: SiOffer) -> None:
        self._tools = tools
        self._request = request
        self._offer = offer
        self._expected = offer.size
        self._ready: asyncio.Future[None] | None = None
        self._lost = False
        self._open_timeout: asyncio.Timeout | None = None
        self._attempts = 0
        self._dials = Tasks(limit=1)
        self._connection: ByteConnection | None = None
        self._host: StreamHost | None = None
        self._inbox: IbbStreamReceiver | None = None

    # --- the port -------------------------------------------------------------------------------

    @property
    def size(self) -> int | None:
        return self._offer.size

    @property
    def name(self) -> str | None:
        return self._offer.offer.name

    @property
    def media_type(self) -> str | None:
        return self._offer.offer.media_type

    def chunks(self) -> AsyncGenerator[Data, None]:
        if self._connection is not None and self._host is not None:
            chunks = self._connection.chunks(self._expected)
            return self._tools.avoided.unless_stalled(chunks, self._host, self._request.peer)
        assert self._inbox is not None  # noqa: S101  # whoever has a download has entered its context
        return self._inbox.chunks()

    # --- its life -------------------------------------------------------------------------------

    async def begin(self, offset: int) -> None:
        """Accept the offer and wait for the sender to open a stream. Raises TransferError."""
        if self._lost:
            raise PeerGone("gone before it was answered")
        limit_s = self._tools.limits.open_s
        self._expected = self._offer.size - offset
        self._ready = asyncio.get_running_loop().create_future()
        method = self._method()
        self._tools.fast_path.answer(self._request, write_answer(method, offset=offset))
        try:
            async with asyncio.timeout(limit_s) as self._open_timeout:
                await self._ready
        except TimeoutError as error:
            raise TransferTimeout(idle_s=limit_s) from error

    async def end(self) -> None:
        """Free everything, and tell the sender if it does not know yet."""
        self._tools.sessions.remove(self._request.peer, self._offer.sid)
        if self._inbox is not None:
            self._inbox.end()
            if self._inbox.unfinished:
                close = Element(f"{{{IBB}}}close", {"sid": self._offer.sid})
                self._tools.fast_path.tell(self._request.peer, self._request.own, close)
        try:
            await self._dials.close()
        finally:
            if self._connection is not None:
                await self._connection.close()

    def _method(self) -> Method:
        """The sender lists what it can do; a connection is many times as fast as blocks (XEP-0096 3.1)."""
        able = Method.SOCKS5 in self._offer.methods and self._tools.connections is not None
        return Method.SOCKS5 if able or Method.IBB not in self._offer.methods else Method.IBB

    def _is_waiting(self) -> bool:
        return self._ready is not None and not self._ready.done()

    # --- what the sender does -------------------------------------------------------------------

    def requested(self, request: Request) -> None:
        """Stream hosts to connect to.

        COMPAT(Psi): ``<fast/>`` in it allows the receiver to name stream hosts, too; it need not.
        """
        connections, self._attempts = self._tools.connections, self._attempts + 1
        # XEP-0065 section 5.3.1: only TCP is spoken here.
        allowed = self._attempts <= MOST_ATTEMPTS and request.payload.get("mode", "tcp") == "tcp"
        started = False
        if connections is not None and self._is_waiting() and allowed:
            started = self._dials.start(self._dial(connections, request), "dialling")
        if not started:
            self._tools.fast_path.refuse(request, UNWILLING)

    def opened(self, request: Request) -> None:
        """An in-band stream, whether it was agreed or is what remains after SOCKS5."""
        if not self._is_waiting():
            self._tools.fast_path.refuse(request, UNWILLING)
            return
        try:
            block_size = read_block_size(request.payload.get("block-size"))
        except BadBlock as error:
            self._tools.fast_path.refuse(request, StanzaError(error.condition, "modify"))
            return
        self._inbox = IbbStreamReceiver(
            self._tools.fast_path, self._tools.limits, block_size, self._expected
        )
        self._tools.fast_path.acknowledge(request)
        self._settle()

    def data(self, request: Request) -> None:
        if self._inbox is None:
            self._tools.fast_path.refuse(request, UNKNOWN)
        else:
            self._inbox.take(request)

    def closed(self, request: Request) -> None:
        if self._inbox is not None:
            self._inbox.close()
        else:
            self._settle(PeerGone("the sender gave up"))

    def lost(self) -> None:
        self._lost = True
        error = PeerGone("the XMPP session ended")
        if self._inbox is not None:
            self._inbox.fail(error)
        else:
            self._settle(error)

    def _settle(self, error: TransferError | None = None) -> None:
        if self._ready is None or self._ready.done():
            return
        if error is None:
            self._ready.set_result(None)
        else:
            self._ready.set_exception(error)

    # --- SOCKS5 ---------------------------------------------------------------------------------

    async def _dial(self, connections: Socks5Connector, request: Request) -> None:
        """XEP-0065 section 5.3.2 as the target; the hash is made of the JIDs as they stand in the iq."""
        fast_path = self._tools.fast_path
        wanted = destination(request.sid, request.peer, request.own)
        avoided, peer = self._tools.avoided, request.peer
        hosts = [host for host in stream_hosts(request.payload) if not avoided.is_avoided(host, peer)]
        try:
            with on_behalf_of(request.peer.partition("/")[0]):
                used, connection = await connections.dial(hosts, wanted)
        except TransferError as error:
            if not isinstance(error, ForbiddenTarget):  # which says nothing of the hosts
                avoided.avoid(hosts, peer)
            log.info("no SOCKS5 connection for %s: %s", request.peer, error)
            fast_path.refuse(request, StanzaError("item-not-found"))
            self._be_patient()
            return
        if not self._is_waiting():  # an in-band stream was opened meanwhile
            await connection.close()
            fast_path.refuse(request, UNWILLING)
            return
        self._connection, self._host = connection, used
        answer = Element(f"{{{BYTESTREAMS}}}query", {"sid": request.sid})
        SubElement(answer, f"{{{BYTESTREAMS}}}streamhost-used", {"jid": used.jid})
        fast_path.answer(request, answer)
        self._settle()

    def _be_patient(self) -> None:
        """The sender has the whole time again, to open another stream."""
        if self._is_waiting() and self._open_timeout is not None:
            now = asyncio.get_running_loop().time()
            self._open_timeout.reschedule(now + self._tools.limits.open_s)
