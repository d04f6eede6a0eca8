"""What becomes of the files of a room that was destroyed.

They were for the people of that room. Whoever makes another one at its address decides who is in it, so
the files go back to those whose they are.
"""

import logging
from functools import partial

from filebot.files.removal import Removal
from filebot.model import BareJid, Scope
from filebot.ports import Catalog
from filebot.rooms.history_import import Backfill
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)


class EndedRooms:
    """Releases what such rooms had."""

    def __init__(
        self, catalog: Catalog, removal: Removal, book: RoomSettingsStore, backfill: Backfill
    ) -> None:
        self._catalog = catalog
        self._removal = removal
        self._book = book
        self._backfill = backfill

    async def release(self, room: BareJid) -> None:
        """Make the room's files private ones of their owners, and forget what it was set to.

        What belongs to occupants of whom nothing but the room's id is known is removed: nobody can ever
        show again to be one of them. Raises StorageError.
        """
        await self._backfill.stop(room)
        owners = await self._book.release(room)
        log.info("room %s is no more; its files are those of %d people", room, len(owners))
        for owner in owners:
            if owner.startswith(f"{room}/"):
                await self._removal.remove_all(partial(self._catalog.oldest, Scope(owner=owner)))
