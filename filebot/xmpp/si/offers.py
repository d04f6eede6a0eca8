"""Files that people offer by stream initiation (XEP-0095, XEP-0096): the ``StreamOffer`` port."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from filebot.errors import LocalProtocolError
from filebot.model import Method, Offer
from filebot.ports import Download
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import NO_VALID_STREAMS, BadOffer, SiOffer, declined, read_offer
from filebot.xmpp.bytestreams.iq_fast_path import Request
from filebot.xmpp.bytestreams.offer_policy import OfferPolicy, PendingOffer, Rejection
from filebot.xmpp.handlers import StreamHandlers
from filebot.xmpp.jid import Jid
from filebot.xmpp.si.incoming import SiReceive, StreamTools
from filebot.xmpp.xml import jid_or_none

log = logging.getLogger(__name__)


class PeerOffer(PendingOffer):
    """The ``StreamOffer`` port."""

    def __init__(self, tools: StreamTools, request: Request, si: SiOffer, unanswered: str) -> None:
        super().__init__(request, tools.limits.offer_s, unanswered)
        self._tools = tools
        self._si = si
        self._inbound = SiReceive(tools, request, si)
        tools.sessions.add(request.peer, si.sid, self._inbound)

    @property
    def offer(self) -> Offer:
        return self._si.offer

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

    def _reject(self, rejection: Rejection) -> None:
        self._tools.sessions.remove(self._request.peer, self._si.sid)
        self._tools.fast_path.refuse(self._request, _error_of(rejection))


class SiOfferHandler:
    """Handler of offers: declines those that cannot be taken, and brings the others to the bot."""

    def __init__(self, tools: StreamTools, policy: OfferPolicy, handlers: StreamHandlers) -> None:
        self._tools = tools
        self._policy = policy
        self._handlers = handlers

    def take(self, request: Request) -> None:
        """Answer an offer, or bring it to the bot."""
        sender = jid_or_none(request.peer)
        try:
            offer = self._accepted(request, sender)
        except BadOffer as error:
            log.info("an offer of %s is refused: %s", request.peer, error)
            self._tools.fast_path.refuse(request, error.error)
            return
        self._policy.start(self._handlers.offer, offer)

    def _accepted(self, request: Request, sender: Jid | None) -> PeerOffer:
        """Raises BadOffer with the answer to give."""
        if sender is None or not sender.resource:
            raise BadOffer(StanzaError("bad-request"))
        if (rejection := self._policy.rejection_of(sender)) is not None:
            raise BadOffer(_error_of(rejection))
        si = read_offer(request.payload)
        if self._tools.sessions.known(request.peer, si.sid):
            raise BadOffer(StanzaError("conflict"))
        if Method.IBB not in si.methods and self._tools.connections is None:
            raise BadOffer(NO_VALID_STREAMS)
        return PeerOffer(self._tools, request, si, self._policy.words.unanswered)


def _error_of(rejection: Rejection) -> StanzaError:
    if rejection.for_now:
        return StanzaError("resource-constraint", "wait", text=rejection.text)
    return declined(rejection.text)
