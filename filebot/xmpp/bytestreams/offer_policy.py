"""Offers of peers, by stream initiation (XEP-0095) or by Jingle (XEP-0234): who may make them, how many at
once, and how each is answered, once and in time.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from cachetools import LRUCache

from filebot.concurrency.tasks import Tasks
from filebot.errors import LocalProtocolError, TransferTimeout
from filebot.model import Address, Sender
from filebot.xmpp.bytestreams.iq_fast_path import Request
from filebot.xmpp.bytestreams.registry import Sessions, StreamLimits
from filebot.xmpp.jid import Jid
from filebot.xmpp.xml import jid_or_none, language_of

_MOST_TOLD: Final = 1000


@dataclass(frozen=True, slots=True)
class StreamWords:
    """Texts that clients show to people whose offer is not taken."""

    unserved: str = "This bot does not serve you."
    in_room: str = "Please offer files to the bot directly, not through the room."
    busy: str = "Too many transfers at once; please send the rest later."
    unanswered: str = "The file cannot be taken now; please try again later."
    encrypted: str = "I cannot read encrypted files; please turn encryption off in this chat."


class RoomNames(Protocol):
    """Questions about rooms."""

    @property
    def addresses(self) -> Container[str]:
        """Bare JIDs of the rooms that the bot is in, or wants to be in."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Answer to somebody whose offer is not taken, with these words."""

    text: str
    for_now: bool = False
    """Whether it is worth trying again later."""


class PendingOffer(ABC):
    """Offer, or request for a file, that waits for the bot's one answer; it expires without one."""

    def __init__(self, request: Request, limit_s: float, unanswered: str) -> None:
        """After ``limit_s`` seconds the peer is told that it is ``unanswered``."""
        self._request = request
        self._limit_s = limit_s
        self._answered = self._expired = False
        self._expiry = asyncio.get_running_loop().call_later(limit_s, self.expire, unanswered)

    @property
    def sender(self) -> Sender:
        jid = jid_or_none(self._request.peer)
        assert jid is not None  # noqa: S101  # others are turned away before
        return Sender(Address(jid.full, own=self._request.own.partition("/")[0]), jid.bare)

    @property
    def language(self) -> str | None:
        return language_of(self._request.stanza)

    async def refuse(self, text: str) -> None:
        if not self._expired:
            self._answer()
            self._reject(Rejection(text))

    def expire(self, text: str) -> None:
        """Reject it for now if nobody has answered it."""
        if not self._answered:
            self._answered = self._expired = True
            self._expiry.cancel()
            self._reject(Rejection(text, for_now=True))

    def _answer(self) -> None:
        """Note that it is answered. Raises TransferTimeout if it is too late."""
        if self._expired:
            raise TransferTimeout(idle_s=self._limit_s)
        if self._answered:
            raise LocalProtocolError("an offer is answered once")
        self._answered = True
        self._expiry.cancel()

    @abstractmethod
    def _reject(self, rejection: Rejection) -> None:
        """Tell the peer, and forget the session."""


T_contra = TypeVar("T_contra", bound=PendingOffer, contravariant=True)


class OfferPolicy:
    """Judge of offers, and owner of the tasks in which they are handled."""

    def __init__(
        self,
        rooms: RoomNames,
        is_served: Callable[[str], bool],
        sessions: Sessions,
        limits: StreamLimits,
        words: StreamWords,
    ) -> None:
        self.words = words
        self._rooms = rooms
        self._is_served = is_served
        self._sessions = sessions
        self._told: LRUCache[str, bool] = LRUCache(_MOST_TOLD)
        self._tasks = Tasks(limits.total)

    def rejection_of(self, sender: Jid) -> Rejection | None:
        """Return why this client may send nothing now; None if it may."""
        if sender.bare in self._rooms.addresses:
            # The room would have to pass on the whole stream, and hides the JIDs that it depends on.
            return Rejection(self.words.in_room)
        if not self._is_served(sender.bare):
            return Rejection(self._words_for_stranger(sender.bare))
        if not self._sessions.room_for(sender.full):
            return Rejection(self.words.busy, for_now=True)
        return None

    def start(self, take: Callable[[T_contra], Awaitable[None] | None], offer: T_contra) -> None:
        """Bring an offer to its handler; it does not stay unanswered."""
        if not self._tasks.start(self._handle(take, offer), "stream offer"):
            offer.expire(self.words.busy)

    async def close(self) -> None:
        """End all that is under way."""
        await self._tasks.close()

    async def _handle(self, take: Callable[[T_contra], Awaitable[None] | None], offer: T_contra) -> None:
        try:
            work = take(offer)
            if work is not None:
                await work
        finally:
            offer.expire(self.words.unanswered)

    def _words_for_stranger(self, jid: str) -> str:
        """Return the text for the first offer, and none for later ones: nobody reads it again."""
        if jid in self._told:
            return ""
        self._told[jid] = True
        return self.words.unserved
