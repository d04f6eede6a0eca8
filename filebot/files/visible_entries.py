"""Entries that are shown where somebody speaks, found as if they were of one scope."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, zip_longest

from filebot.files.access import FileAccess
from filebot.model import Entry, EntryFilter, Scope
from filebot.ports import Entries


class VisibleEntries:
    """Entries of the scopes that are shown where a sender speaks: see :meth:`FileAccess.shown`.

    Each method raises NotAllowed if nothing is.
    """

    def __init__(self, entries: Entries, access: FileAccess) -> None:
        self._entries = entries
        self._access = access

    async def page(self, limit: int, before: int | None = None) -> list[Entry]:
        """Return the newest entries, or the newest below the id ``before``."""
        found = [
            await self._entries.page(scope, limit=limit, before=before) for scope in self._access.shown()
        ]
        return _newest(found, limit)

    async def oldest(self, limit: int) -> list[Entry]:
        """Return the first entries, oldest first."""
        found = [await self._entries.oldest(scope, limit) for scope in self._access.shown()]
        return sorted(chain.from_iterable(found), key=_id)[:limit]

    async def count(self) -> int:
        """Count the entries."""
        return sum([await self._entries.count(scope) for scope in self._access.shown()])

    async def search(
        self, words: Sequence[str], limit: int, before: int | None, filters: Sequence[EntryFilter]
    ) -> list[Entry]:
        """Return the newest entries with all the words; in private also of the rooms that one is in."""
        scopes = [*self._access.shown(), *(Scope(room=each) for each in self._access.rooms_read())]
        found = [
            await self._entries.search(scope, words, limit=limit, before=before, filters=filters)
            for scope in scopes
        ]
        return _newest(found, limit)

    async def by_name(self, name: str) -> Entry | None:
        """Return the entry spelled like this, else one that differs in case; the room's comes first."""
        found = [await self._entries.find_by_name(scope, name) for scope in self._access.shown()]
        called = [each for each in found if each is not None]
        return next((each for each in called if each.name == name), called[0] if called else None)

    async def by_prefix(self, prefix: str, limit: int) -> list[Entry]:
        """Return the newest entries whose names begin so."""
        return await self._each(self._entries.find_by_prefix, prefix, limit)

    async def by_glob(self, pattern: str, limit: int) -> list[Entry]:
        """Return the newest entries whose whole name fits a pattern of ``*`` and ``?``."""
        return await self._each(self._entries.find_by_glob, pattern, limit)

    async def nearest(self, name: str, limit: int) -> tuple[str, ...]:
        """Suggest names for a mistyped one, likeliest first."""
        found = [await self._entries.nearest(scope, name, limit) for scope in self._access.shown()]
        names = (each for each in chain.from_iterable(zip_longest(*found)) if each is not None)
        return tuple(dict.fromkeys(names))[:limit]

    async def _each(
        self, find: Callable[[Scope, str, int], Awaitable[list[Entry]]], wanted: str, limit: int
    ) -> list[Entry]:
        return _newest([await find(scope, wanted, limit) for scope in self._access.shown()], limit)


def _newest(found: Sequence[Sequence[Entry]], limit: int) -> list[Entry]:
    return sorted(chain.from_iterable(found), key=_id, reverse=True)[:limit]


def _id(entry: Entry) -> int:
    return entry.id
