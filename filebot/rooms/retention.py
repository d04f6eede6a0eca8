"""Retention: files that a room keeps for some time only are removed when it is over."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from filebot.events.facts import RemovalReason, room_itself
from filebot.files.removal import REMOVE_BATCH, Removal
from filebot.files.trusted_time import look_every_hour
from filebot.model import BareJid, Entry, Scope, SettingKey
from filebot.ports import Entries
from filebot.rooms.settings import RoomSettingsStore

log = logging.getLogger(__name__)

RETENTION: Final = SettingKey("retention", "retention")
"""Days after which the files of a room are removed; None for never."""


class Retention:
    """Looks for files that are too old, and removes them."""

    def __init__(
        self,
        entries: Entries,
        removal: Removal,
        room_settings: RoomSettingsStore,
        trusted_now: Callable[[], Awaitable[datetime | None]],
    ) -> None:
        """``trusted_now`` is the time by which files may go, None while none is certain."""
        self._entries = entries
        self._removal = removal
        self._room_settings = room_settings
        self._trusted_now = trusted_now

    async def run(self) -> None:
        """Look now and every hour, for ever."""
        await look_every_hour(self.look)

    async def look(self) -> bool:
        """Remove what is too old just now; False, and nothing, while it is not certain what time it is.

        Trouble with the files of one room is logged.
        """
        now = await self._trusted_now()
        if now is None:
            return False
        for room in self._room_settings.rooms_with(RETENTION):
            try:
                removed = await self._look_at(room, now)
            except Exception:  # the next look is soon enough, and the other rooms do not wait for it
                log.exception("files of %s that are too old are not removed", room)
                continue
            if removed:
                log.info("%d files of %s had been there long enough", removed, room)
        return True

    def expires_at(self, entry: Entry) -> datetime | None:
        """When a file goes by itself, in UTC; None for never."""
        days = None if entry.room is None else self._room_settings.get(entry.room, RETENTION)
        return None if days is None else entry.created_at + timedelta(days=days)

    async def _look_at(self, room: BareJid, now: datetime) -> int:
        removed = 0
        while True:
            entries = await self._entries.oldest(Scope(room=room), REMOVE_BATCH)
            old = [entry for entry in entries if self._is_over(entry, now)]
            for entry in old:
                await self._removal.remove(entry, RemovalReason.RETENTION, room_itself(room))
            removed += len(old)
            # A later one cannot be older, unless the clock was set back; then it waits for the next look.
            if len(old) < REMOVE_BATCH:
                return removed

    def _is_over(self, entry: Entry, now: datetime) -> bool:
        at = self.expires_at(entry)
        return at is not None and at <= now
