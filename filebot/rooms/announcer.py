"""Announcer: tells rooms that want it which files are new, some at a time, backing off while more come."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from filebot.concurrency.backoff import Backoff
from filebot.concurrency.debouncer import Debouncer
from filebot.concurrency.keyed_tasks import KeyedTasks
from filebot.events.bus import EventBus
from filebot.events.facts import RoomFilesAdded
from filebot.model import Address, AddressKind, BareJid, Entry, Sender, SettingKey
from filebot.rooms.settings import RoomSettingsStore

ANNOUNCE: Final = SettingKey("announce", "announce")
"""Whether a room wants to hear of new files."""
GATHER_S: Final = 20.0
"""Time between a new file and its announcement, in which more may come."""
LONGEST_PAUSE_S: Final = 1280.0
"""Pause after an announcement; the first is twice ``GATHER_S``, and each that soon follows another twice as
long as the one before."""
MOST_WAITING: Final = 500
"""Files of one room for whose announcement somebody waits; more are announced all the same."""
NAMED: Final = 5
"""Files of one announcement; the others are counted."""


@dataclass(slots=True)
class _Gathered:
    came: Debouncer
    count: int = 0
    first: list[Entry] = field(default_factory=list)
    told: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Announcer:
    """Gathers the new files of each room for a while; owns a task for each room that has some."""

    def __init__(
        self, events: EventBus, wants: Callable[[BareJid], bool], *, gather_s: float = GATHER_S
    ) -> None:
        """``wants`` tells whether a room wants to be told: asked for each file, and before it is told."""
        self._events = events
        self._wants = wants
        self._gather_s = gather_s
        self._gathered: dict[BareJid, _Gathered] = {}
        self._tasks = KeyedTasks[BareJid]()
        self._closed = False

    def add(self, entry: Entry) -> asyncio.Future[None]:
        """Note a new file of a room; return what is done when the room has been told, or need not be.

        It is cancelled if the bot stops before. Where very many wait, it ends at once.
        """
        room = entry.room
        if room is None or self._closed or not self._wants(room):
            return _no_need()
        gathered = self._gathered.get(room)
        if gathered is None:
            gathered = self._gathered[room] = _Gathered(Debouncer(self._gather_s, self._gather_s))
        gathered.came.signal()
        gathered.count += 1
        if len(gathered.first) < NAMED:
            gathered.first.append(entry)
        if room not in self._tasks:
            self._tasks.start(room, self._run(room), f"new files of {room}")
        return asyncio.shield(gathered.told) if gathered.count <= MOST_WAITING else _no_need()

    def told(self, room: BareJid) -> asyncio.Future[None]:
        """Return what is done when a room has been told of what is new there now, see :meth:`add`."""
        gathered = self._gathered.get(room)
        waits = gathered is not None and gathered.count <= MOST_WAITING
        return asyncio.shield(gathered.told) if gathered is not None and waits else _no_need()

    async def close(self) -> None:
        """Stop announcing."""
        self._closed = True
        await self._tasks.close()

    async def _run(self, room: BareJid) -> None:
        """Tell the room now and then, until nothing new came for a whole pause."""
        pauses = Backoff(2 * self._gather_s, LONGEST_PAUSE_S)
        try:
            while (gathered := self._gathered.get(room)) is not None:
                await gathered.came.settled()
                del self._gathered[room]
                await self._tell(room, gathered)
                await asyncio.sleep(pauses.next_s())
        finally:
            if room in self._gathered:
                self._gathered.pop(room).told.cancel()

    async def _tell(self, room: BareJid, gathered: _Gathered) -> None:
        try:
            if self._wants(room):  # its admins may have changed their mind
                everybody = Sender(Address(room, AddressKind.ROOM), None, room)
                await self._events.tell(
                    RoomFilesAdded(everybody, None, tuple(gathered.first), gathered.count)
                )
            gathered.told.set_result(None)
        finally:
            gathered.told.cancel()


def wants_announcements(room_settings: RoomSettingsStore, room: BareJid) -> bool:
    """Tell whether a room wants to hear of new files, and everybody in it may."""
    return room_settings.get(room, ANNOUNCE) and not room_settings.is_members_only(room)


def _no_need() -> asyncio.Future[None]:
    told = asyncio.get_running_loop().create_future()
    told.set_result(None)
    return told
