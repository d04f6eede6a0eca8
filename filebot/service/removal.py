"""How a file goes: the row, then the bytes if it was their last row."""

import asyncio
from collections.abc import Callable

from filebot.model import Entry
from filebot.ports import BlobStore, Catalog
from filebot.service.intake import forget_unused
from filebot.service.locks import Keyed
from filebot.service.parcels import Parcels


class Removal:
    """Removes entries, for whatever reason."""

    def __init__(
        self, store: BlobStore, catalog: Catalog, parcels: Parcels, locks: Keyed[asyncio.Lock]
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._parcels = parcels
        self._locks = locks

    async def remove(self, entry: Entry, may: Callable[[], None] = lambda: None) -> None:
        """Remove an entry; one that is gone is not an error.

        ``may`` is called when nothing stands between it and the act: waiting for a turn takes time. It
        raises what keeps the entry. Raises StorageError, too.
        """
        digest = entry.blob.digest
        async with self._locks(digest):
            may()
            await self._catalog.remove(entry.id)
            self._parcels.forget_entry(entry.id)
            await forget_unused(self._store, self._catalog, digest)
