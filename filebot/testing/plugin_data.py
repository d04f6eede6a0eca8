"""Values of plugins in memory: a fake of :class:`filebot.ports.PluginData`."""

from collections.abc import Callable, Sequence

from filebot.errors import NoSuchEntry, PluginError, PluginStoreFull
from filebot.model import BareJid, DataKey, DataOwner, EntryFilter, Identity, NewValue, OwnerKind
from filebot.ports import MOST_PLUGIN_BYTES, VALUE_OVERHEAD_BYTES


class MemoryPluginData:
    """Implements :class:`filebot.ports.PluginData` in a dictionary."""

    def __init__(self, is_entry: Callable[[int], bool]) -> None:
        self._is_entry = is_entry
        self._kept: dict[DataKey, str] = {}

    @property
    def _values(self) -> dict[DataKey, str]:
        """Values whose entry is there: those of others are gone with it."""
        for key in [key for key in self._kept if not self._has_owner(key)]:
            del self._kept[key]
        return self._kept

    async def value(self, key: DataKey) -> str | None:
        return self._values.get(key)

    async def values(
        self, plugin: str, owner: DataOwner, prefix: str, limit: int, after: str = ""
    ) -> list[tuple[str, str]]:
        found = sorted(
            (key.key, value)
            for key, value in self._values.items()
            if (key.plugin, key.owner) == (plugin, owner) and key.key.startswith(prefix) and key.key > after
        )
        return found[:limit]

    async def owners(
        self, plugin: str, kind: OwnerKind, key: str, limit: int, after: str = ""
    ) -> list[tuple[str, str]]:
        found = sorted(
            (each.owner.id, value)
            for each, value in self._values.items()
            if (each.plugin, each.owner.kind, each.key) == (plugin, kind, key) and each.owner.id > after
        )
        return found[:limit]

    async def of_owner(
        self, owner: DataOwner, limit: int, *, key: str | None = None, after: tuple[str, str] = ("", "")
    ) -> list[tuple[str, str, str]]:
        found = sorted(
            (each.plugin, each.key, value)
            for each, value in self._values.items()
            if each.owner == owner and (each.plugin, each.key) > after and key in {None, each.key}
        )
        return found[:limit]

    def fits(self, entry_id: int, wanted: EntryFilter) -> bool:
        """Whether an entry meets a condition."""
        if wanted.statement is not None:
            raise PluginError("a catalog in memory knows no conditions on tables")
        owner = DataOwner(OwnerKind.ENTRY, str(entry_id))
        value = self._values.get(DataKey(wanted.plugin, owner, wanted.key))
        return value is not None and wanted.value in {None, value}

    async def change_value(self, key: DataKey, function: Callable[[str | None], str | None]) -> str | None:
        values = self._values
        value = function(values.get(key))
        if value is None:
            values.pop(key, None)
            return None
        others = _used({other: each for other, each in values.items() if other != key}, key.plugin)
        if others + _used({key: value}, key.plugin) > MOST_PLUGIN_BYTES:
            raise PluginStoreFull(key.plugin)
        if not self._has_owner(key):
            raise NoSuchEntry(f"#{key.owner.id}")
        values[key] = value
        return value

    async def add(self, entry_id: int, values: Sequence[NewValue]) -> None:
        """Keep values of an entry that was just added. Raises PluginStoreFull."""
        owner = DataOwner(OwnerKind.ENTRY, str(entry_id))
        for each in values:
            try:
                await self.change_value(DataKey(each.plugin, owner, each.key), each.replacing)
            except PluginStoreFull:
                if not each.is_dispensable:
                    raise

    async def used_bytes(self, plugin: str) -> int:
        return _used(self._values, plugin)

    async def forget_person(self, person: Identity) -> None:
        self._forget(lambda owner: owner == DataOwner(OwnerKind.PERSON, person))

    def clear_room(self, room: BareJid) -> None:
        """Remove the values of a room, and of people whom only it tells apart."""
        self._forget(
            lambda owner: (
                owner == DataOwner(OwnerKind.ROOM, room)
                or (owner.kind is OwnerKind.PERSON and owner.id.startswith(f"{room}/"))
            )
        )

    def _forget(self, is_gone: Callable[[DataOwner], bool]) -> None:
        for key in [key for key in self._kept if is_gone(key.owner)]:
            del self._kept[key]

    def _has_owner(self, key: DataKey) -> bool:
        return key.owner.kind is not OwnerKind.ENTRY or self._is_entry(int(key.owner.id))


def _used(values: dict[DataKey, str], plugin: str) -> int:
    return sum(
        len(value.encode()) + VALUE_OVERHEAD_BYTES for key, value in values.items() if key.plugin == plugin
    )
