"""Settings of each room, made by its admins. All are in memory: every message in a room asks for them.

Plugins declare settings. One whose plugin is not loaded cannot be set and does nothing; its rows stay for
when the plugin is back. Where it needs everybody's consent, and nobody can take that back without its
plugin, it ends there, and the room's admins have to ask for it anew. What only restricts (who may get
files, and how large they may be) is the core's and always holds.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import StorageError
from filebot.model import BareJid, Identity, RoomRole, SavedRoomSetting, SettingKey
from filebot.ports import Rooms, RoomStore
from filebot.rooms.setting_types import MAX_SIZE, WHO_MAY_GET, RoomSetting, RoomSettingTable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting of a room as people see it."""

    name: str
    value: Any
    template: str
    """Template that shows the ``value``."""
    told: str
    """Template that everybody is told when the value changes; empty for none."""


class RoomSettingsStore:
    """The settings of all rooms. To be opened before use."""

    def __init__(
        self, store: RoomStore, rooms: Rooms, table: RoomSettingTable, notes: Mapping[SettingKey, str]
    ) -> None:
        """``notes`` has the words for the bot's presence of each setting that needs consent."""
        self._store = store
        self._rooms = rooms
        self._table = table
        self._notes = notes
        self._values: dict[BareJid, dict[SettingKey, Any]] = {}
        # By room: each change begins with what the one before it made.
        self._locks = KeyedLocks(asyncio.Lock)
        self._clearing: set[BareJid] = set()
        self._cleared: set[BareJid] = set()
        """Rooms cleared since the last :meth:`prepared` began: rows that it read are not theirs."""

    async def open(self) -> None:
        """Read them. Raises StorageError."""
        rows = await self._store.room_settings()
        for saved in rows:
            setting = self._table.get(saved.key)
            if setting is not None:
                self._take(setting, saved)
            elif saved.consent and saved.value:
                log.warning("%s is off in %s: its plugin is not loaded", saved.key.name, saved.room)
                await self._store.save_room_setting(replace(saved, value=False))
        # Also where it is off: what the bot knows of a room's history ends with the consent.
        for room in dict.fromkeys(each.room for each in rows):
            await self._follow(room)

    async def prepared(
        self, table: RoomSettingTable, notes: Mapping[SettingKey, str]
    ) -> Callable[[], None]:
        """Return a function that puts another table and its notes in force. Call it at once, with no await
        before.

        What needs consent, and is not in that table, is switched off before, as :meth:`open` does. Raises
        StorageError.
        """
        cleared = self._cleared = set(self._clearing)
        while True:
            rows = await self._store.room_settings()
            ending = [
                (room, setting)
                for setting in self._table.all()
                if setting.consent and table.get(setting.key) is None
                for room in self.rooms_with(setting.key)
            ]
            if not ending:
                break
            for room, setting in ending:
                async with self._locks(room):
                    log.warning("%s is off in %s: its plugin is not loaded any more", setting.name, room)
                    await self._save(room, setting, value=False)

        return partial(self._use, table, notes, rows, cleared)

    def _use(
        self,
        table: RoomSettingTable,
        notes: Mapping[SettingKey, str],
        rows: Iterable[SavedRoomSetting],
        cleared: Collection[BareJid],
    ) -> None:
        before, self._table, self._notes = self._table, table, notes
        for room, values in self._values.items():
            for setting in table.all():
                if setting.key in values and before.get(setting.key) not in (None, setting):
                    self._take(setting, SavedRoomSetting(room, setting.key, values.pop(setting.key)))
        for saved in rows:
            if saved.room in cleared or before.get(saved.key) is not None:
                continue
            added = table.get(saved.key)
            # Nobody has agreed to anything while its plugin was not there.
            if added is not None and not added.consent:
                self._take(added, saved)

    async def show_notes(self) -> None:
        """Let the bot's presence in rooms that consented say the words that are in force now."""
        for room in [each for each in self._values if any(self._consents(each))]:
            try:
                async with self._locks(room):
                    await self._follow(room)
            except StorageError as error:
                log.error("the bot's presence in %s says what it said: %s", room, error)

    async def clear(self, room: BareJid) -> None:
        """Forget what holds in a room, and what else the catalog remembers of it but its files.

        Raises StorageError.
        """
        async with self._locks(room):
            self._clearing.add(room)
            self._cleared.add(room)
            try:
                # First: what is kept for the room from now on would be there when somebody makes another.
                had_settings = self._values.pop(room, None) is not None
                await self._store.clear_room(room)
            finally:
                self._clearing.discard(room)
            if had_settings:
                await self._follow(room)

    def get(self, room: BareJid, key: SettingKey) -> Any:
        """Return the value of a setting that is in force in a room; None if its plugin is not loaded."""
        setting = self._table.get(key)
        return None if setting is None else self._values.get(room, {}).get(key, setting.default)

    def of(self, room: BareJid) -> Mapping[str, Any]:
        """Return all values that are in force in a room, by the names of the settings."""
        return {each.name: self.get(room, each.key) for each in self._table.all()}

    def shown(self, room: BareJid) -> Sequence[ShownSetting]:
        """Return all settings in force as people see them."""
        return [
            ShownSetting(each.name, self.get(room, each.key), each.template, each.told)
            for each in self._table.all()
        ]

    def consent(self, room: BareJid) -> frozenset[str]:
        """Return the plugins that the room lets know what is posted there."""
        return frozenset(each.key.plugin for each in self._consents(room))

    def rooms_with(self, key: SettingKey) -> Sequence[BareJid]:
        """Return the rooms where a setting is in force with a value that is neither None nor off."""
        return [room for room in self._values if self.get(room, key) not in (None, False)]

    def admits(self, room: BareJid, room_role: RoomRole) -> bool:
        """Whether somebody of this standing may see and get the room's files."""
        return room_role.is_member or not self.is_members_only(room)

    def lets_read(self, room: BareJid, who: Identity) -> bool:
        """Whether somebody is in the room just now, and may see and get its files. Ask when acting."""
        room_role = self._rooms.room_role(room, who)
        return room_role is not None and self.admits(room, room_role)

    def is_members_only(self, room: BareJid) -> bool:
        """Whether only members of the room may see and get its files."""
        return bool(self.get(room, WHO_MAY_GET.key) == "members")

    def max_bytes(self, room: BareJid) -> int | None:
        """The largest file that the room wants; None for any that the bot takes."""
        size: int | None = self.get(room, MAX_SIZE.key)
        return size

    async def change(
        self, room: BareJid, text: str, may: Callable[[], object] = lambda: None
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Change what ``text`` says (``max-size 20 MB``); return all values before and after.

        ``may`` is called when it is this change's turn; it raises what forbids it. Raises BadRoomSetting or
        StorageError, too.
        """
        async with self._locks(room):
            may()
            before = self.of(room)
            setting, value = self._table.parse(text)
            await self._save(room, setting, value)
            return before, self.of(room)

    async def withdraw_consent(self, room: BareJid) -> None:
        """Switch off what needs everybody's consent: the bot is out of the room for good, and whoever
        brings it back has to ask the people there anew. Raises StorageError.
        """
        async with self._locks(room):
            for setting in tuple(self._consents(room)):
                await self._save(room, setting, value=False)

    async def _save(self, room: BareJid, setting: RoomSetting[Any], value: Any) -> None:
        # The values of all kinds are JSON values.
        await self._store.save_room_setting(
            SavedRoomSetting(room, setting.key, value, consent=setting.consent)
        )
        self._values.setdefault(room, {})[setting.key] = value
        if setting.consent:
            await self._follow(room)

    def _take(self, setting: RoomSetting[Any], saved: SavedRoomSetting) -> None:
        try:
            self._values.setdefault(saved.room, {})[setting.key] = setting.read(saved.value)
        except ValueError:
            log.warning("%s of %s cannot be %r; it is as by default", setting.name, saved.room, saved.value)

    async def _follow(self, room: BareJid) -> None:
        """Follow the room as long as somebody there consented to something."""
        notes = (self._notes[each.key] for each in self._consents(room))
        await self._rooms.follow(room, "\n".join(notes))

    def _consents(self, room: BareJid) -> Iterator[RoomSetting[Any]]:
        """Yield the settings that need consent and are on."""
        return (each for each in self._table.all() if each.consent and self.get(room, each.key))
