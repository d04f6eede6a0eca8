"""The sending end of an in-band bytestream (XEP-0047): a window of blocks in flight, and no more.

Blocks go around slixmpp's queue, so that what is said in chats never waits behind them there; what is on
its way to the server is bounded by the window, which shrinks where a server lets through little.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final, TypeVar
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from slixmpp.exceptions import IqError, XMPPError

from filebot.concurrency.tasks import end
from filebot.errors import (
    BlobCorrupt,
    PeerGone,
    PeerProtocolError,
    Refused,
    TransferError,
    TransferTimeout,
)
from filebot.protocol.ibb import (
    IBB,
    SEQUENCE,
    USUAL_BLOCK,
    IbbSender,
    encode,
    first_block_size,
    smaller_block_size,
)
from filebot.protocol.stanza_error import StanzaError, read_error
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath, Request
from filebot.xmpp.bytestreams.registry import UNKNOWN, UNWILLING, StreamLimits
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.connection.tls_records import room_for_data

ANSWER_LIMIT_S: Final = 30.0

_T = TypeVar("_T")

_DECLINED: Final = frozenset({"forbidden", "not-acceptable", "not-allowed"})
_MAYBE_TOO_LARGE: Final = frozenset({"bad-request", "not-acceptable", "undefined-condition"})
_BROKEN: Final = frozenset(
    {"bad-request", "feature-not-implemented", "item-not-found", "unexpected-request"}
)


def failure(error: StanzaError) -> TransferError:
    """Return what an error answer of a peer means for the transfer."""
    if error.condition in _DECLINED:
        return Refused(status=403)
    if error.condition in _BROKEN:
        return PeerProtocolError(f"answers {error.condition} {error.specific}")
    return PeerGone(f"answers {error.condition}")


def _next_size(refused: int, stanza: Element) -> int | None:
    """Return the block size to offer next; None if there is none.

    Raises TransferError if the refusal was not about the size.
    """
    error = read_error(stanza)
    if error.condition == "resource-constraint":
        return smaller_block_size(refused)
    if refused > USUAL_BLOCK and error.condition in _MAYBE_TOO_LARGE:
        # COMPAT(old clients): refuse a size that they do not like with whatever comes to their mind.
        return USUAL_BLOCK
    raise failure(error)


class IbbStreamSender:
    """A ``StreamSession`` that sends. Used once."""

    def __init__(
        self,
        stream: Stream,
        fast_path: IqFastPath,
        limits: StreamLimits,
        to: str,
        sid: str,
        own: str,
    ) -> None:
        self._stream = stream
        self._fast_path = fast_path
        self._limits = limits
        self._to = to
        self._own = own
        self.sid = sid
        self._name = f"ibb{stream.new_id()}"
        self._sender: IbbSender | None = None
        self._turn = asyncio.Event()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: TransferError | None = None
        self._open = False
        self._size = self._sent = self._around = 0

    async def send(self, pieces: AsyncIterator[bytes], size: int, progress: Callable[[int], None]) -> None:
        """Open the stream, send everything, wait until all ``size`` bytes are acknowledged, close.

        ``progress`` is called with the acknowledged bytes. Raises TransferError.
        """
        self._size = size
        try:
            await self.open(first_block_size(self._stream.most_bytes))
            await self.send_all(pieces, size, progress)
        finally:
            self.close()

    async def open(self, largest_block: int) -> None:
        """Open the stream, with blocks no larger than this. Raises TransferError."""
        if self._failure is not None:
            raise self._failure
        self.be_open(await self.unless_lost(self._opened_with(largest_block)))

    def be_open(self, block_size: int) -> None:
        """The stream is open, whoever opened it. Blocks are never larger than the server's limit allows."""
        self._around = len(self._stanza(SEQUENCE, memoryview(b"")).encode())
        fitting = (self._stream.stanza_limit_bytes - self._around) // 4 * 3
        self._sender = IbbSender(max(min(block_size, fitting), 1))
        self._open = True

    async def send_all(
        self, pieces: AsyncIterator[bytes], size: int, progress: Callable[[int], None]
    ) -> None:
        """Send as :meth:`send`, in a stream that is open, and stays so. Raises TransferError."""
        assert self._sender is not None  # noqa: S101  # the caller has opened it
        self._size = size
        self._fast_path.expect(self._name, self._to, self._answered)
        try:
            rest = b""
            async for piece in pieces:
                rest = await self._send_blocks(self._sender, rest + piece, progress)
            while self._sender.in_flight:
                await self._wait()
                progress(self._sender.acknowledged)
            if self._sender.acknowledged < size:
                raise BlobCorrupt("the file is shorter than its entry says")
        finally:
            self._fast_path.forget(self._name)

    def close(self) -> None:
        """Close the stream if it is open. Nothing more is expected of it.

        Section 2.3. Every byte is acknowledged, or the transfer has failed: nobody waits for the answer.
        COMPAT(libpurple, 2.14): never gives one.
        """
        if self._open:
            self._open = False
            self._fast_path.tell(self._to, self._own, self._element("close"))

    async def unless_lost(self, asking: Coroutine[Any, Any, _T]) -> _T:
        """Return what the coroutine returns, unless the session ends before: then that is raised."""
        task = asyncio.get_running_loop().create_task(asking)
        try:
            both: set[asyncio.Future[Any]] = {task, self._over}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._failure is not None and not task.done():
                raise self._failure
            return await task
        finally:
            await end([task])

    # --- what the receiver does -----------------------------------------------------------------

    def requested(self, request: Request) -> None:
        self._fast_path.refuse(request, UNWILLING)

    def opened(self, request: Request) -> None:
        self._fast_path.refuse(request, UNWILLING)

    def data(self, request: Request) -> None:
        self._fast_path.refuse(request, UNKNOWN)  # nothing is wanted from the other direction

    def closed(self, request: Request) -> None:
        """Nobody ends a stream half-way who still wants the file."""
        self._open = False
        if self._sender is None or self._sender.acknowledged < self._size:
            self._fail(Refused(status=403))

    def lost(self) -> None:
        self._open = False
        self._fail(PeerGone("the XMPP session ended"))

    def _answered(self, number: int, stanza: Element) -> None:
        if stanza.get("type") == "error":
            self._fail(failure(read_error(stanza)))
        elif self._sender is not None:
            try:
                self._sender.acked(number, asyncio.get_running_loop().time())
            except PeerProtocolError as error:
                self._fail(error)
            self._turn.set()

    def _fail(self, error: TransferError) -> None:
        self._failure = self._failure or error
        self._turn.set()
        if not self._over.done():
            self._over.set_result(None)

    # --- steps ----------------------------------------------------------------------------------

    async def _opened_with(self, largest_block: int) -> int:
        """Agree on a block size (section 2.1); returns it."""
        size: int | None = largest_block
        while size is not None:
            try:
                await self._ask(self._element("open", size))
            except IqError as error:
                size = _next_size(size, error.iq.xml)
            except XMPPError as error:
                raise TransferTimeout(idle_s=ANSWER_LIMIT_S) from error
            else:
                return size
        raise PeerGone("takes no blocks of any size")

    async def _send_blocks(self, sender: IbbSender, data: bytes, progress: Callable[[int], None]) -> bytes:
        """Send as many full blocks as there are, at the end of the file the rest; returns what is left."""
        rest = memoryview(data)
        while rest:
            if self._failure is not None:
                raise self._failure
            room = sender.room()
            if not room:
                await self._wait()
                progress(sender.acknowledged)
                continue
            room = room_for_data(room, self._around)
            if len(rest) < min(room, self._size - self._sent):
                break
            block, rest = rest[:room], rest[room:]
            number = sender.sent(len(block), asyncio.get_running_loop().time())
            self._sent += len(block)
            self._stream.post(self._stanza(number, block))
        return bytes(rest)

    async def _wait(self) -> None:
        """Until something is acknowledged."""
        self._turn.clear()
        if self._failure is None:
            try:
                async with asyncio.timeout(self._limits.idle_s):
                    await self._turn.wait()
            except TimeoutError as error:
                raise TransferTimeout(idle_s=self._limits.idle_s) from error
        if self._failure is not None:
            raise self._failure

    async def _ask(self, payload: Element) -> None:
        iq = self._stream.make_iq_set(payload, ito=self._to, ifrom=self._own)
        await ask(self._stream, iq, ANSWER_LIMIT_S)

    # --- stanzas --------------------------------------------------------------------------------

    def _stanza(self, number: int, block: memoryview) -> str:
        attributes = self._fast_path.attributes("set", f"{self._name}-{number}", to=self._to, own=self._own)
        data = f'<data xmlns="{IBB}" sid={quoteattr(self.sid)} seq="{number}">{encode(block)}</data>'
        return f"<iq{attributes}>{data}</iq>"

    def _element(self, name: str, block_size: int = 0) -> Element:
        element = Element(f"{{{IBB}}}{name}", {"sid": self.sid})
        if block_size:
            element.attrib |= {"block-size": str(block_size), "stanza": "iq"}
        return element
