"""In which rooms the bot is beside those of the config: as those who run it say, and remembered.

The catalog is the one place where they are remembered. Bookmarks on the server (XEP-0402) would be a
second one: a component has none, every client of the account could change them, and they are not in the
backup that has the rooms' files.
"""

from filebot.errors import FilebotError, NoSuchRoom, NotAllowed, RoomConfigured
from filebot.model import BareJid, RememberedRoom, Sender
from filebot.ports import Catalog, Rooms
from filebot.service.access import Access


class Memberships:
    """The bot's rooms, as one sender may change them."""

    def __init__(self, rooms: Rooms, catalog: Catalog, access: Access, sender: Sender) -> None:
        self._rooms = rooms
        self._catalog = catalog
        self._access = access
        self._sender = sender

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

    def _meant(self, target: str) -> BareJid:
        if not self._access.is_admin(self._sender.jid):
            raise NotAllowed(reason="admin")
        room = self._rooms.address_in(target)
        if room is None:
            raise NoSuchRoom(target)
        return room
