"""Files of a room as the room itself has them: for what a plugin does there for nobody's sake."""

from collections.abc import Iterable
from dataclasses import dataclass

from filebot.model import BareJid, Entry
from filebot.ports import Entries


@dataclass(frozen=True, slots=True)
class RoomFileServices:
    """Services behind :class:`FilesOfRoom`."""

    entries: Entries


class FilesOfRoom:
    """The files of one room, whoever asks.

    Before you speak of one to everybody there, ask ``ctx.rooms.is_members_only``. All methods raise
    StorageError.
    """

    def __init__(self, services: RoomFileServices, room: BareJid) -> None:
        self._entries = services.entries
        self._room = room

    async def with_ids(self, ids: Iterable[int]) -> list[Entry]:
        """Return those of some files that the room still has, in the order of their ids here."""
        found = [await self._entries.entry(each) for each in ids]
        return [each for each in found if each is not None and each.room == self._room]
