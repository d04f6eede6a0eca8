"""The task that keeps the bot in a room (XEP-0045): it joins, pings itself, and joins again.

slixmpp's own plugin does not come back from a kick and waits for a room's subject, so it is not used.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Final, Protocol
from xml.etree.ElementTree import SubElement

from slixmpp.stanza import Presence

from filebot.concurrency.backoff import SPREAD, Backoff
from filebot.concurrency.tasks import Tasks, run_supervised
from filebot.model import BareJid
from filebot.xmpp.connection.disco import features_of
from filebot.xmpp.connection.ping import ping
from filebot.xmpp.connection.settings import SessionSettings, status_in_rooms
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.rooms.occupants import Change, OccupantList, RoomChange
from filebot.xmpp.rooms.room_creation import unlock, unmake
from filebot.xmpp.rooms.trust import DESCRIPTION_LIMIT_S, RoomTrust
from filebot.xmpp.xml import MUC, OCCUPANT_ID, STANZA_IDS

log = logging.getLogger(__name__)

ANSWER_LIMIT_S: Final = 15.0
MOST_NICKS: Final = 5
"""Nicks that are tried where others have taken the first."""

FIRST_WAIT_S: Final = 4.0
LONGEST_WAIT_S: Final = 300.0
STABLE_AFTER_S: Final = 60.0
"""A stay of this length was a good one: the next wait is short again."""
KICKED_FOR_S: Final = 300.0
"""How long the bot stays away after a kick; longer each time that another one follows soon."""
LONGEST_ABSENCE_S: Final = 86_400.0
SELF_PING_S: Final = 300.0
"""How often the bot asks whether it still is in a room (XEP-0410)."""
SELF_PING_LIMIT_S: Final = 30.0

# XEP-0410 section 3.1: the room knows the bot, or nobody knows; anything else means that it is out.
_STILL_IN: Final = frozenset({"service-unavailable", "feature-not-implemented", "item-not-found"})
_UNKNOWN: Final = frozenset({"remote-server-not-found", "remote-server-timeout"})

ENTRIES: Final = frozenset({Change.ENTERED, Change.CREATED})
_FOR_GOOD: Final = frozenset({Change.SHUT_OUT, Change.DESTROYED, Change.VANISHED})

MOST_NOWHERE: Final = 24
"""Answers in a row that there is no such room, after which it is forgotten: about five hours of them. A
service that is just starting may say so, too."""
FIRST_NOWHERE_PAUSE_S: Final = 2.0
NOWHERE_PAUSE_S: Final = 1800.0
"""The longest pause between two of them."""

SILENT: Final = "no answer"
NOWHERE: Final = "no such room"


class Stays(Protocol):
    """Listener for the bot's stays in rooms, such as ``archive.room_catchups.RoomCatchUps``."""

    async def switch(self, room: BareJid, *, is_on: bool) -> None: ...

    async def entering(self, room: BareJid) -> None: ...

    async def entered(self, room: BareJid) -> None: ...

    async def left(self, room: BareJid) -> None: ...

    async def forget(self, room: BareJid) -> None: ...


class KeptRoom:
    """One room: its occupants, and the queue in which its changes wait for the keeper's task."""

    def __init__(
        self, occupants: OccupantList, password: str = "", invited_by: BareJid | None = None
    ) -> None:
        self.occupants = occupants
        self.jid = occupants.room
        self.password = password
        self.invited_by = invited_by
        """None if those who run the bot want it there."""
        self.wanted = True
        """False while the room is only tried, and once it does not want the bot."""
        self.entered = False
        """The bot has come in, and :attr:`changes` did not yet tell the keeper that it is out."""
        self.task = Tasks(limit=1)
        self.ending = asyncio.Lock()
        """Held while others are told that the bot does not come back: that is not cut off."""
        self.changes: asyncio.Queue[RoomChange] = asyncio.Queue(maxsize=32)

    async def stop(self) -> None:
        """No longer keep the bot there."""
        async with self.ending:
            await self.task.close()

    def forget(self) -> None:
        """Drop all that the room told: the session is over."""
        self.entered = False
        self.occupants.leave()
        while not self.changes.empty():
            self.changes.get_nowait()


class RoomKeeper:
    """Keeps the bot in rooms, each in a task of its own."""

    def __init__(
        self,
        stream: Stream,
        settings: SessionSettings,
        stays: Stays,
        trust: RoomTrust,
        configured: Collection[BareJid],
        on_end: Callable[[KeptRoom, bool], Awaitable[None]],
    ) -> None:
        """Rooms that are ``configured`` are made if they do not exist.

        ``on_end`` is told of a room to which the bot does not come back, and whether it was destroyed.
        """
        self.notes: dict[BareJid, str] = {}
        """Words of the bot's presence in rooms that it follows."""
        self.prefix = settings.command_prefix
        """It may be replaced."""
        self.changed = asyncio.Event()
        """Set whenever the bot has come into a room, or is out of one."""
        self._stream = stream
        self._settings = settings
        self._stays = stays
        self._trust = trust
        self._configured = configured
        self._on_end = on_end

    def keep(self, room: KeptRoom) -> None:
        """Begin to keep the bot in a room, if it is wanted there."""
        if room.wanted:
            room.task.start(self._keep(room), f"room {room.jid}")

    def tell(self, room: KeptRoom, change: RoomChange) -> None:
        """Pass a change on to the task that keeps the bot in the room."""
        self.changed.set()
        log.info("room %s: %s %s", room.jid, change.change.value, change.reason)
        try:
            room.changes.put_nowait(change)
        except asyncio.QueueFull:
            log.warning("room %s changes faster than it can be followed", room.jid)

    def show_status(self, room: KeptRoom) -> None:
        """Send the bot's presence again: its text has changed."""
        self._presence(room, status=self._status(room.jid)).send()

    def leave(self, room: KeptRoom, words: str = "") -> None:
        """Send the presence by which the bot leaves (section 7.14)."""
        self._presence(room, kind="unavailable", status=words).send()

    async def enter(self, room: KeptRoom) -> RoomChange:
        """Try the nick and then variants of it (section 7.2.9)."""
        # Before the first presence comes: who speaks at once is known at once.
        try:
            is_somewhere = await self._describe(room)
        except TimeoutError:
            # Not a room without ids: a stay in the belief of that would keep nothing of what is posted.
            return RoomChange(Change.UNREACHED, SILENT)
        if room.jid not in self._configured and not is_somewhere:
            # To enter would make it: of a mistyped address, or in place of one that was destroyed.
            return RoomChange(Change.REFUSED, NOWHERE)
        if room.occupants.can_be_caught_up:
            await self._stays.entering(room.jid)
        elif is_somewhere:
            # Otherwise, with ids one day, all that came without would be met as new.
            await self._stays.forget(room.jid)
        for attempt in range(MOST_NICKS):
            room.occupants.nick = self._settings.nick + "_" * attempt
            self._join_presence(room).send()
            try:
                # Not wait_for: until Python 3.12 it may swallow the cancellation of this task.
                async with asyncio.timeout(ANSWER_LIMIT_S):
                    change = await room.changes.get()
            except TimeoutError:
                return RoomChange(Change.UNREACHED, SILENT)
            if change.change is Change.CREATED:
                return await self._make(room, change)
            if change.change is not Change.NICK_TAKEN:
                return change
        return RoomChange(Change.NICK_TAKEN, "conflict")

    async def _keep(self, room: KeptRoom) -> None:
        """Keep the bot in a room until that does not want it any more."""
        name = f"the stay in room {room.jid}"
        end = await run_supervised(partial(self._stay, room), name)
        if end.change is Change.VANISHED:
            log.warning("room %s is not there any more (asked %d times); forgotten", room.jid, MOST_NOWHERE)
        else:
            log.error("room %s does not want the bot (%s); not trying again", room.jid, end.reason)
        room.wanted = False
        self.changed.set()
        # Whatever fails now, the bot does not enter again: what is there next is another room.
        await run_supervised(partial(self._end, room, end), f"the end of {name}")

    async def _end(self, room: KeptRoom, change: RoomChange) -> None:
        async with room.ending:
            await self._stays.forget(room.jid)
            await self._on_end(room, change.change is Change.DESTROYED)

    async def _stay(self, room: KeptRoom) -> RoomChange:
        """Be in the room, again and again; how that ended for good."""
        loop = asyncio.get_running_loop()
        failures = Backoff(FIRST_WAIT_S, LONGEST_WAIT_S, SPREAD)
        kicks = Backoff(KICKED_FOR_S, LONGEST_ABSENCE_S)
        nowhere = Backoff(FIRST_NOWHERE_PAUSE_S, NOWHERE_PAUSE_S, SPREAD)
        while True:
            await self._stream.session()  # while the server is down, no room has refused anything
            change = RoomChange(Change.ENTERED) if room.entered else await self.enter(room)
            began = loop.time()
            if change.change in ENTRIES:
                room.entered = True
                if room.occupants.can_be_caught_up:
                    await self._stays.entered(room.jid)
                change = await self._until_out(room)
                room.entered = False
                await self._stays.left(room.jid)
                if loop.time() - began > STABLE_AFTER_S:
                    failures.reset()
                    kicks.reset()
            if change.change in _FOR_GOOD:
                return change
            if change.reason != NOWHERE:
                nowhere.reset()
                wait = (kicks if change.change is Change.KICKED else failures).next_s()
            else:
                wait = nowhere.next_s()
                if nowhere.failures == MOST_NOWHERE:
                    return RoomChange(Change.VANISHED, NOWHERE)
            log.warning("not in room %s (%s); trying again in %.1f s", room.jid, _why(change), wait)
            await asyncio.sleep(wait)

    async def _until_out(self, room: KeptRoom) -> RoomChange:
        """Wait until the bot is out, whether the room tells or only a ping shows it."""
        while True:
            try:
                async with asyncio.timeout(SELF_PING_S):
                    return await room.changes.get()
            except TimeoutError:
                if await self._is_still_in(room) or not room.occupants.present:
                    continue  # a word of the room that came meanwhile waits in the queue
            room.occupants.leave()
            log.info("room %s does not know the bot any more", room.jid)
            return RoomChange(Change.PUT_OUT, "self-ping")

    async def _is_still_in(self, room: KeptRoom) -> bool:
        """Ping the bot's own occupant (XEP-0410 section 3). Silence tells nothing."""
        answer = await ping(self._stream, f"{room.jid}/{room.occupants.nick}", SELF_PING_LIMIT_S)
        return not answer or answer in _STILL_IN | _UNKNOWN

    async def _describe(self, room: KeptRoom) -> bool:
        """Learn what the room and its service are; False if the service says that there is no such room.

        Raises TimeoutError if nobody says anything.
        """
        await self._trust.inspect(room.jid)
        room.occupants.believed = self._trust.believes(room.jid)
        features = await features_of(self._stream, room.jid, DESCRIPTION_LIMIT_S)
        room.occupants.has_ids = OCCUPANT_ID in (features or ())
        room.occupants.has_stanza_ids = STANZA_IDS in (features or ())
        return features is not None

    async def _make(self, room: KeptRoom, created: RoomChange) -> RoomChange:
        """Go on with a room that did not exist before; out of one that does not say what it is, and of one
        that went between the question whether it is there and the entry.
        """
        if room.jid not in self._configured:
            room.occupants.leave()
            unmake(self._stream, room.jid)
            self.leave(room)
            return RoomChange(Change.REFUSED, NOWHERE)
        await unlock(self._stream, room.jid, ANSWER_LIMIT_S)
        try:
            await self._describe(room)
        except TimeoutError:
            self.leave(room)
            room.occupants.leave()
            return RoomChange(Change.UNREACHED, SILENT)
        return created

    def _join_presence(self, room: KeptRoom) -> Presence:
        stanza = self._presence(room, status=self._status(room.jid))
        x = SubElement(stanza.xml, f"{{{MUC}}}x")
        # Nobody asked the bot anything before it came.
        SubElement(x, f"{{{MUC}}}history", {"maxstanzas": "0"})
        if room.password:
            SubElement(x, f"{{{MUC}}}password").text = room.password  # section 7.2.6
        return stanza

    def _status(self, room: BareJid) -> str:
        return self.notes.get(room) or status_in_rooms(self.prefix, self._settings.nick)

    def _presence(self, room: KeptRoom, *, kind: str | None = None, status: str) -> Presence:
        sender = self._stream.boundjid if self._stream.is_component else None
        to = f"{room.jid}/{room.occupants.nick}"
        return self._stream.make_presence(pshow=kind, pto=to, pfrom=sender, pstatus=status)


def _why(change: RoomChange) -> str:
    return change.reason if change.reason in {NOWHERE, SILENT} else change.change.value
