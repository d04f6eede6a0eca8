"""Space held for files before they have a row: counted by owner, by room, in all, and on disk.

Theory of operation: whoever adds a row first holds what the row will count, and gives it back when the row
is there or will never be. Counting takes several questions to the catalog, and files settle (their hold
becomes a row) meanwhile. A hold that settles during a count is added to it: nothing is ever missed, but
some may be counted twice. So a refusal in such a moment is doubtful, and the count is made again.

The disk is counted apart. Bytes that a file has written are missing from the free space already, and those
that a resumed file found on the disk are not written again: so the bytes still to be written are compared
with the free space.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from filebot.errors import FileTooLarge, QuotaExceeded, RoomQuotaExceeded, StorageFull
from filebot.model import BareJid, Identity

FILE_OVERHEAD_BYTES: Final = 4096
"""About what a file takes beside its bytes: the rest of a block of the disk, and its row in the catalog."""

DISK_RESERVE_BYTES: Final = 64 * 1024 * 1024
"""Left free on the disk, so that the catalog and the system's log can still be written."""


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """The operator's limits, in bytes."""

    max_file_bytes: int
    quota_per_user_bytes: int
    total_bytes: int
    quota_per_room_bytes: int
    """Bytes of all files in one room: in an open room everybody can be a new person each day."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes of the catalog's rows at one moment, with the overhead of each file."""

    by_owner: int = 0
    in_room: int = 0
    in_all: int = 0
    is_doubtful: bool = False
    """Something may have been counted twice: as a row, and as the hold that it was."""


@dataclass(slots=True)
class Amounts:
    """Bytes that count for one owner, one room, all, and that the disk takes."""

    by_owner: int = 0
    in_room: int = 0
    in_all: int = 0
    to_disk: int = 0


@dataclass(slots=True)
class Holds:
    """All that is held just now."""

    by_owner: Counter[Identity] = field(default_factory=Counter)
    in_room: Counter[BareJid] = field(default_factory=Counter)
    in_all: int = 0
    to_disk: int = 0
    """Bytes that files in transfer are going to write, or have written since they began."""
    written: int = 0
    """Bytes of these that are on disk."""
    settling: int = 0
    """Holds of which rows may be in the catalog already, or came to be there during a count."""
    _counts: "list[Holds]" = field(default_factory=list)

    @contextmanager
    def during_count(self) -> "Iterator[Holds]":
        """Gather what settles while the context is open."""
        settled = Holds()
        self._counts.append(settled)
        try:
            yield settled
        finally:
            self._counts = [each for each in self._counts if each is not settled]

    def change(self, owner: Identity | None, room: BareJid | None, by: Amounts, sign: int = 1) -> None:
        """Hold these amounts as well, or with the sign -1 give them back."""
        _add(self.by_owner, owner, sign * by.by_owner)
        _add(self.in_room, room, sign * by.in_room)
        self.in_all += sign * by.in_all
        self.to_disk += sign * by.to_disk

    def settled(self, owner: Identity | None, room: BareJid | None, amounts: Amounts) -> None:
        """Tell whoever counts just now that this hold became rows."""
        for each in self._counts:
            each.change(owner, room, amounts)
            each.settling += 1


class Hold:
    """Amounts held for one owner, one room, or both. Whoever makes one releases it."""

    def __init__(
        self, holds: Holds, limits: StorageLimits, owner: Identity | None, room: BareJid | None
    ) -> None:
        self.owner = owner
        self.room = room
        self.stored = Stored()
        self.held = Amounts()
        self._holds = holds
        self._limits = limits
        self._settles = False

    def hold(self, amounts: Amounts) -> None:
        """Hold this in place of what was held."""
        self._holds.change(self.owner, self.room, self.held, -1)
        self.held = amounts
        self._holds.change(self.owner, self.room, self.held)

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Open while rows are made of it; left without an exception, they are there."""
        self._holds.settling += 1
        try:
            yield
            self._settles = True
        finally:
            self._holds.settling -= 1

    def release(self) -> None:
        """Give all of it back."""
        if self._settles:
            self._holds.settled(self.owner, self.room, self.held)
        self.hold(Amounts())

    def used_by_others(self) -> int:
        """Bytes of the owner's other files, stored or on their way."""
        return self.stored.by_owner + self._holds.by_owner[self.owner or ""] - self.held.by_owner

    def check(self) -> None:
        """Raise QuotaExceeded, RoomQuotaExceeded or StorageFull if what is held does not fit."""
        self.check_owner()
        self.check_room()
        free = self._limits.total_bytes - self.stored.in_all
        if self.held.in_all and self._holds.in_all > free:
            raise StorageFull(f"{self._holds.in_all} bytes are coming in, limits.total leaves {free}")

    def check_owner(self) -> None:
        """Raise QuotaExceeded if it is too much for the owner."""
        others, most = self.used_by_others(), self._limits.quota_per_user_bytes
        if self.owner is not None and others + self.held.by_owner > most:
            raise QuotaExceeded(
                size_bytes=_without_overhead(self.held.by_owner), used_bytes=others, limit_bytes=most
            )

    def check_room(self) -> None:
        """Raise RoomQuotaExceeded if it is too much for the room."""
        if self.room is None:
            return
        most = self._limits.quota_per_room_bytes
        others = self.stored.in_room + self._holds.in_room[self.room] - self.held.in_room
        if others + self.held.in_room > most:
            raise RoomQuotaExceeded(
                size_bytes=_without_overhead(self.held.in_room), used_bytes=others, limit_bytes=most
            )


class Reservation(Hold):
    """Space held for one file that comes in: the larger of the announced and the received size, and its
    overhead.
    """

    def __init__(
        self,
        holds: Holds,
        limits: StorageLimits,
        max_file_bytes: int,
        owner: Identity,
        room: BareJid | None,
    ) -> None:
        super().__init__(holds, limits, owner, room)
        self._max_file_bytes = max_file_bytes
        self._resumed = 0
        self._written = 0
        self._disk_room: int | None = None

    @property
    def left_bytes(self) -> int:
        """Largest size of one more file of the owner's beside what is stored; never negative."""
        return max(self._limits.quota_per_user_bytes - self.stored.by_owner - FILE_OVERHEAD_BYTES, 0)

    def promise(self, size_bytes: int | None) -> None:
        """Hold space for the size that the peer announces, if any. Raises as :meth:`grow_to`."""
        if size_bytes is not None:
            self.check_size(size_bytes)
        self.grow_to(size_bytes or 0)

    def grow_to(self, size_bytes: int) -> None:
        """Hold space for this many bytes in all.

        Raises FileTooLarge (its size_bytes is None: how large it would have become is unknown),
        QuotaExceeded, RoomQuotaExceeded or StorageFull.
        """
        counted = counted_bytes(1, size_bytes)
        if counted <= self.held.in_all:
            return
        if size_bytes > self._max_file_bytes:
            raise self._too_large(None)
        self._hold_bytes(counted)
        self.check()

    def check_size(self, size_bytes: int) -> None:
        """Raise FileTooLarge if one file may not be so large."""
        if size_bytes > self._max_file_bytes:
            raise self._too_large(size_bytes)

    def _too_large(self, size_bytes: int | None) -> FileTooLarge:
        of_room = self._max_file_bytes < self._limits.max_file_bytes
        return FileTooLarge(size_bytes=size_bytes, limit_bytes=self._max_file_bytes, of_room=of_room)

    def resumes_at(self, size_bytes: int) -> None:
        """So much of the file was on disk before it began; that is not going to be written again."""
        self._resumed = size_bytes
        self._hold_bytes(max(self.held.in_all, counted_bytes(1, size_bytes)))

    def wrote(self, size_bytes: int) -> None:
        """So much of the file is on disk by now, with what was there before."""
        written = max(size_bytes - self._resumed, 0)
        self._holds.written += written - self._written
        self._written = written

    def writes_beside(self, size_bytes: int) -> None:
        """So many bytes are to take the place of the file, which is complete; both are on disk for a while.

        Raises as :meth:`promise`.
        """
        self.check_size(size_bytes)
        counted = max(self.held.in_all, counted_bytes(1, size_bytes))
        in_room = 0 if self.room is None else counted
        self.hold(Amounts(counted, in_room, counted, self.held.to_disk + size_bytes))
        self.check()

    def wrote_beside(self, size_bytes: int) -> None:
        """So many of these bytes more are on disk."""
        self._holds.written += size_bytes
        self._written += size_bytes

    def measured(self, disk_room: int) -> None:
        """There is so much space on disk for all files in transfer, what they have written included."""
        self._disk_room = disk_room

    def check(self) -> None:
        super().check()
        if self._disk_room is None:
            return
        room = self._disk_room - DISK_RESERVE_BYTES
        if self._holds.to_disk > room:
            raise StorageFull(
                f"{self._holds.to_disk} bytes are to be written, the disk has space for {room}"
            )

    def release(self) -> None:
        self.wrote(0)
        super().release()

    def _hold_bytes(self, counted: int) -> None:
        in_room = 0 if self.room is None else counted
        self.hold(Amounts(counted, in_room, counted, max(counted - self._resumed, 0)))


def counted_bytes(files: int, size_bytes: int) -> int:
    """Return as how many bytes so many files of so many bytes in all count."""
    return size_bytes + files * FILE_OVERHEAD_BYTES


def _without_overhead(counted: int) -> int:
    """The size of the file, for people; its overhead where there is nothing else."""
    return counted - FILE_OVERHEAD_BYTES if counted > FILE_OVERHEAD_BYTES else counted


def _add(counter: Counter[str], key: str | None, amount: int) -> None:
    if key is None or not amount:
        return
    counter[key] += amount
    if not counter[key]:
        del counter[key]
