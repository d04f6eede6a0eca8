"""Files of a room as the room itself has them: for what a plugin does there for nobody's sake."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from filebot.events.facts import RemovalReason, room_itself
from filebot.files.removal import REMOVE_BATCH, Removal
from filebot.model import BareJid, Entry, Scope
from filebot.ports import Entries


@dataclass(frozen=True, slots=True)
class RoomFileServices:
    """Services behind :class:`FilesOfRoom`."""

    entries: Entries
    removal: Removal
    trusted_now: Callable[[], Awaitable[datetime | None]]
    """Gives the time by which files may go for their age; None while none is certain."""


class FilesOfRoom:
    """The files of one room, whoever asks.

    Before you speak of one to everybody there, ask ``ctx.rooms.is_members_only``. All methods raise
    StorageError.
    """

    def __init__(self, services: RoomFileServices, room: BareJid) -> None:
        self._entries = services.entries
        self._removal = services.removal
        self._trusted_now = services.trusted_now
        self._room = room

    async def with_ids(self, ids: Iterable[int]) -> list[Entry]:
        """Return those of some files that the room still has, in the order of their ids here."""
        found = [await self._entries.entry(each) for each in ids]
        return [each for each in found if each is not None and each.room == self._room]

    async def expire(self, age: timedelta) -> int:
        """Remove the oldest files that were stored this long ago, 100 at most; return how many.

        FileRemoved tells of each, for the sake of the room itself, with the reason RETENTION. Nothing is
        removed, and 0 returned, while it is not certain what time it is: see ``ctx.trusted_now``.
        """
        now = await self._trusted_now()
        if now is None:
            return 0
        # A later one cannot be older, unless the clock was set back; then it waits for its turn.
        entries = await self._entries.oldest(Scope(room=self._room), REMOVE_BATCH)
        old = [entry for entry in entries if entry.created_at + age <= now]
        for entry in old:
            await self._removal.remove(entry, RemovalReason.RETENTION, room_itself(self._room))
        return len(old)
