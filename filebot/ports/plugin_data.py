"""Values that plugins keep in the catalog."""

from collections.abc import Callable
from typing import Final, Protocol

from filebot.model import DataKey, DataOwner, Identity, OwnerKind

MOST_PLUGIN_BYTES: Final = 16 * 2**20
"""Bound for all values of one plugin."""
VALUE_OVERHEAD_BYTES: Final = 256
"""Counted for each value beside its own bytes: its place, key and row."""


class PluginData(Protocol):
    """JSON texts by plugin, owner and key. Keeps and raises as :class:`Catalog`.

    Values go with their owner: those of an entry when it is removed, those of a room when it is cleared,
    and then also those of people whom only that room tells apart.
    """

    async def value(self, key: DataKey) -> str | None:
        """Return a value, or None."""

    async def values(
        self, plugin: str, owner: DataOwner, prefix: str, limit: int, after: str = ""
    ) -> list[tuple[str, str]]:
        """Return keys that begin with ``prefix``, and their values, in the order of the keys.

        The next page begins after the last key of this one.
        """

    async def owners(
        self, plugin: str, kind: OwnerKind, key: str, limit: int, after: str = ""
    ) -> list[tuple[str, str]]:
        """Return the ids of the owners of this kind that have a value of this key, and these values.

        They are in the order of the ids as texts; the next page begins after the last id of this one.
        """

    async def of_owner(
        self, owner: DataOwner, limit: int, *, key: str | None = None, after: tuple[str, str] = ("", "")
    ) -> list[tuple[str, str, str]]:
        """Return plugins, keys and values of all plugins for one owner, or those with this key alone.

        They are in the order of plugins and keys; the next page begins after those two of the last value.
        """

    async def change_value(self, key: DataKey, function: Callable[[str | None], str | None]) -> str | None:
        """Replace a value by what ``function`` makes of it, and return that; None stands for no value.

        Nothing else changes the value meanwhile. ``function`` may be called more than once. Raises what it
        raises, NoSuchEntry if the owner is an entry that is gone, and PluginStoreFull if the plugin would
        have more than ``MOST_PLUGIN_BYTES``; the value is as before then.
        """

    async def used_bytes(self, plugin: str) -> int:
        """Return the bytes of all values of a plugin, overhead included."""

    async def forget_person(self, person: Identity) -> None:
        """Remove what any plugin keeps of a person."""
