"""Files that people offer by stream initiation (XEP-0095, XEP-0096): the ``StreamOffer`` port."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from slixmpp.jid import JID

from filebot.errors import LocalProtocolError, TransferTimeout
from filebot.model import Address, Method, Offer, Sender
from filebot.ports import Download, StreamOffer
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import NO_VALID_STREAMS, SI, BadOffer, SiOffer, declined, read_offer
from filebot.xmpp.bytestreams.iq_fast_path import Request
from filebot.xmpp.bytestreams.offer_policy import Admission
from filebot.xmpp.handlers import Handler
from filebot.xmpp.si.incoming import SiReceive, StreamTools
from filebot.xmpp.xml import jid_or_none, language_of

log = logging.getLogger(__name__)


class PeerOffer:
    """The ``StreamOffer`` port."""

    def __init__(
        self, tools: StreamTools, request: Request, si: SiOffer, sender: JID, unanswered: str
    ) -> None:
        self._tools = tools
        self._request = request
        self._si = si
        self._sender = Sender(Address(sender.full, own=request.own.partition("/")[0]), sender.bare)
        self._inbound = SiReceive(tools, request, si)
        self._answered = self._expired = False
        tools.sessions.add(request.peer, si.sid, self._inbound)
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(tools.limits.offer_s, self.expire, unanswered)

    @property
    def sender(self) -> Sender:
        return self._sender

    @property
    def offer(self) -> Offer:
        return self._si.offer

    @property
    def language(self) -> str | None:
        return language_of(self._request.stanza)

    @property
    def resumable(self) -> bool:
        return self._si.resumable

    @asynccontextmanager
    async def accept(self, offset: int = 0) -> AsyncGenerator[Download, None]:
        if not 0 <= offset <= self._si.size or (offset and not self._si.resumable):
            raise LocalProtocolError(f"the offer does not allow to begin at {offset}")
        self._answer()
        try:
            await self._inbound.begin(offset)
            yield self._inbound
        finally:
            await self._inbound.end()

    async def refuse(self, text: str) -> None:
        if not self._expired:
            self._answer()
            self._end(declined(text))

    def expire(self, text: str) -> None:
        """Nobody answered in time, or nobody is going to."""
        if not self._answered:
            self._answered = self._expired = True
            self._end(StanzaError("resource-constraint", "wait", text=text))

    def _answer(self) -> None:
        if self._expired:
            raise TransferTimeout(idle_s=self._tools.limits.offer_s)
        if self._answered:
            raise LocalProtocolError("an offer is answered once")
        self._answered = True
        self._expiry.cancel()

    def _end(self, error: StanzaError) -> None:
        self._expiry.cancel()
        self._tools.sessions.remove(self._request.peer, self._si.sid)
        self._tools.fast_path.refuse(self._request, error)


class Offers:
    """Answers those at once that cannot be taken, and brings the others to the bot."""

    def __init__(self, tools: StreamTools, admission: Admission, on_offer: Handler[StreamOffer]) -> None:
        self._tools = tools
        self._admission = admission
        self._on_offer = on_offer
        tools.fast_path.serve(f"{{{SI}}}si", self._take)

    def _take(self, request: Request) -> None:
        sender = jid_or_none(request.peer)
        try:
            offer = self._accepted(request, sender)
        except BadOffer as error:
            log.info("an offer of %s is refused: %s", request.peer, error)
            self._tools.fast_path.refuse(request, error.error)
            return
        self._admission.start(self._on_offer, offer)

    def _accepted(self, request: Request, sender: JID | None) -> PeerOffer:
        """Raises BadOffer with the answer to give."""
        if sender is None or not sender.resource:
            raise BadOffer(StanzaError("bad-request"))
        if (turned := self._admission.turns_away(sender)) is not None:
            later = StanzaError("resource-constraint", "wait", text=turned.text)
            raise BadOffer(later if turned.for_now else declined(turned.text))
        si = read_offer(request.payload)
        if self._tools.sessions.known(request.peer, si.sid):
            raise BadOffer(StanzaError("conflict"))
        if Method.IBB not in si.methods and self._tools.connections is None:
            raise BadOffer(NO_VALID_STREAMS)
        return PeerOffer(self._tools, request, si, sender, self._admission.words.unanswered)
