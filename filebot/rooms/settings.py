"""Settings of each room, made by its admins. All are in memory: every message in a room asks for them.

A setting needs the plugins by which people of the room see it, change it, and say that they do not want it.
Without them it cannot be set and does nothing. The archive needs everybody's consent, and nobody can take
that back without its plugin: so there it ends, and the room's admins have to ask for it anew. What only
restricts (who may get files, and how large they may be) always holds.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import BadRoomSetting
from filebot.model import BareJid, Identity, RoomRole, RoomSettings, size_bytes
from filebot.ports import Rooms, RoomStore

log = logging.getLogger(__name__)

LONGEST_RETENTION_DAYS: Final = 36_500
_LONGEST: Final = 100
"""Characters of a setting with its value; a longer one is refused, not read by its beginning."""
_DAYS: Final = re.compile(r"([0-9]{1,5})(?: ?d(?:ays?)?)?")
_NOTHING: Final = frozenset[str]()
_NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "archive": frozenset({"archive", "room"}),
    "announce": frozenset({"announce", "room"}),
    "retention": frozenset({"room"}),
}
"""Plugins that each setting needs, so that people can see it, change it and opt out."""
_OFF: Final = frozenset({"off", "no", "none", "never"})


class RoomSettingsStore:
    """The settings of all rooms. To be opened before use."""

    def __init__(self, store: RoomStore, rooms: Rooms, plugins: Collection[str]) -> None:
        """``plugins`` has the names of those that are loaded."""
        self._store = store
        self._rooms = rooms
        self._available = frozenset(key for key in _READ if _NEEDS.get(key, _NOTHING) <= {*plugins})
        self._settings: dict[BareJid, RoomSettings] = {}
        # By room: each change begins with what the one before it made.
        self._locks = KeyedLocks(asyncio.Lock)

    async def open(self) -> None:
        """Read them. Raises StorageError."""
        self._settings.update(await self._store.room_settings())
        for room, settings in tuple(self._settings.items()):
            if settings.archive and "archive" not in self._available:
                log.warning("the archive of %s is off: its plugin is not loaded", room)
                await self._save(room, replace(settings, archive=False))
            await self._rooms.show_archiving(room, is_on=self.is_archived(room))

    async def clear(self, room: BareJid) -> None:
        """Forget what holds in a room, and what else the catalog remembers of it but its files.

        Raises StorageError.
        """
        async with self._locks(room):
            # First: what is kept for the room from now on would be there when somebody makes another one.
            had_settings = self._settings.pop(room, None) is not None
            await self._store.clear_room(room)
            if had_settings:
                await self._rooms.show_archiving(room, is_on=False)

    def of(self, room: BareJid) -> RoomSettings:
        """Return the settings that are in force in a room."""
        settings = self._settings.get(room)
        return RoomSettings() if settings is None else self._in_force(settings)

    def forgetful(self) -> Sequence[BareJid]:
        """The rooms whose files go after some time."""
        return [room for room in self._settings if self.of(room).retention_days is not None]

    def admits(self, room: BareJid, room_role: RoomRole) -> bool:
        """Whether somebody of this standing may see and get the room's files."""
        return room_role.is_member or not self.is_members_only(room)

    def lets_read(self, room: BareJid, who: Identity) -> bool:
        """Whether somebody is in the room just now, and may see and get its files. Ask when acting."""
        room_role = self._rooms.room_role(room, who)
        return room_role is not None and self.admits(room, room_role)

    def is_members_only(self, room: BareJid) -> bool:
        """Whether only members of the room may see and get its files."""
        return self.of(room).members_only

    def announces(self, room: BareJid) -> bool:
        """Whether the room wants to hear of new files, and everybody in it may."""
        return self.of(room).announce and not self.is_members_only(room)

    def max_bytes(self, room: BareJid) -> int | None:
        """The largest file that the room wants; None for any that the bot takes."""
        return self.of(room).max_size

    def is_archived(self, room: BareJid) -> bool:
        """Whether what is posted there is kept unasked."""
        return self.of(room).archive

    async def change(
        self, room: BareJid, setting: str, may: Callable[[], object] = lambda: None
    ) -> tuple[RoomSettings, RoomSettings]:
        """Change what ``setting`` says (``max-size 20 MB``); what held before, and what does now.

        ``may`` is called when it is this change's turn; it raises what forbids it. Raises BadRoomSetting or
        StorageError, too.
        """
        async with self._locks(room):
            may()
            before = self._settings.get(room, RoomSettings())
            settings = changed(before, setting, self._available)
            await self._save(room, settings)
            await self._rooms.show_archiving(room, is_on=self.is_archived(room))
        return self._in_force(before), self._in_force(settings)

    async def stop_archiving(self, room: BareJid) -> None:
        """The bot is out of the room for good. Whoever brings it back has to ask the people there anew.

        Raises StorageError.
        """
        if self.is_archived(room):
            await self.change(room, "archive off")

    async def _save(self, room: BareJid, settings: RoomSettings) -> None:
        await self._store.save_room_settings(room, settings)
        self._settings[room] = settings

    def _in_force(self, settings: RoomSettings) -> RoomSettings:
        """Return the settings that do something now; the others are kept for when their plugin is back."""
        return replace(
            settings,
            archive=settings.archive and "archive" in self._available,
            announce=settings.announce and "announce" in self._available,
            retention_days=settings.retention_days if "retention" in self._available else None,
        )


def changed(settings: RoomSettings, setting: str, available: Collection[str] | None = None) -> RoomSettings:
    """The settings with one of them as somebody writes it, if it is ``available``: all are if None.

    Raises BadRoomSetting.
    """
    available = _READ.keys() if available is None else available
    words = setting.strip()[: _LONGEST + 1].casefold().replace("max size", "max-size", 1)
    key, _, value = words.partition(" ")
    read = _READ.get(key)
    if read is None:
        raise BadRoomSetting(key, value, known=False, available=available)
    if key not in available or len(words) > _LONGEST:
        raise BadRoomSetting(key, value, known=True, available=available)
    try:
        return read(settings, value.strip())
    except ValueError as error:
        raise BadRoomSetting(key, value, known=True, available=available) from error


def _archive(settings: RoomSettings, value: str) -> RoomSettings:
    return replace(settings, archive=_switch(value))


def _announce(settings: RoomSettings, value: str) -> RoomSettings:
    return replace(settings, announce=_switch(value))


def _who_may_get(settings: RoomSettings, value: str) -> RoomSettings:
    if value not in {"members", "present"}:
        raise ValueError(value)
    return replace(settings, members_only=value == "members")


def _max_size(settings: RoomSettings, value: str) -> RoomSettings:
    return replace(settings, max_size=None if value in _OFF else size_bytes(value))


def _retention(settings: RoomSettings, value: str) -> RoomSettings:
    if value in _OFF:
        return replace(settings, retention_days=None)
    days = _DAYS.fullmatch(value)
    if days is None or not 1 <= int(days[1]) <= LONGEST_RETENTION_DAYS:
        raise ValueError(value)
    return replace(settings, retention_days=int(days[1]))


def _switch(value: str) -> bool:
    if value in {"on", "yes"}:
        return True
    if value in _OFF:
        return False
    raise ValueError(value)


_READ: Final[Mapping[str, Callable[[RoomSettings, str], RoomSettings]]] = {
    "archive": _archive,
    "announce": _announce,
    "who-may-get": _who_may_get,
    "max-size": _max_size,
    "retention": _retention,
}
