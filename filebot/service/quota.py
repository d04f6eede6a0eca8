"""How much may be stored: by one person, in one room, and by all.

What is stored counts, and what is on its way. Each file counts with a little more than its bytes, or files
of one byte would be free, however many.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from filebot.errors import FileTooLarge, QuotaExceeded, RoomFull, StorageFull
from filebot.model import BareJid, Identity, Usage
from filebot.ports import BlobStore, Catalog

FILE_OVERHEAD_BYTES = 4096
"""About what a file takes beside its bytes: the rest of a block of the disk, and its row in the catalog."""

DISK_RESERVE_BYTES = 64 * 1024 * 1024
"""Left free on the disk, so that the catalog and the system's log can still be written."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's limits, in bytes."""

    max_file_bytes: int
    quota_per_user_bytes: int
    total_bytes: int
    quota_per_room_bytes: int
    """Of all in one room, whosever it is: in an open room everybody can be a new person each day."""


class Quota:
    """Holds the limits, also for many files at once."""

    def __init__(
        self,
        limits: Limits,
        catalog: Catalog,
        store: BlobStore,
        room_max_bytes: Callable[[BareJid], int | None] = lambda _: None,
    ) -> None:
        """``room_max_bytes`` tells the largest file that a room wants; None for any."""
        self._limits = limits
        self._catalog = catalog
        self._store = store
        self._room_max_bytes = room_max_bytes
        self._on_its_way: Counter[Identity] = Counter()
        self._to_rooms: Counter[BareJid] = Counter()

    @property
    def max_file_bytes(self) -> int:
        """The largest file that is taken in."""
        return self._limits.max_file_bytes

    async def usage(self, owner: Identity) -> Usage:
        """What somebody has stored, and may store."""
        files, used = await self._catalog.used_by(owner)
        return Usage(files, _counted(files, used), self._limits.quota_per_user_bytes)

    async def room_usage(self, room: BareJid) -> Usage:
        """What a room has, and may have."""
        files, used = await self._catalog.used_in(room)
        return Usage(files, _counted(files, used), self._limits.quota_per_room_bytes)

    async def check_room(self, room: BareJid, size_bytes: int) -> None:
        """Raise FileTooLarge or RoomFull if a file that is stored already does not fit into a room."""
        reservation = self._reservation("", room)
        reservation.stored = Stored(in_room=_counted(*await self._catalog.used_in(room)))
        reservation.check_size(size_bytes)
        reservation.check_room(size_bytes)

    @asynccontextmanager
    async def reserve(
        self, owner: Identity, announced_bytes: int | None, room: BareJid | None = None
    ) -> AsyncIterator["Reservation"]:
        """Hold room for one file while it comes in. ``announced_bytes`` is what the peer promises.

        Leave the context only when the file is in the catalog, or gone. Raises FileTooLarge,
        QuotaExceeded, RoomFull or StorageFull, at once or as the file grows.
        """
        reservation = self._reservation(owner, room)
        reservation.stored = await self._stored(owner, room)
        try:
            reservation.promise(announced_bytes)
            yield reservation
        finally:
            reservation.release()

    async def recheck(self, reservation: "Reservation") -> None:
        """Count once more, now that the true size is known: other files may have come in meanwhile.

        Raises QuotaExceeded, RoomFull or StorageFull.
        """
        reservation.stored = await self._stored(reservation.owner, reservation.room)
        reservation.check()

    def _reservation(self, owner: Identity, room: BareJid | None) -> "Reservation":
        most = self._limits.max_file_bytes
        if room is not None:
            most = min(most, self._room_max_bytes(room) or most)
        return Reservation(self._limits, most, self._on_its_way, self._to_rooms, owner, room)

    async def _stored(self, owner: Identity, room: BareJid | None) -> "Stored":
        by_owner = _counted(*await self._catalog.used_by(owner))
        in_room = 0 if room is None else _counted(*await self._catalog.used_in(room))
        in_all = _counted(*await self._catalog.used_in_all())
        return Stored(by_owner, in_room, in_all, await self._store.free_bytes())


@dataclass(frozen=True, slots=True)
class Stored:
    """What is on disk at one moment, in bytes."""

    by_owner: int = 0
    in_room: int = 0
    in_all: int = 0
    """With the overhead of each file, as the other two."""
    disk_free: int = 0


class Reservation:
    """Room held for one file: the larger of what was promised and what came, and its overhead."""

    def __init__(
        self,
        limits: Limits,
        max_file_bytes: int,
        on_its_way: Counter[Identity],
        to_rooms: Counter[BareJid],
        owner: Identity,
        room: BareJid | None,
    ) -> None:
        self.owner = owner
        self.room = room
        self.stored = Stored()
        self._limits = limits
        self._max_file_bytes = max_file_bytes
        self._on_its_way = on_its_way
        self._to_rooms = to_rooms
        self._held = 0

    @property
    def left_bytes(self) -> int:
        """How large one more file of the owner's may be beside what is stored; never negative."""
        return max(self._limits.quota_per_user_bytes - self.stored.by_owner - FILE_OVERHEAD_BYTES, 0)

    def promise(self, size_bytes: int | None) -> None:
        """Hold room for what the peer announces, which may be nothing. Raises as :meth:`grow_to`."""
        if size_bytes is not None:
            self.check_size(size_bytes)
        self.grow_to(size_bytes or 0)

    def grow_to(self, size_bytes: int) -> None:
        """Hold room for this many bytes in all.

        Raises FileTooLarge (its size_bytes is None: how large it would have become is unknown),
        QuotaExceeded, RoomFull or StorageFull.
        """
        counted = _counted(1, size_bytes)
        if counted <= self._held:
            return
        if size_bytes > self._max_file_bytes:
            raise FileTooLarge(size_bytes=None, limit_bytes=self._max_file_bytes)
        self._on_its_way[self.owner] += counted - self._held
        if self.room is not None:
            self._to_rooms[self.room] += counted - self._held
        self._held = counted
        self.check()

    def check_size(self, size_bytes: int) -> None:
        """Raise FileTooLarge if one file may not be so large."""
        if size_bytes > self._max_file_bytes:
            raise FileTooLarge(size_bytes=size_bytes, limit_bytes=self._max_file_bytes)

    def check_room(self, size_bytes: int) -> None:
        """Raise RoomFull if a file of this size does not fit beside those in the room and on their way."""
        if self.room is None:
            return
        others = self.stored.in_room + self._to_rooms[self.room] - self._held
        if others + _counted(1, size_bytes) > self._limits.quota_per_room_bytes:
            raise RoomFull(
                size_bytes=size_bytes, used_bytes=others, limit_bytes=self._limits.quota_per_room_bytes
            )

    def check(self) -> None:
        """Raise QuotaExceeded, RoomFull or StorageFull if what is held does not fit."""
        others = self.stored.by_owner + self._on_its_way[self.owner] - self._held
        if others + self._held > self._limits.quota_per_user_bytes:
            raise QuotaExceeded(
                size_bytes=self._held - FILE_OVERHEAD_BYTES,
                used_bytes=others,
                limit_bytes=self._limits.quota_per_user_bytes,
            )
        self.check_room(self._held - FILE_OVERHEAD_BYTES)
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
        if self.room is not None:
            self._to_rooms[self.room] -= self._held
            if not self._to_rooms[self.room]:
                del self._to_rooms[self.room]
        self._held = 0


def _counted(files: int, size_bytes: int) -> int:
    """What so many files of so many bytes in all count as."""
    return size_bytes + files * FILE_OVERHEAD_BYTES
