"""Membership: rooms that the bot is in beside those of the config, and for whose sake.

The catalog is the one place where rooms are remembered. Bookmarks on the server (XEP-0402) would be a
second one: a component has none, every client of the account could change them, and they are not in the
backup that has the rooms' files.
"""

import logging
from typing import Final

from filebot.concurrency.tasks import Tasks
from filebot.errors import FilebotError, StorageError
from filebot.events.bus import EventBus
from filebot.events.facts import RoomDestroyed, RoomJoined, RoomLeft, room_itself
from filebot.model import BareJid, RememberedRoom
from filebot.ports import Rooms, RoomStore
from filebot.rooms.destroyed_rooms import DestroyedRooms
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)

MOST_TOLD: Final = 100
"""Ends of rooms that are told at once."""


class Membership:
    """Enters and leaves rooms, and remembers them."""

    def __init__(
        self,
        rooms: Rooms,
        store: RoomStore,
        room_settings: RoomSettingsStore,
        destroyed_rooms: DestroyedRooms,
        events: EventBus,
    ) -> None:
        self._rooms = rooms
        self._store = store
        self._room_settings = room_settings
        self._destroyed_rooms = destroyed_rooms
        self._events = events
        self._telling = Tasks(MOST_TOLD)

    def is_in(self, room: BareJid) -> bool:
        """Whether the bot is in a room just now."""
        return room in self._rooms.joined()

    def is_configured(self, room: BareJid) -> bool:
        """Whether the operator wrote a room into the config."""
        return room in self._rooms.configured()

    async def open(self) -> None:
        """Finish what an earlier run began with destroyed rooms. Call it before any room is entered.

        Raises StorageError.
        """
        await self._destroyed_rooms.open()

    async def remembered(self, room: BareJid) -> RememberedRoom | None:
        """Return what is remembered of a room. Raises StorageError."""
        return next((each for each in await self._store.rooms() if each.jid == room), None)

    async def enter(self, room: BareJid, password: str, invited_by: BareJid | None) -> BareJid:
        """Enter a room and stay there; see ``Rooms.join``.

        Raises CannotEnterRoom or StorageError; the bot is not in the room then.
        """
        await self._destroyed_rooms.finish(room)
        was_in = self.is_in(room)
        entered = await self._rooms.join(room, password, invited_by)
        if not self.is_configured(room):
            try:
                await self._store.remember_room(entered)
            except FilebotError:
                await self._rooms.leave(room)
                raise
        if not was_in:
            by = room_itself(room)
            await self._events.tell(RoomJoined(by.sender, by.language, room))
        return room

    async def leave(self, room: BareJid) -> None:
        """Leave a room for good; its files stay, its consent ends. Raises StorageError."""
        await self._forget(room, destroyed=False)
        await self._rooms.leave(room)
        await self._events.tell(_end_of(room, destroyed=False))

    async def shut_out(self, room: BareJid, destroyed: bool) -> None:
        """Forget a room that the bot cannot be in any more; that it is not forgotten is logged.

        The listeners to its end are called later: the room's own task waits for this.
        """
        try:
            await self._forget(room, destroyed=destroyed)
            self._telling.start(
                self._events.tell(_end_of(room, destroyed=destroyed)), f"the news of the end of {room}"
            )
        except StorageError as error:
            log.warning("room %s is not forgotten: %s", room, error)

    async def forget(self, room: BareJid, *, destroyed: bool = False) -> None:
        """Forget a room that the bot is out of for good. The files of a destroyed one are released.

        Raises StorageError.
        """
        await self._forget(room, destroyed=destroyed)
        await self._events.tell(_end_of(room, destroyed=destroyed))

    async def close(self) -> None:
        """Call no more listeners."""
        await self._telling.close()

    async def _forget(self, room: BareJid, *, destroyed: bool) -> None:
        if destroyed:
            await self._destroyed_rooms.release(room)
        else:
            await self._room_settings.withdraw_consent(room)
            await self._store.forget_room(room)


def _end_of(room: BareJid, *, destroyed: bool) -> RoomDestroyed | RoomLeft:
    by = room_itself(room)
    return (RoomDestroyed if destroyed else RoomLeft)(by.sender, by.language, room)
