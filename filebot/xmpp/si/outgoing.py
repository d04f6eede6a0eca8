"""One file on its way out: the offer, the peer's choice, and the stream (XEP-0096, XEP-0065, XEP-0047).

Theory of operation::

    OFFERED --bytestreams--> stream hosts named --one used--> sent by SOCKS5
       |                            |
       +--ibb--> sent in-band <-----+ item-not-found, and the peer takes in-band streams
       |
       +--declined--> Refused(403)
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from slixmpp.exceptions import IqError, XMPPError

from filebot.concurrency.tasks import Threads, settled
from filebot.errors import PeerGone, PeerProtocolError, TransferError, TransferTimeout
from filebot.model import Entry, Method
from filebot.protocol.bytestreams import StreamHost, candidates, destination, destinations
from filebot.protocol.stanza_error import read_error
from filebot.protocol.stream_initiation import BYTESTREAMS, SiAnswer, read_answer, write_offer
from filebot.protocol.xml import first
from filebot.xmpp.bytestreams.ibb_sender import IbbStreamSender, failure
from filebot.xmpp.bytestreams.socks5_ports import ByteConnection, Socks5Connector
from filebot.xmpp.bytestreams.socks5_proxies import Proxies
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.si.incoming import StreamTools

log = logging.getLogger(__name__)

QUERY_LIMIT_S: Final = 60.0
"""For a peer to try our stream hosts; COMPAT(QXmpp): 14 s for one that cannot be reached."""
CONNECTED_LIMIT_S: Final = 5.0
"""For the connection of a peer that says it has made it."""

_PIECE_BYTES: Final = 256 * 1024
_READERS: Final = Threads("stream", 4)


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """File that is sent, and its receiver."""

    to: str
    """A full JID."""
    sid: str
    file: Path
    entry: Entry
    methods: tuple[Method, ...]
    """Methods to be offered."""
    own: str
    """The full JID by which the receiver knows the bot."""


class SiSend:
    """Sends one file."""

    def __init__(
        self, stream: Stream, tools: StreamTools, proxies: Proxies, outgoing_file: OutgoingFile
    ) -> None:
        self._stream = stream
        self._tools = tools
        self._proxies = proxies
        self._outgoing_file = outgoing_file
        self._proxy: tuple[StreamHost, ...] = ()
        """The one that is used, if one is; it may have several addresses."""
        self._ibb_sender = IbbStreamSender(
            stream, tools.fast_path, tools.limits, outgoing_file.to, outgoing_file.sid, outgoing_file.own
        )

    async def send(self, progress: Callable[[int], None]) -> Method:
        """From the offer to the end; by which method it went. Raises TransferError."""
        outgoing_file, sessions = self._outgoing_file, self._tools.sessions
        sessions.add(outgoing_file.to, outgoing_file.sid, self._ibb_sender)
        try:
            answer = await self._offer()
            if answer.method is Method.SOCKS5 and await self._by_socks5(answer, progress):
                return Method.SOCKS5
            async with aclosing(pieces_of(outgoing_file.file, answer.offset, answer.length)) as pieces:
                await self._ibb_sender.send(
                    pieces, answer.length, lambda done: progress(answer.offset + done)
                )
            return Method.IBB
        finally:
            sessions.remove(outgoing_file.to, outgoing_file.sid)

    async def _offer(self) -> SiAnswer:
        outgoing_file, entry = self._outgoing_file, self._outgoing_file.entry
        payload = write_offer(
            outgoing_file.sid,
            name=entry.name,
            size=entry.blob.size,
            media_type=entry.media_type,
            methods=outgoing_file.methods,
        )
        stanza = await self._ibb_sender.unless_lost(self._ask(payload, self._tools.limits.answer_s))
        return read_answer(stanza, outgoing_file.methods, entry.blob.size)

    async def _ask(self, payload: Element, limit_s: float) -> Element:
        """The peer's answer. Raises TransferError."""
        iq = self._stream.make_iq_set(payload, ito=self._outgoing_file.to, ifrom=self._outgoing_file.own)
        try:
            return (await ask(self._stream, iq, limit_s)).xml
        except IqError as error:
            raise failure(read_error(error.iq.xml)) from error
        except XMPPError as error:
            raise TransferTimeout(idle_s=limit_s) from error

    # --- SOCKS5 ---------------------------------------------------------------------------------

    async def _by_socks5(self, answer: SiAnswer, progress: Callable[[int], None]) -> bool:
        """Whether it was sent so; if not, the in-band stream is what remains. Raises TransferError."""
        connections = self._tools.connections
        if connections is None:
            raise PeerProtocolError("chooses SOCKS5, which was not offered")
        connection = await self._connected(connections)
        if connection is None:
            return False
        try:
            await connection.send_file(
                self._outgoing_file.file,
                answer.offset,
                answer.length,
                lambda done: progress(answer.offset + done),
            )
        except TransferTimeout:
            self._avoid(self._proxy, self._outgoing_file.to)
            raise
        finally:
            await connection.close()
        return True

    async def _connected(self, connections: Socks5Connector) -> ByteConnection | None:
        """XEP-0065 sections 5.3 and 6.3 as the requester. Raises TransferError."""
        to, sid, own = self._outgoing_file.to, self._outgoing_file.sid, self._outgoing_file.own
        direct = [StreamHost(own, host, port) for host, port in connections.addresses()]
        proxies = await self._proxies.hosts(to)
        hosts = candidates(direct, proxies)
        if not hosts:
            self._settle_for_in_band(PeerGone("no stream host to name"))
            return None
        with connections.expect(destinations(sid, own, to)) as expected:
            try:
                used = await self._used(hosts)
            except TransferError as error:
                # Whether it tried and failed, or took all the time there is.
                self._avoid(proxies, to)
                self._settle_for_in_band(error)
                return None
            if used.jid == own:
                return await expected.connected(CONNECTED_LIMIT_S)
        same = self._proxy = tuple(host for host in hosts if host.jid == used.jid)
        try:
            _, connection = await connections.dial(same, destination(sid, own, to), trusted=True)
            try:
                await self._proxies.activate(used, sid, own=own, target=to)
            except BaseException:
                await connection.close()
                raise
        except TransferError as error:
            self._proxies.avoided.failed(same, error, to)
            raise
        return connection

    def _avoid(self, hosts: Sequence[StreamHost], peer: str = "") -> None:
        self._proxies.avoided.avoid(hosts, peer)

    async def _used(self, hosts: tuple[StreamHost, ...]) -> StreamHost:
        """Let the peer choose one of the hosts."""
        query = Element(f"{{{BYTESTREAMS}}}query", {"sid": self._outgoing_file.sid, "mode": "tcp"})
        for host in hosts:
            about = {"jid": host.jid, "host": host.host, "port": str(host.port)}
            SubElement(query, f"{{{BYTESTREAMS}}}streamhost", about)
        stanza = await self._ibb_sender.unless_lost(self._ask(query, QUERY_LIMIT_S))
        used = first(first(stanza, BYTESTREAMS, "query"), BYTESTREAMS, "streamhost-used")
        jid = "" if used is None else used.get("jid", "")
        chosen = next((host for host in hosts if host.jid == jid), None)
        if chosen is None:
            raise PeerProtocolError(f"uses a stream host that was not named: {jid!r:.100}")
        return chosen

    def _settle_for_in_band(self, error: TransferError) -> None:
        """COMPAT(Pidgin): after a failed SOCKS5 it waits 30 s for an in-band stream of the same sid."""
        if Method.IBB not in self._outgoing_file.methods:
            raise error
        log.info("no SOCKS5 connection with %s (%s); going on in-band", self._outgoing_file.to, error)


async def pieces_of(file: Path, offset: int, size: int) -> AsyncGenerator[bytes, None]:
    """That part of a file. Raises PeerGone never, OSError if the disk fails."""
    async with _READERS.opened(file) as content:
        content.seek(offset)
        while size and (piece := await settled(_READERS.start(content.read, min(size, _PIECE_BYTES)))):
            size -= len(piece)
            yield piece
