"""How fast the bot speaks in rooms, and what becomes of words that a room did not take.

Servers bound how often somebody speaks in a room, each in its own way, and say so only by refusing a
message. So the bot keeps below what a person could read, and what comes back for that reason is said again.
What there is to say in a room while the bot is out of it waits until it is back.

All is counted for each room: one that refuses everything takes nothing from the others.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiolimiter import AsyncLimiter
from cachetools import LRUCache
from slixmpp.stanza import Message

from filebot.concurrency.backoff import Backoff
from filebot.concurrency.lru import DefaultLRUCache
from filebot.concurrency.tasks import Tasks
from filebot.model import BareJid
from filebot.xmpp.rooms.joined_rooms import MOST_ROOMS, OUTSIDE

log = logging.getLogger(__name__)

BURST: Final = 20
"""Messages that may follow one another at once in a room..."""
BURST_S: Final = 5.0
"""...within so many seconds, and as many more after each such time."""
AGAIN_S: Final = 10.0
LONGEST_AGAIN_S: Final = 60.0
"""After a refusal; longer each time."""
TRIES: Final = 4
ENTRY_LIMIT_S: Final = 600.0
"""How long words for a room wait until the bot is in it."""
REMEMBERED: Final = 20
"""Messages of one room that wait to be said again."""
REMEMBERED_BYTES: Final = 80_000
"""Memory for the messages of one room that would be said again: some dozen of the usual ones."""
MESSAGE_BYTES: Final = 2_000
"""Rough size of a message beside its text."""

_TOO_FAST: Final = frozenset({"policy-violation", "resource-constraint"})
# Section 7.5 of XEP-0045 leaves open by what a room says that it wants no private messages.
# COMPAT(ejabberd): "forbidden". COMPAT(Prosody, 13): "policy-violation", but not as a "wait".
_NOT_IN_PRIVATE: Final = frozenset({"forbidden", "not-allowed", "policy-violation"})


@dataclass(slots=True)
class _Said:
    """A message, and how often a room did not take it."""

    message: Message
    backoff: Backoff

    @property
    def size_bytes(self) -> int:
        return MESSAGE_BYTES + len(str(self.message["body"]))


class _Room:
    """Messages that were sent to one room, and those that wait to be sent again."""

    def __init__(self) -> None:
        self.limiter = AsyncLimiter(BURST, BURST_S)
        self.said: LRUCache[str, _Said] = LRUCache(REMEMBERED_BYTES, getsizeof=lambda said: said.size_bytes)
        """By id."""
        self.said_aside: LRUCache[str, int] = LRUCache(REMEMBERED)
        """By id, a hash of to whom: a nick may be long."""
        self.again = 0
        """Messages that wait to be said again."""


class RoomSender:
    """Passes messages on to rooms."""

    def __init__(self, until_in: Callable[[BareJid, float], Awaitable[bool]]) -> None:
        """``until_in`` waits until the bot is in a room, for so many seconds; it returns whether it is."""
        self._until_in = until_in
        self._rooms = DefaultLRUCache[BareJid, _Room](MOST_ROOMS, _Room)
        self._again = Tasks(REMEMBERED * MOST_ROOMS)

    async def send(self, room: BareJid, message: Message) -> None:
        """Send it as soon as the bot is in the room and its pace allows; never if it stays out too long."""
        await self._say(room, _Said(message, Backoff(AGAIN_S, LONGEST_AGAIN_S)))

    def send_aside(self, occupant: str, message: Message) -> None:
        """Send it to one person through a room."""
        self._rooms[occupant.partition("/")[0]].said_aside[str(message["id"])] = hash(occupant)
        message.send()

    def wants_none_aside(self, occupant: str, message_id: str, condition: str, kind: str) -> bool:
        """Whether a message that came back shows that its room lets the bot speak to nobody in private."""
        said_aside = self._rooms[occupant.partition("/")[0]].said_aside
        for_good = condition in _NOT_IN_PRIVATE and kind != "wait"
        return for_good and said_aside.get(message_id) == hash(occupant)

    def bounced(self, room: BareJid, message_id: str, condition: str, kind: str) -> bool:
        """Say a message again that came back with this condition and type of its error (RFC 6120 section
        8.3), if that is of use; return whether it is said again.
        """
        known = self._rooms[room]
        said = known.said.pop(message_id, None)
        too_fast = kind == "wait" and condition in _TOO_FAST
        if said is None or not (too_fast or condition in OUTSIDE):
            return False
        pause_s = said.backoff.next_s()
        if said.backoff.failures >= TRIES:
            return False
        if known.again >= REMEMBERED:
            log.warning("room %s refuses too much (%s); not all of it is said again", room, condition)
            return False
        log.info("room %s takes no more just now (%s)", room, condition)
        work = self._say_again(room, known, said, pause_s if too_fast else 0.0)
        if not self._again.start(work, f"again in {room}"):
            return False
        known.again += 1
        return True

    async def close(self) -> None:
        """Say nothing again."""
        await self._again.close()

    async def _say_again(self, room: BareJid, known: _Room, said: _Said, pause_s: float) -> None:
        try:
            await asyncio.sleep(pause_s)
            await self._say(room, said)
        finally:
            known.again -= 1

    async def _say(self, room: BareJid, said: _Said) -> None:
        if not await self._until_in(room, ENTRY_LIMIT_S):
            log.warning("not in room %s: something is not said there", room)
            return
        known = self._rooms[room]
        await known.limiter.acquire()
        known.said[str(said.message["id"])] = said
        said.message.send()
