"""Files of destroyed rooms: they go back to their owners.

They were for the people of that room. Whoever makes another one at its address decides who is in it. So the
room is noted first and forgotten last, and while it is noted the bot enters no room of its address: neither
a kill nor a full disk leaves some of the files to the next room.
"""

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from typing import Final

from filebot.concurrency.locks import KeyedLocks
from filebot.events.bus import EventBus
from filebot.events.facts import Event, FileRemoved, OwnerChanged, RemovalReason, room_itself
from filebot.files.proven_occupants import ProvenOccupants
from filebot.files.removal import Removal
from filebot.model import BareJid, Identity, Outbox
from filebot.ports import Entries, Queue, Released, RoomStore
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)

RELEASE_BATCH: Final = 1000
"""Entries that are released in one transaction."""


class DestroyedRooms:
    """Releases the files of such rooms."""

    def __init__(
        self,
        entries: Entries,
        store: RoomStore,
        queue: Queue,
        removal: Removal,
        room_settings: RoomSettingsStore,
        proven: ProvenOccupants,
        events: EventBus,
    ) -> None:
        self._entries = entries
        self._store = store
        self._queue = queue
        self._removal = removal
        self._room_settings = room_settings
        self._proven = proven
        self._events = events
        self._noted: set[BareJid] = set()
        """Rooms of which something may be left to do."""
        self._locks = KeyedLocks(asyncio.Lock)

    async def open(self) -> None:
        """Release what an earlier run did not. Call it before any room is entered. Raises StorageError."""
        for room in await self._store.destroyed_rooms():
            await self.release(room)

    async def release(self, room: BareJid) -> None:
        """Make the room's files private ones of their owners, and forget the room and its settings.

        Files of occupants of whom nothing but the room's id is known are removed: nobody can ever show
        again to be one of them. OwnerChanged or FileRemoved tells of each file. Raises StorageError; then
        :meth:`finish` or the next start does what is left.
        """
        self._noted.add(room)
        await self.finish(room)

    async def finish(self, room: BareJid) -> None:
        """Finish the release of a room, if it was destroyed. Call it before the room is entered.

        Raises StorageError.
        """
        # Also while listeners hear of the files: whoever enters the room has to wait for the end of it.
        async with self._locks(room):
            if room in self._noted:
                await self._store.note_destroyed_room(room)
                await self._release(room)
                await self._store.forget_destroyed_room(room)
                self._noted.discard(room)

    async def _release(self, room: BareJid) -> None:
        # First: a file that is kept for the room from now on would be in the next one of its address.
        await self._room_settings.clear(room)
        self._proven.forget_room(room)
        owners: set[Identity] = set()
        while released := await self._release_some(room):
            owners |= released
        await self._removal.freed.collect()
        log.info("room %s is no more; its files are those of %d people", room, len(owners))
        # Not those of ``owners`` alone: an earlier run may have released others.
        await self._removal.remove_all(
            partial(self._entries.of_occupants, room), RemovalReason.ROOM_DESTROYED, room_itself(room)
        )

    async def _release_some(self, room: BareJid) -> set[Identity]:
        """Release the oldest files; return their owners, or nobody when none is left."""
        by = room_itself(room)

        async def release(outbox: Outbox[Released] | None) -> Released:
            released = await self._entries.release(room, RELEASE_BATCH, outbox=outbox)
            for before, after in released:
                if after is None:
                    self._queue.forget_entry(before.id)
            return released

        def tells(released: Released) -> Iterator[Event]:
            for before, after in released:
                if after is None:
                    yield FileRemoved(by.sender, by.language, before, RemovalReason.ROOM_DESTROYED)
                else:
                    yield OwnerChanged(by.sender, by.language, after, before.owner, room)

        async with self._events.change() as change:
            released = await change.write(release, tells)
        return {before.owner for before, _ in released}
