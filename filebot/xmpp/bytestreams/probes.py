"""Probes of the ways to a person's client that send no file.

The in-band rate: blocks (XEP-0047) of a stream that was never opened go to the client, which has to answer
each of them with an error (section 2.2). That is exactly the path of an in-band stream, there and back,
and asks nothing of the client. They go around slixmpp's queue, in a window that grows only while the round
trip stays flat: where a server lets through little, a chat message finds little before it.
"""

import asyncio
import os
import secrets
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from filebot.errors import PeerGone, StreamHostRefused, TransferError, TransferTimeout
from filebot.model import ProxyState
from filebot.protocol.bytestreams import StreamHost
from filebot.protocol.ibb import IBB, USUAL_BLOCK, IbbSender, SendWindow, encode, steady_rate
from filebot.protocol.stanza_error import read_error
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.bytestreams.socks5_ports import Socks5Connector
from filebot.xmpp.connection.stream import Stream

RATE_S: Final = 3.0
"""How long blocks are sent."""
RATE_BYTES: Final = 1_000_000
"""Most that is sent at that."""
SILENCE_S: Final = 10.0
"""For the first answer. A block of the usual size takes 2.3 s under the stock limits of ejabberd."""

PACE: Final = SendWindow(first_window=1, most_bytes=64 * 1024, fast_s=0.0, slow_s=0.3)
"""Shyer than for a file that somebody waits for: nobody but the asker has anything from it."""

_NOT_THERE: Final = frozenset(
    {"gone", "recipient-unavailable", "remote-server-not-found", "remote-server-timeout"}
)
"""Conditions (RFC 6120 section 8.3.3) by which a server says that the block did not get to the client."""


async def reachable(connections: Socks5Connector, proxies: Sequence[StreamHost]) -> dict[str, ProxyState]:
    """Whether each of the server's proxies, by JID, lets the bot connect and takes it for a receiver.

    Takes as long as the dialling of one may (XEP-0065 section 6.3.2). Never raises TransferError.
    """
    answers = await asyncio.gather(*(_lets_in(connections, proxy) for proxy in proxies))
    return {proxy.jid: answer for proxy, answer in zip(proxies, answers, strict=True)}


async def _lets_in(connections: Socks5Connector, proxy: StreamHost) -> ProxyState:
    # A hash of no session: nobody else asks for it, and the proxy forgets it with the connection.
    nobody = secrets.token_hex(20)
    try:
        _, connection = await connections.dial([proxy], nobody, trusted=True)
    except StreamHostRefused:
        return ProxyState.POSSIBLE
    except TransferError:
        return ProxyState.FAILS
    await connection.close()
    return ProxyState.WORKS


class RateProbe:
    """Measures how fast blocks go to one client and are answered. Used once."""

    def __init__(self, stream: Stream, fast_path: IqFastPath, to: str, own: str) -> None:
        self._stream = stream
        self._fast_path = fast_path
        self._to = to
        self._own = own
        self._sid = secrets.token_hex(12)
        self._name = f"rate{stream.new_id()}"
        self._sender = IbbSender(USUAL_BLOCK, PACE)
        self._turn = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._samples: list[tuple[float, int]] = []
        self._failure: TransferError | None = None

    async def measure(self) -> float:
        """Bytes of a file per second. Raises PeerGone or TransferTimeout, or PeerProtocolError."""
        begun = self._loop.time()
        self._samples.append((begun, 0))
        self._fast_path.expect(self._name, self._to, self._answered)
        try:
            await self._send_until(begun + RATE_S)
            if len(self._samples) == 1:
                await self._wait_until(begun + SILENCE_S)
        finally:
            self._fast_path.forget(self._name)
        if len(self._samples) == 1:
            raise TransferTimeout(idle_s=SILENCE_S)
        return steady_rate(self._samples)

    async def _send_until(self, end: float) -> None:
        data, sent = os.urandom(USUAL_BLOCK), 0
        while self._loop.time() < end and sent < RATE_BYTES:
            room = self._sender.room()
            if not room:
                await self._wait_until(end)
                continue
            number = self._sender.sent(room, self._loop.time())
            self._stream.post(self._stanza(number, memoryview(data)[:room]))
            sent += room
        if sent >= RATE_BYTES:
            while self._sender.in_flight and self._loop.time() < end:
                await self._wait_until(end)

    async def _wait_until(self, end: float) -> None:
        """Until something is answered, or that time."""
        self._turn.clear()
        try:
            async with asyncio.timeout_at(end):
                await self._turn.wait()
        except TimeoutError:
            return
        if self._failure is not None:
            raise self._failure

    def _answered(self, number: int, stanza: Element) -> None:
        now = self._loop.time()
        try:
            if stanza.get("type") == "error" and read_error(stanza).condition in _NOT_THERE:
                raise PeerGone("not there")
            self._sender.acked(number, now)
        except TransferError as error:
            self._failure = self._failure or error
        else:
            self._samples.append((now, self._sender.acknowledged))
        self._turn.set()

    def _stanza(self, number: int, block: memoryview) -> str:
        attributes = self._fast_path.attributes("set", f"{self._name}-{number}", to=self._to, own=self._own)
        data = f'<data xmlns="{IBB}" sid={quoteattr(self._sid)} seq="{number}">{encode(block)}</data>'
        return f"<iq{attributes}>{data}</iq>"
