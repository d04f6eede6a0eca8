"""In which rooms the bot is beside those of the config, and what holds in a room: as one person may say.

The catalog is the one place where rooms are remembered. Bookmarks on the server (XEP-0402) would be a
second one: a component has none, every client of the account could change them, and they are not in the
backup that has the rooms' files.
"""

from dataclasses import dataclass

from filebot.errors import FilebotError, NoHistory, NoSuchRoom, NotAllowed, RoomConfigured
from filebot.model import BareJid, Filling, RememberedRoom, RoomSettings, Sender, Usage
from filebot.service.desk import Desk


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room as its people see it."""

    room: BareJid
    settings: RoomSettings
    usage: Usage
    filling: Filling | None
    """Its history is being gone through."""


class Memberships:
    """The bot's rooms, as one sender may see and change them."""

    def __init__(self, desk: Desk, sender: Sender) -> None:
        self._desk = desk
        self._rooms = desk.ports.rooms
        self._catalog = desk.ports.catalog
        self._sender = sender

    # --- for those who run the bot --------------------------------------------------------------

    async def join(self, target: str, password: str = "") -> BareJid:
        """Enter a room and stay there; returns its address. For those who run the bot.

        Raises NotAllowed, NoSuchRoom, RoomClosed or StorageError; the bot is not in the room then.
        """
        room = self._meant(target)
        if room in self._rooms.joined() and not password:
            return room  # what it knows of the room's password stays
        await self._rooms.join(room, password)
        if room not in self._rooms.configured():
            try:
                await self._catalog.remember_room(RememberedRoom(room, password))
            except FilebotError:
                await self._rooms.leave(room)
                raise
        return room

    async def leave(self, target: str) -> BareJid:
        """Leave a room for good; its files stay. For those who run the bot.

        Raises NotAllowed, NoSuchRoom, RoomConfigured or StorageError.
        """
        room = self._meant(target)
        if room in self._rooms.configured():
            raise RoomConfigured(room)
        known = {each.jid for each in await self._catalog.rooms()}
        if room not in known and room not in self._rooms.joined():
            raise NoSuchRoom(target)
        await self._catalog.forget_room(room)
        await self._rooms.leave(room)
        return room

    # --- for the people of a room ---------------------------------------------------------------

    async def state(self, target: str = "") -> RoomState:
        """What holds in a room where the sender is; in the one spoken in, if none is named.

        Raises NoSuchRoom, NotAllowed or StorageError.
        """
        return await self._state(self._here(target))

    async def change(self, target: str, setting: str) -> tuple[RoomState, RoomState]:
        """Change a setting; what held before, and what does now. For those who manage the room.

        Raises NoSuchRoom, NotAllowed, BadRoomSetting or StorageError.
        """
        room = self._managed(target)
        before = await self._state(room)
        await self._desk.book.change(room, setting)
        return before, await self._state(room)

    async def look_back(self, days: int, language: str) -> Filling:
        """Look for files posted in the room spoken in, up to so many days ago, in the background.

        For those who manage the room. Raises NoSuchRoom, NotAllowed, NoHistory or StorageError.
        """
        return await self._desk.backfill.begin(self._sender, self._managed(""), language, days)

    async def stop_looking_back(self) -> Filling:
        """Stop that for good; how far it has come. Raises as :meth:`look_back`."""
        room = self._managed("")
        filling = await self._desk.backfill.stop(room)
        if filling is None:
            raise NoHistory(room, reason="idle")
        return filling

    async def _state(self, room: BareJid) -> RoomState:
        return RoomState(
            room,
            self._desk.book.of(room),
            await self._desk.quota.room_usage(room),
            self._desk.backfill.state(room),
        )

    def _meant(self, target: str) -> BareJid:
        if not self._desk.access.is_admin(self._sender.jid):
            raise NotAllowed(reason="admin")
        room = self._rooms.address_in(target)
        if room is None:
            raise NoSuchRoom(target)
        return room

    def _here(self, target: str) -> BareJid:
        """A room that the bot and the sender are in; others are none of the sender's business."""
        room = self._rooms.room_like(target) if target else self._sender.room
        if room is None:
            raise NoSuchRoom(target)
        if self._sender.room == room or self._desk.access.is_admin(self._sender.jid):
            return room
        if not any(self._rooms.standing(room, each) for each in self._sender.identities):
            raise NoSuchRoom(target)
        return room

    def _managed(self, target: str) -> BareJid:
        room = self._here(target)
        access = self._desk.access
        if not access.is_admin(self._sender.jid) and not access.manages(self._rooms, self._sender, room):
            raise NotAllowed(reason="room")
        return room
