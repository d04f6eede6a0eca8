"""Who may send the bot files by a stream, and how many at once; the same for every way of offering them."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from slixmpp.jid import JID

from filebot.concurrency.tasks import Tasks
from filebot.xmpp.bytestreams.registry import Sessions, StreamLimits

log = logging.getLogger(__name__)

_MOST_TOLD: Final = 1000


@dataclass(frozen=True, slots=True)
class StreamWords:
    """What clients show to people whose offer is not taken."""

    unserved: str = "This bot does not serve you."
    in_room: str = "Please offer files to the bot directly, not through the room."
    busy: str = "Too many transfers at once; please send the rest later."
    unanswered: str = "The file cannot be taken now; please try again later."
    encrypted: str = "I cannot read encrypted files; please turn encryption off in this chat."


class RoomNames(Protocol):
    """What is asked about rooms."""

    def is_ours(self, jid: str) -> bool:
        """Whether it is the bare JID of a room that the bot is in, or wants to be in."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Somebody is turned away, with these words."""

    text: str
    for_now: bool = False
    """Whether it is worth trying again later."""


class Expirable(Protocol):
    """An offer that may go unanswered."""

    def expire(self, text: str) -> None:
        """Answer it with these words if nobody has."""


T_contra = TypeVar("T_contra", bound=Expirable, contravariant=True)


class Admission:
    """Owns the tasks in which offers are dealt with."""

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
        self._told: dict[str, None] = {}
        self._tasks = Tasks(limits.total)

    def turns_away(self, sender: JID) -> Rejection | None:
        """None if this client may send something now."""
        if self._rooms.is_ours(sender.bare):
            # The room would have to pass on the whole stream, and hides the JIDs that it depends on.
            return Rejection(self.words.in_room)
        if not self._is_served(sender.bare):
            return Rejection(self._words_for_stranger(sender.bare))
        if not self._sessions.room_for(sender.full):
            return Rejection(self.words.busy, for_now=True)
        return None

    def start(self, take: Callable[[T_contra], Awaitable[None] | None], offer: T_contra) -> None:
        """Bring an offer to whoever deals with it; it does not stay unanswered."""
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
        """Once: who goes on is not worth it."""
        if jid in self._told:
            return ""
        self._told[jid] = None
        if len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]
        return self.words.unserved
