"""Nothing missed in rooms either: one catch-up for each room that the bot follows.

Theory of operation. A room has a message archive of its own (XEP-0313), which is read whenever the bot has
come into the room, from the last message on that was dealt with. It begins when the room's admins switch
its archive on: what is older is not read unless they ask for that. When they switch it off, or the bot
leaves for good, the position is forgotten: what is posted then was never meant for the bot.

Authors are told by their occupant-ids (XEP-0421); without those, nothing can be caught up.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

from filebot.errors import FilebotError
from filebot.model import BareJid
from filebot.ports import Cursors
from filebot.system.server_clock import ServerClock
from filebot.xmpp.archive.catchup import CatchUp
from filebot.xmpp.archive.mam_query import Archived
from filebot.xmpp.archive.turns import Turn
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

ROOMS_AT_ONCE: Final = 4
"""Archives that are asked for a page at one time."""


class RoomCatchUps:
    """The catch-ups of all rooms; told when the bot comes and goes there. Without ``positions``, none."""

    def __init__(
        self,
        stream: Stream,
        positions: Cursors | None,
        take: Callable[[CatchUp, BareJid, Archived], bool],
        turn: Callable[[BareJid, Element], Turn],
        clock: ServerClock | None = None,
    ) -> None:
        """``take`` and ``turn`` as those of a :class:`CatchUp`, for each room."""
        self._stream = stream
        self._positions = positions
        self._take = take
        self._turn = turn
        self._clock = clock or ServerClock()
        self._archived: set[BareJid] = set()
        self._present: set[BareJid] = set()
        self._catch_ups: dict[BareJid, CatchUp] = {}
        self._at_once = asyncio.Semaphore(ROOMS_AT_ONCE)
        self._changing = asyncio.Lock()

    def of(self, room: BareJid) -> CatchUp | None:
        """That of one room, if there is any."""
        return self._catch_ups.get(room)

    async def switch(self, room: BareJid, *, is_on: bool) -> None:
        """The room's archive is switched on or off; returns when that would survive a crash."""
        if not is_on:
            self._archived.discard(room)
            await self.forget(room)
            return
        self._archived.add(room)
        async with self._changing:
            if room in self._present and room not in self._catch_ups:
                catch_up = self._made(room)
                await catch_up.begin()
                await catch_up.start()

    async def entering(self, room: BareJid) -> None:
        """The bot is about to enter a room that tells its occupants apart."""
        async with self._changing:
            if room in self._archived:
                await self._made(room).begin()

    async def entered(self, room: BareJid) -> None:
        """It is in; likewise."""
        self._present.add(room)
        if room in self._catch_ups:
            await self._catch_ups[room].start()

    async def left(self, room: BareJid) -> None:
        """It is out, for now."""
        self._present.discard(room)
        if room in self._catch_ups:
            await self._catch_ups[room].pause()

    async def forget(self, room: BareJid) -> None:
        """The bot has no business there any more."""
        async with self._changing:
            catch_up = self._catch_ups.pop(room, None) or self._made_for(room)
            try:
                await catch_up.forget()
            except FilebotError as error:
                log.warning("how far %s was read is not forgotten: %s", room, error)

    async def close(self) -> None:
        """Save all positions for the last time."""
        await asyncio.gather(*(each.close() for each in self._catch_ups.values()))

    def _made(self, room: BareJid) -> CatchUp:
        return self._catch_ups.setdefault(room, self._made_for(room))

    def _made_for(self, room: BareJid) -> CatchUp:
        made: CatchUp

        def take(archived: Archived) -> bool:
            return self._take(made, room, archived)

        turn = partial(self._turn, room)
        made = CatchUp(
            self._stream,
            room,
            self._positions,
            take,
            turn,
            at_once=self._at_once,
            of_room=True,
            clock=self._clock,
        )
        return made
