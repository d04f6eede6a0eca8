"""How much may be stored: by one person, and by all. Counts what is stored and what is on its way."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from filebot.errors import FileTooLarge, QuotaExceeded, StorageFull
from filebot.model import BareJid, Usage
from filebot.ports import BlobStore, Catalog

DISK_RESERVE_BYTES = 64 * 1024 * 1024
"""Left free on the disk, so that the catalog and the system's log can still be written."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's limits, in bytes."""

    max_file_bytes: int
    quota_per_user_bytes: int
    total_bytes: int


class Quota:
    """Holds the limits, also for many files at once."""

    def __init__(self, limits: Limits, catalog: Catalog, store: BlobStore) -> None:
        self._limits = limits
        self._catalog = catalog
        self._store = store
        self._on_its_way: Counter[BareJid] = Counter()

    @property
    def max_file_bytes(self) -> int:
        """The largest file that is taken in."""
        return self._limits.max_file_bytes

    async def usage(self, owner: BareJid) -> Usage:
        """What somebody has stored, and may store."""
        files, used = await self._catalog.used_by(owner)
        return Usage(files=files, used_bytes=used, limit_bytes=self._limits.quota_per_user_bytes)

    @asynccontextmanager
    async def reserve(self, owner: BareJid, announced_bytes: int | None) -> AsyncIterator["Reservation"]:
        """Hold room for one file while it comes in. ``announced_bytes`` is what the peer promises.

        Leave the context only when the file is in the catalog, or gone. Raises FileTooLarge,
        QuotaExceeded or StorageFull, at once or as the file grows.
        """
        reservation = Reservation(self._limits, self._on_its_way, owner)
        reservation.stored = await self._stored(owner)
        try:
            reservation.promise(announced_bytes)
            yield reservation
        finally:
            reservation.release()

    async def recheck(self, reservation: "Reservation") -> None:
        """Count once more, now that the true size is known: other files may have come in meanwhile.

        Raises QuotaExceeded or StorageFull.
        """
        reservation.stored = await self._stored(reservation.owner)
        reservation.check()

    async def _stored(self, owner: BareJid) -> "Stored":
        _, by_owner = await self._catalog.used_by(owner)
        in_all = await self._catalog.used_in_all()
        return Stored(by_owner, in_all, await self._store.free_bytes())


@dataclass(frozen=True, slots=True)
class Stored:
    """What is on disk at one moment, in bytes."""

    by_owner: int = 0
    in_all: int = 0
    disk_free: int = 0


class Reservation:
    """Room held for one file: the larger of what was promised and what came."""

    def __init__(self, limits: Limits, on_its_way: Counter[BareJid], owner: BareJid) -> None:
        self.owner = owner
        self.stored = Stored()
        self._limits = limits
        self._on_its_way = on_its_way
        self._held = 0

    @property
    def left_bytes(self) -> int:
        """What the owner may store beside what is stored; never negative."""
        return max(self._limits.quota_per_user_bytes - self.stored.by_owner, 0)

    def promise(self, size_bytes: int | None) -> None:
        """Hold room for what the peer announces, which may be nothing. Raises as :meth:`grow_to`."""
        if size_bytes is not None and size_bytes > self._limits.max_file_bytes:
            raise FileTooLarge(size_bytes=size_bytes, limit_bytes=self._limits.max_file_bytes)
        self.grow_to(size_bytes or 0)

    def grow_to(self, size_bytes: int) -> None:
        """Hold room for this many bytes in all.

        Raises FileTooLarge (its size_bytes is None: how large it would have become is unknown),
        QuotaExceeded or StorageFull.
        """
        if size_bytes <= self._held:
            return
        if size_bytes > self._limits.max_file_bytes:
            raise FileTooLarge(size_bytes=None, limit_bytes=self._limits.max_file_bytes)
        self._on_its_way[self.owner] += size_bytes - self._held
        self._held = size_bytes
        self.check()

    def check(self) -> None:
        """Raise QuotaExceeded or StorageFull if what is held does not fit."""
        others = self.stored.by_owner + self._on_its_way[self.owner] - self._held
        if others + self._held > self._limits.quota_per_user_bytes:
            raise QuotaExceeded(
                size_bytes=self._held,
                used_bytes=others,
                limit_bytes=self._limits.quota_per_user_bytes,
            )
        room = min(
            self._limits.total_bytes - self.stored.in_all, self.stored.disk_free - DISK_RESERVE_BYTES
        )
        if self._on_its_way.total() > room:
            raise StorageFull(f"{self._on_its_way.total()} bytes are coming in, room for {room}")

    def release(self) -> None:
        """Give the room back."""
        self._on_its_way[self.owner] -= self._held
        if not self._on_its_way[self.owner]:
            del self._on_its_way[self.owner]
        self._held = 0
