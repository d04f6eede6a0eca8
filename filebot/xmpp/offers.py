"""Files that people offer (XEP-0095, XEP-0096): who may, how many at once, and the ``StreamOffer`` port."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from slixmpp.jid import JID

from filebot.errors import LocalProtocolError, TransferTimeout
from filebot.model import Address, Method, Offer, Sender
from filebot.ports import Download, StreamOffer
from filebot.protocol.si import NO_VALID_STREAMS, SI, BadOffer, SiOffer, declined, read_offer
from filebot.protocol.stanza_error import StanzaError
from filebot.xmpp.elements import jid_or_none, language_of
from filebot.xmpp.express import Request
from filebot.xmpp.inbound import Inbound, StreamTools
from filebot.xmpp.tasks import Tasks

log = logging.getLogger(__name__)

OnStreamOffer = Callable[[StreamOffer], Awaitable[None] | None]

_MOST_TOLD: Final = 1000


@dataclass(frozen=True, slots=True)
class StreamWords:
    """What clients show to people whose offer is not taken."""

    unserved: str = "This bot does not serve you."
    in_room: str = "Please offer files to the bot directly, not through the room."
    busy: str = "Too many transfers at once; please send the rest later."
    unanswered: str = "The file cannot be taken now; please try again later."


class RoomNames(Protocol):
    """What is asked about rooms."""

    def is_ours(self, jid: str) -> bool:
        """Whether it is the bare JID of a room that the bot is in, or wants to be in."""


class PeerOffer:
    """The ``StreamOffer`` port."""

    def __init__(
        self, tools: StreamTools, request: Request, si: SiOffer, sender: JID, unanswered: str
    ) -> None:
        self._tools = tools
        self._request = request
        self._si = si
        self._sender = Sender(Address(sender.full), sender.bare)
        self._inbound = Inbound(tools, request, si)
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
        self._tools.express.refuse(self._request, error)


class Offers:
    """Answers those at once that cannot be taken, and brings the others to the bot."""

    def __init__(
        self,
        tools: StreamTools,
        rooms: RoomNames,
        is_served: Callable[[str], bool],
        words: StreamWords,
        on_offer: OnStreamOffer,
    ) -> None:
        self._tools = tools
        self._rooms = rooms
        self._is_served = is_served
        self._words = words
        self._on_offer = on_offer
        self._told: dict[str, None] = {}
        self._tasks = Tasks(tools.limits.total)
        tools.express.serve(f"{{{SI}}}si", self._take)

    async def close(self) -> None:
        """End all that is under way."""
        await self._tasks.close()

    def _take(self, request: Request) -> None:
        sender = jid_or_none(request.peer)
        try:
            offer = self._accepted(request, sender)
        except BadOffer as error:
            log.info("an offer of %s is refused: %s", request.peer, error)
            self._tools.express.refuse(request, error.error)
            return
        if not self._tasks.start(self._handle(offer), "stream offer"):
            offer.expire(self._words.busy)

    def _accepted(self, request: Request, sender: JID | None) -> PeerOffer:
        """Raises BadOffer with the answer to give."""
        if sender is None or not sender.resource:
            raise BadOffer(StanzaError("bad-request"))
        if self._rooms.is_ours(sender.bare):
            # The room would have to pass on the whole stream, and hides the JIDs that it depends on.
            raise BadOffer(declined(self._words.in_room))
        if not self._is_served(sender.bare):
            raise BadOffer(declined(self._words_for_stranger(sender.bare)))
        if not self._tools.sessions.room_for(request.peer):
            raise BadOffer(StanzaError("resource-constraint", "wait", text=self._words.busy))
        si = read_offer(request.payload)
        if self._tools.sessions.known(request.peer, si.sid):
            raise BadOffer(StanzaError("conflict"))
        if Method.IBB not in si.methods and self._tools.connections is None:
            raise BadOffer(NO_VALID_STREAMS)
        return PeerOffer(self._tools, request, si, sender, self._words.unanswered)

    def _words_for_stranger(self, jid: str) -> str:
        """Once: who goes on is not worth it."""
        if jid in self._told:
            return ""
        self._told[jid] = None
        if len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]
        return self._words.unserved

    async def _handle(self, offer: PeerOffer) -> None:
        try:
            work = self._on_offer(offer)
            if work is not None:
                await work
        finally:
            offer.expire(self._words.unanswered)
