"""How fast the bot speaks in rooms, and what becomes of words that a room did not take.

Servers bound how often somebody speaks in a room, each in its own way, and say so only by refusing a
message. So the bot keeps below what a person could read, and what comes back for that reason is said again.
"""

import asyncio
import logging
from typing import Final

from aiolimiter import AsyncLimiter
from cachetools import LRUCache
from slixmpp.stanza import Message

from filebot.model import BareJid
from filebot.xmpp.tasks import Tasks

log = logging.getLogger(__name__)

BURST: Final = 20
"""Messages that may follow one another at once in a room..."""
BURST_S: Final = 5.0
"""...within so many seconds, and as many more after each such time."""
AGAIN_S: Final = 10.0
"""After a refusal; longer each time."""
TRIES: Final = 4
REMEMBERED: Final = 200
"""Messages that are said again if they come back; of all rooms."""

_TOO_FAST: Final = frozenset({"policy-violation", "resource-constraint"})
# Section 7.5 of XEP-0045 leaves open by what a room says that it wants no private messages.
_NOT_IN_PRIVATE: Final = frozenset({"forbidden", "not-acceptable", "not-allowed"})


class RoomFlow:
    """Passes messages on to rooms."""

    def __init__(self) -> None:
        self._limiters: LRUCache[BareJid, AsyncLimiter] = LRUCache(REMEMBERED)
        self._said: LRUCache[str, tuple[Message, int]] = LRUCache(REMEMBERED)
        self._said_aside: LRUCache[str, str] = LRUCache(REMEMBERED)
        self._again = Tasks(REMEMBERED)

    async def send(self, room: BareJid, message: Message) -> None:
        """Send it as soon as the room's pace allows."""
        await self._turn(room)
        self._said[str(message["id"])] = (message, 1)
        message.send()

    def send_aside(self, occupant: str, message: Message) -> None:
        """Send it to one person through a room."""
        self._said_aside[str(message["id"])] = occupant
        message.send()

    def is_unheard(self, occupant: str, message_id: str, condition: str) -> bool:
        """Whether a message that came back shows that its room lets the bot speak to nobody in private."""
        return condition in _NOT_IN_PRIVATE and self._said_aside.get(message_id) == occupant

    def bounced(self, room: BareJid, message_id: str, condition: str, kind: str) -> None:
        """A message came back, with the condition and type of its error (RFC 6120 section 8.3)."""
        message, tries = self._said.pop(message_id, (None, 0))
        if message is None or kind != "wait" or condition not in _TOO_FAST or tries >= TRIES:
            return
        log.info("room %s takes no more just now (%s)", room, condition)
        self._again.start(self._say_again(room, message, message_id, tries), f"again in {room}")

    async def close(self) -> None:
        """Say nothing again."""
        await self._again.close()

    async def _say_again(self, room: BareJid, message: Message, message_id: str, tries: int) -> None:
        await asyncio.sleep(AGAIN_S * tries)
        await self._turn(room)
        self._said[message_id] = (message, tries + 1)
        message.send()

    async def _turn(self, room: BareJid) -> None:
        limiter = self._limiters.get(room)
        if limiter is None:
            limiter = self._limiters[room] = AsyncLimiter(BURST, BURST_S)
        await limiter.acquire()
