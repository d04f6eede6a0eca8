"""Runs one Jingle session: does what its machine wants to have done, and tells it what happened.

::

    iq of the peer --> Session.receive --+--> effects --> iqs (one at a time, in order)
    connection, block, limit --> Session +            --> dialling, activating, opening
                                                      --> ``route`` is there: bytes may move
                                                      --> ``ended`` is there: nothing more will come

Whoever has made a driver uses it as a context: leaving it ends the session, if it has not ended, and frees
everything.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from filebot.concurrency.locks import on_behalf_of
from filebot.concurrency.tasks import Tasks, end
from filebot.errors import PeerGone, TransferError
from filebot.protocol.ibb import BadBlock, read_block_size
from filebot.protocol.jingle.actions import Jingle, JingleReason
from filebot.protocol.jingle.effects import (
    Activate,
    AwaitStream,
    Dial,
    Effect,
    Ended,
    Flow,
    OpenStream,
    Reaction,
    Route,
    SendJingle,
)
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.session import JingleSession
from filebot.protocol.jingle.states import State
from filebot.protocol.jingle.transports import (
    Candidate,
    InBandTransport,
    Socks5Transport,
    UnknownTransport,
)
from filebot.protocol.stanza_error import StanzaError
from filebot.xmpp.bytestreams.ibb_receiver import IbbStreamReceiver
from filebot.xmpp.bytestreams.ibb_sender import IbbStreamSender
from filebot.xmpp.bytestreams.iq_fast_path import Request
from filebot.xmpp.bytestreams.registry import UNKNOWN, UNWILLING
from filebot.xmpp.bytestreams.socks5_ports import ByteConnection, ExpectedStream
from filebot.xmpp.bytestreams.socks5_proxies import Proxies
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.jingle.candidates import expected
from filebot.xmpp.jingle.errors import failure_of
from filebot.xmpp.jingle.ordered_iqs import OrderedIqs
from filebot.xmpp.jingle.socks5_dials import Dials
from filebot.xmpp.si.incoming import StreamTools

log = logging.getLogger(__name__)

CONNECTED_S: Final = 5.0
"""For the connection of a peer that says it has made it."""
_TASKS: Final = 8

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class JingleTools:
    """Parts that all sessions share."""

    stream: Stream
    streams: StreamTools
    proxies: Proxies


class Driver:
    """See above. Also a ``StreamSession``: the in-band stream under its transport's sid is its own."""

    def __init__(self, tools: JingleTools, peer: str, own: str, terms: SessionParameters) -> None:
        loop = asyncio.get_running_loop()
        self.peer = peer
        self.session = JingleSession(terms)
        self.route: asyncio.Future[Route] = loop.create_future()
        """By which way the bytes move, once they may; or why they never will, as a TransferError."""
        self.ended: asyncio.Future[Ended] = loop.create_future()
        self.heard = asyncio.Event()
        """Set whenever the peer has said something, or the session has ended."""
        self.connection: ByteConnection | None = None
        """The connection over which the bytes move, unless they move in-band."""
        self.ibb_receiver: IbbStreamReceiver | None = None
        self.ibb_sender = IbbStreamSender(
            tools.stream, tools.streams.fast_path, tools.streams.limits, peer, "", own
        )
        self._tools = tools
        self._own = own
        self._terms = terms
        self._tasks = Tasks(_TASKS)
        self._iqs = OrderedIqs(
            tools.stream, tools.streams.fast_path, peer, own, start=self._start, refused=self._refused
        )
        self._timer: asyncio.TimerHandle | None = None
        self._timed: State | None = None
        self._in_band: InBandTransport | None = None
        self.dials = Dials(tools.streams.connections, tools.proxies, peer, own, terms)
        self._stack = ExitStack()
        self._expected: ExpectedStream | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.perform(self.session.fail(JingleReason.CANCEL))
        self._iqs.send_the_rest()
        self.ibb_sender.close()
        if self.ibb_receiver is not None:
            self.ibb_receiver.end()
        self._leave_in_band()
        try:
            await self._tasks.close()
        finally:
            if self.connection is not None:
                await self.connection.close()
            await self._close_losers()

    # --- what the bot does ----------------------------------------------------------------------

    def expect(self, transport: Socks5Transport) -> None:
        """Let the peer in by our listener, before it learns of it."""
        connections = self._tools.streams.connections
        if connections is not None:
            hashes = expected(self._terms, transport.sid, self._own, self.peer)
            self._expected = self._stack.enter_context(connections.expect(hashes))
            self.dials.ours = transport

    @property
    def sids(self) -> frozenset[str]:
        """The sids by which listeners and in-band streams know the session."""
        transport = self._terms.content.transport
        named = () if transport is None or isinstance(transport, UnknownTransport) else (transport.sid,)
        return frozenset((self._terms.sid, *named))

    def perform(self, effects: Iterable[Effect]) -> None:
        """Do what the machine wants, in its order."""
        for effect in effects:
            match effect:
                case SendJingle():
                    self._iqs.send(effect)
                case Dial(transport):
                    self._start(self._dial(transport))
                case Activate(candidate):
                    self._start(self._activate(candidate))
                case OpenStream(transport):
                    self._enter_in_band(transport)
                    self._start(self._open(transport))
                case AwaitStream(transport):
                    self._enter_in_band(transport)
                case Flow(route):
                    self._start(self._flow(route))
                case Ended():
                    self._end(effect)
        self._watch_the_clock()

    def end(self, reason: JingleReason, text: str) -> None:
        """End the session before anything has moved, and wait for no answer."""
        self.perform(self.session.fail(reason, text))
        self._iqs.send_the_rest()

    async def unless_ended(self, work: Coroutine[Any, Any, _T]) -> _T | None:
        """Return what the coroutine returns; None if the session ends well before.

        Raises TransferError if it ends otherwise.
        """
        task = asyncio.get_running_loop().create_task(work)
        try:
            both: set[asyncio.Future[Any]] = {task, self.ended}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return await task
            if (failure := failure_of(self.ended.result())) is not None:
                raise failure
            return None
        finally:
            await end([task])

    def lost(self) -> None:
        """The peer has gone offline, or our own XMPP session is gone."""
        self.perform(self.session.lost())
        if self._in_band is not None:
            error = PeerGone("the XMPP session ended")
            self.ibb_sender.lost()
            if self.ibb_receiver is not None:
                self.ibb_receiver.fail(error)

    # --- what the peer does ---------------------------------------------------------------------

    def take(self, request: Request, jingle: Jingle) -> None:
        """An iq in this session: answered at once, before anything is done about it."""
        self.answer(request, self.session.receive(jingle))

    def answer(self, request: Request, reaction: Reaction) -> None:
        """Answer an iq, and then do what follows from it."""
        fast_path = self._tools.streams.fast_path
        if reaction.error is None:
            fast_path.acknowledge(request)
        else:
            fast_path.refuse(request, reaction.error)
        self.perform(reaction.effects)
        self.heard.set()

    def requested(self, request: Request) -> None:
        """Stream hosts as of XEP-0065: a Jingle session names its own way."""
        self._tools.streams.fast_path.refuse(request, UNWILLING)

    def opened(self, request: Request) -> None:
        fast_path, agreed = self._tools.streams.fast_path, self._in_band
        if self.session.state is not State.OPENING or agreed is None:
            fast_path.refuse(request, UNWILLING)
            return
        try:
            size = read_block_size(request.payload.get("block-size"))
        except BadBlock as error:
            fast_path.refuse(request, StanzaError(error.condition, "modify"))
            return
        if size > agreed.block_size:
            # XEP-0047 section 2.1; smaller is fine.
            fast_path.refuse(request, StanzaError("resource-constraint", "modify"))
            return
        self._be_open(size)
        fast_path.acknowledge(request)
        self.perform(self.session.opened())

    def data(self, request: Request) -> None:
        if self.ibb_receiver is None:
            self._tools.streams.fast_path.refuse(request, UNKNOWN)
        else:
            self.ibb_receiver.take(request)

    def closed(self, request: Request) -> None:
        if self.ibb_receiver is not None:
            self.ibb_receiver.close()
        else:
            self.ibb_sender.closed(request)

    # --- time -------------------------------------------------------------------------------------

    def _watch_the_clock(self) -> None:
        """One timer for the present state of the machine."""
        state = self.session.state
        if state is self._timed:
            return
        if self._timed is not None:
            self.dials.went(self._timed, state)
        self._timed = state
        if self._timer is not None:
            self._timer.cancel()
        limit_s = self.session.wait_s
        loop = asyncio.get_running_loop()
        self._timer = None if limit_s is None else loop.call_later(limit_s, self._expire)

    def _expire(self) -> None:
        log.info("%s: %s lasted too long", self.peer, self.session.state.name)
        self.perform(self.session.expired())

    # --- steps ------------------------------------------------------------------------------------

    def _refused(self, jingle: Jingle, error: StanzaError) -> None:
        self.perform(self.session.refused(jingle, error))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        with on_behalf_of(self.peer.partition("/")[0]):
            self._tasks.start(work, "a Jingle session")

    async def _dial(self, theirs: Socks5Transport) -> None:
        self.perform(self.session.dialled(await self.dials.dial(theirs)))

    async def _activate(self, candidate: Candidate) -> None:
        self.perform(self.session.activated(well=await self.dials.activate(candidate)))

    async def _open(self, transport: InBandTransport) -> None:
        try:
            await self.ibb_sender.open(transport.block_size)
        except TransferError as error:
            log.info("no in-band stream to %s: %s", self.peer, error)
            self.perform(self.session.fail(JingleReason.FAILED_TRANSPORT))
        else:
            if not self._terms.sending:
                self._be_open(transport.block_size)
            self.perform(self.session.opened())

    def _be_open(self, block_size: int) -> None:
        if self._terms.sending:
            self.ibb_sender.be_open(block_size)
        else:
            size = self.session.expected_bytes
            self.ibb_receiver = IbbStreamReceiver(
                self._tools.streams.fast_path, self._tools.streams.limits, block_size, size
            )

    async def _flow(self, route: Route) -> None:
        try:
            match route:
                case Route.DIALLED:
                    self.connection = self.dials.dialled
                case Route.ACTIVATED:
                    self.connection = self.dials.proxied
                case Route.AWAITED:
                    assert self._expected is not None  # noqa: S101  # the peer used a candidate of ours
                    self.connection = await self._expected.connected(CONNECTED_S)
        except TransferError as error:
            log.info("%s did not connect: %s", self.peer, error)
            self.perform(self.session.fail(JingleReason.CONNECTIVITY_ERROR))
            return
        await self._close_losers()
        if not self.route.done():
            self.route.set_result(route)

    async def _close_losers(self) -> None:
        """Close every connection but the one in use, and let no more in."""
        self._stack.close()
        await self.dials.close_all_but(self.connection)

    def _end(self, ended: Ended) -> None:
        log.info("the session with %s ended: %s", self.peer, ended.reason.value)
        if not self.ended.done():
            self.ended.set_result(ended)
        self.heard.set()
        failure = failure_of(ended)
        if not self.route.done():
            self.route.set_exception(failure or PeerGone("ended before it began"))
            self.route.exception()  # nobody may be waiting for it
        if failure is not None and self.ibb_receiver is not None:
            self.ibb_receiver.fail(failure)

    # --- the in-band stream -----------------------------------------------------------------------

    def _enter_in_band(self, transport: InBandTransport) -> None:
        sessions = self._tools.streams.sessions
        self._leave_in_band()
        if sessions.known(self.peer, transport.sid):
            self.perform(self.session.fail(JingleReason.FAILED_TRANSPORT))
            return
        self._in_band = transport
        self.ibb_sender.sid = transport.sid
        sessions.add(self.peer, transport.sid, self, counted=False)

    def _leave_in_band(self) -> None:
        if self._in_band is not None:
            self._tools.streams.sessions.remove(self.peer, self._in_band.sid)
            self._in_band = None
