"""Values that a plugin keeps by key, in the catalog: small data that needs no tables."""

import json
from collections.abc import Callable
from typing import Any, Final

from filebot.errors import NotAllowed
from filebot.files import details
from filebot.model import BareJid, DataKey, DataOwner, Entry, EntryFilter, Identity, JsonValue, OwnerKind
from filebot.plugin.handlers import computing
from filebot.ports import PluginData

MOST_VALUE_BYTES: Final = 64 * 1024
_MOST_KEY_CHARACTERS: Final = 200


class PluginStore:
    """JSON values of one plugin, by key.

    What is kept with :meth:`entry`, :meth:`person` or :meth:`room` goes with it. A change is durable when
    its call returns. All methods raise StorageError; those that change something also PluginStoreFull.
    """

    def __init__(self, data: PluginData, plugin: str, owner: DataOwner | None = None) -> None:
        self._data = data
        self._plugin = plugin
        self._owner = owner or DataOwner()

    def entry(self, entry: Entry | int) -> "PluginStore":
        """Return the values that belong to an entry, or to the one with this id; changes raise NoSuchEntry
        when it is gone.
        """
        return self._with(OwnerKind.ENTRY, str(entry.id if isinstance(entry, Entry) else int(entry)))

    def person(self, person: Identity | None) -> "PluginStore":
        """Return the values that belong to a person, such as ``ctx.sender.identity``.

        Raises NotAllowed for None, and an empty text: nothing tells apart people of whom a room says
        nothing, and they would share what is kept of one of them.
        """
        if not person:
            raise NotAllowed(reason="hidden")
        return self._with(OwnerKind.PERSON, person)

    def room(self, room: BareJid) -> "PluginStore":
        """Return the values that belong to a room."""
        return self._with(OwnerKind.ROOM, room)

    async def get(self, key: str, default: JsonValue = None) -> Any:
        """Return the value of a key, or ``default``."""
        value = await self._data.value(self._at(key))
        return default if value is None else json.loads(value)

    async def set(self, key: str, value: JsonValue) -> None:
        """Keep a value, in place of the one before. Raises ValueError for one that is no JSON or over
        ``MOST_VALUE_BYTES``.
        """
        text = written(value)
        await self._data.change_value(self._at(key), lambda _: text)

    async def delete(self, key: str) -> None:
        """Remove a value. A missing one is no error."""
        await self._data.change_value(self._at(key), lambda _: None)

    async def change(
        self, key: str, function: Callable[[Any], JsonValue], default: JsonValue = None
    ) -> Any:
        """Replace a value by what ``function`` makes of it, and return that; nothing changes it between.

        ``function`` is given ``default`` where there is none. It may be called again, and must do nothing
        but compute. Raises what it raises, and as :meth:`set`.
        """

        def changed(before: str | None) -> str:
            return written(function(default if before is None else json.loads(before)))

        after = await self._data.change_value(self._at(key), computing(changed))
        return None if after is None else json.loads(after)

    async def items(self, prefix: str = "", *, limit: int = 100, after: str = "") -> list[tuple[str, Any]]:
        """Return keys that begin with ``prefix``, and their values, by key.

        ``after`` is the last key of the page before.
        """
        found = await self._data.values(self._plugin, self._owner, prefix, limit, after)
        return [(key, json.loads(value)) for key, value in found]

    async def entries_with(self, key: str, *, limit: int = 100, after: str = "") -> list[tuple[str, Any]]:
        """Return the ids of entries that have a value of this key, and these values, by id as a text."""
        return await self._owners(OwnerKind.ENTRY, key, limit, after)

    async def people_with(self, key: str, *, limit: int = 100, after: str = "") -> list[tuple[str, Any]]:
        """Return people who have a value of this key, and these values, by identity."""
        return await self._owners(OwnerKind.PERSON, key, limit, after)

    async def rooms_with(self, key: str, *, limit: int = 100, after: str = "") -> list[tuple[str, Any]]:
        """Return rooms that have a value of this key, and these values, by address."""
        return await self._owners(OwnerKind.ROOM, key, limit, after)

    def having(self, key: str, value: JsonValue = None) -> EntryFilter:
        """Return a condition for :meth:`Plugin.filter`: entries that have a value of this key, or this
        value.
        """
        return EntryFilter(self._plugin, self._at(key).key, None if value is None else written(value))

    async def _owners(self, kind: OwnerKind, key: str, limit: int, after: str) -> list[tuple[str, Any]]:
        found = await self._data.owners(self._plugin, kind, key, limit, after)
        return [(owner, json.loads(value)) for owner, value in found]

    def _with(self, kind: OwnerKind, owner: str) -> "PluginStore":
        return PluginStore(self._data, self._plugin, DataOwner(kind, owner))

    def _at(self, key: str) -> DataKey:
        if not 0 < len(key) <= _MOST_KEY_CHARACTERS:
            raise ValueError(f"a key has 1 to {_MOST_KEY_CHARACTERS} characters")
        return DataKey(self._plugin, self._owner, key)


def written(value: JsonValue) -> str:
    """Return a value as JSON. Raises ValueError if it is none, or too large."""
    text = details.written(value)
    if (size := len(text.encode())) > MOST_VALUE_BYTES:
        raise ValueError(f"a value of {size} bytes is too large; {MOST_VALUE_BYTES} fit")
    return text
