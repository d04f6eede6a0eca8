"""What the admins of each room want there. All of it is in memory: every message in a room asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from filebot.errors import BadRoomSetting
from filebot.model import BareJid, RoomSettings
from filebot.ports import Catalog, Rooms

_LONGEST_VALUE: Final = 100
_OFF: Final = frozenset({"off", "no", "none", "never"})


class RoomBook:
    """The settings of all rooms. To be opened before use."""

    def __init__(self, catalog: Catalog, rooms: Rooms) -> None:
        self._catalog = catalog
        self._rooms = rooms
        self._settings: dict[BareJid, RoomSettings] = {}

    async def open(self) -> None:
        """Read them. Raises StorageError."""
        self._settings.update(await self._catalog.room_settings())
        for room, settings in self._settings.items():
            self._rooms.show_archiving(room, is_on=settings.archive)

    def of(self, room: BareJid) -> RoomSettings:
        """What holds in this room."""
        return self._settings.get(room, RoomSettings())

    def is_archived(self, room: BareJid) -> bool:
        """Whether what is posted there is kept unasked."""
        return self.of(room).archive

    async def change(self, room: BareJid, setting: str) -> RoomSettings:
        """Change what ``setting`` says (``max-size 20 MB``); returns what holds then.

        Raises BadRoomSetting or StorageError.
        """
        settings = changed(self.of(room), setting)
        await self._catalog.save_room_settings(room, settings)
        self._settings[room] = settings
        self._rooms.show_archiving(room, is_on=settings.archive)
        return settings


def changed(settings: RoomSettings, setting: str) -> RoomSettings:
    """The settings with one of them as somebody writes it. Raises BadRoomSetting."""
    words = setting[:_LONGEST_VALUE].casefold().replace("max size", "max-size", 1)
    key, _, value = words.strip().partition(" ")
    read = _READ.get(key)
    if read is None:
        raise BadRoomSetting(key, value, known=False)
    try:
        return read(settings, value.strip())
    except ValueError as error:
        raise BadRoomSetting(key, value, known=True) from error


def _archive(settings: RoomSettings, value: str) -> RoomSettings:
    return replace(settings, archive=_switch(value))


def _switch(value: str) -> bool:
    if value in {"on", "yes"}:
        return True
    if value in _OFF:
        return False
    raise ValueError(value)


_READ: Final[Mapping[str, Callable[[RoomSettings, str], RoomSettings]]] = {"archive": _archive}
