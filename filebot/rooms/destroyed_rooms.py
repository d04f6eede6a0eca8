"""What becomes of the files of a room that was destroyed.

They were for the people of that room. Whoever makes another one at its address decides who is in it, so
the files go back to those whose they are.
"""

import logging
from functools import partial

from filebot.files.removal import Removal
from filebot.model import BareJid, Scope
from filebot.ports import Catalog
from filebot.rooms.history_import import HistoryImporter
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)


class DestroyedRooms:
    """Releases what such rooms had."""

    def __init__(
        self,
        catalog: Catalog,
        removal: Removal,
        room_settings: RoomSettingsStore,
        history_importer: HistoryImporter,
    ) -> None:
        self._catalog = catalog
        self._removal = removal
        self._room_settings = room_settings
        self._history_importer = history_importer

    async def release(self, room: BareJid) -> None:
        """Make the room's files private ones of their owners, and forget what it was set to.

        What belongs to occupants of whom nothing but the room's id is known is removed: nobody can ever
        show again to be one of them. Raises StorageError.
        """
        await self._history_importer.stop(room)
        owners = await self._room_settings.release(room)
        log.info("room %s is no more; its files are those of %d people", room, len(owners))
        for owner in owners:
            if owner.startswith(f"{room}/"):
                await self._removal.remove_all(partial(self._catalog.oldest, Scope(owner=owner)))
