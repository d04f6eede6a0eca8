"""Quotas: how much may be stored by one person, in one room, and by all.

What is stored counts, and what is on its way. Each file counts with a little more than its bytes, or files
of one byte would be free, however many. Everything that adds rows holds space for them first.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

from filebot.errors import QuotaExceeded, RoomQuotaExceeded, StorageFull
from filebot.files.reservations import (
    FILE_OVERHEAD_BYTES,
    Amounts,
    Hold,
    Holds,
    Reservation,
    StorageLimits,
    Stored,
    counted_bytes,
)
from filebot.model import BareJid, Identity, Scope, StorageUsage
from filebot.ports import BlobStore, Entries

__all__ = ["FILE_OVERHEAD_BYTES", "Quota", "Reservation", "StorageLimits"]

RECOUNT_AFTER_S: Final = (0.01, 0.05, 0.2)
"""Pauses before a refusal is final while other files settle: those may have been counted twice."""

_DOES_NOT_FIT: Final = (QuotaExceeded, RoomQuotaExceeded, StorageFull)

H = TypeVar("H", bound=Hold)


class Quota:
    """Holds the limits, also for many files at once."""

    def __init__(
        self,
        limits: StorageLimits,
        entries: Entries,
        store: BlobStore,
        room_max_bytes: Callable[[BareJid], int | None] = lambda _: None,
    ) -> None:
        """``room_max_bytes`` tells the largest file that a room wants; None for any."""
        self.limits = limits
        """They may be replaced; what is on its way keeps those that it began with."""
        self._entries = entries
        self._store = store
        self._room_max_bytes = room_max_bytes
        self._holds = Holds()

    @property
    def max_file_bytes(self) -> int:
        """The largest file that is taken in."""
        return self.limits.max_file_bytes

    async def usage(self, owner: Identity) -> StorageUsage:
        """Return how much somebody has stored, and may store."""
        files, used = await self._entries.used_by(owner)
        in_rooms = max(files - await self._entries.count(Scope(owner=owner)), 0)
        limit = self.limits.quota_per_user_bytes
        return StorageUsage(files, counted_bytes(files, used), limit, FILE_OVERHEAD_BYTES, in_rooms)

    async def room_usage(self, room: BareJid) -> StorageUsage:
        """Return how much a room has, and may have."""
        files, used = await self._entries.used_in(room)
        limit = self.limits.quota_per_room_bytes
        return StorageUsage(files, counted_bytes(files, used), limit, FILE_OVERHEAD_BYTES)

    @asynccontextmanager
    async def reserve(
        self, owner: Identity, announced_bytes: int | None, room: BareJid | None = None
    ) -> AsyncIterator[Reservation]:
        """Hold space for one file while it comes in. ``announced_bytes`` is what the peer promises.

        Leave the context only when the file is in the catalog, or gone. Raises FileTooLarge, QuotaExceeded,
        RoomQuotaExceeded or StorageFull, at once or as the file grows. The disk is looked at when the file
        :meth:`begins`.
        """
        reservation = Reservation(self._holds, self.limits, self._most(room), owner, room)
        try:
            promise = partial(reservation.promise, announced_bytes)
            await self._count(reservation, lambda: _hold_if_it_fits(reservation, promise))
            yield reservation
        finally:
            reservation.release()

    async def begins(self, reservation: Reservation, at_bytes: int) -> None:
        """The file is open, and so much of it is on disk from before. Raises as :meth:`reserve`."""
        reservation.resumes_at(at_bytes)
        await self._measure(reservation)
        reservation.check()

    async def recheck(self, reservation: Reservation) -> None:
        """Count once more, now that the true size is known: other files may have come in meanwhile.

        Raises QuotaExceeded, RoomQuotaExceeded or StorageFull.
        """
        await self._measure(reservation)
        await self._count(reservation, reservation.check)

    @asynccontextmanager
    async def grow(self, owner: Identity, room: BareJid | None, by_bytes: int) -> AsyncIterator[Hold]:
        """Hold space for so much more that counts of what is stored already.

        Raises QuotaExceeded or RoomQuotaExceeded.
        """
        hold = Hold(self._holds, self.limits, owner, room)
        wanted = Amounts(by_owner=by_bytes, in_room=0 if room is None else by_bytes)
        try:
            await self._count(hold, lambda: _hold_if_it_fits(hold, lambda: hold.hold(wanted)))
            yield hold
        finally:
            hold.release()

    @asynccontextmanager
    async def share(
        self, owner: Identity, room: BareJid, size_bytes: int, more_of_owner: int = 0
    ) -> AsyncIterator[Hold]:
        """Hold space for one more row in a room on bytes that its owner has stored already, and for
        ``more_of_owner`` bytes of these that did not count so far.

        Raises FileTooLarge, QuotaExceeded or RoomQuotaExceeded.
        """
        self.check_size(room, size_bytes)
        hold = Hold(self._holds, self.limits, owner, room)
        wanted = Amounts(
            by_owner=FILE_OVERHEAD_BYTES + more_of_owner,
            in_room=counted_bytes(1, size_bytes),
            in_all=FILE_OVERHEAD_BYTES,
        )
        try:
            await self._count(hold, lambda: _hold_if_it_fits(hold, lambda: hold.hold(wanted)))
            yield hold
        finally:
            hold.release()

    def check_size(self, room: BareJid, size_bytes: int) -> None:
        """Raise FileTooLarge if a room wants no file of this size."""
        Reservation(self._holds, self.limits, self._most(room), "", room).check_size(size_bytes)

    @asynccontextmanager
    async def take_over(self, files_of: Identity, owner: Identity) -> AsyncIterator[Hold]:
        """Hold space for all files of one identity, stored or on their way, to become another's.

        Between the count and what the context does first nothing is awaited. Raises QuotaExceeded.
        """
        hold = Hold(self._holds, self.limits, owner, None)

        async def stored() -> Stored:
            with self._holds.during_count() as settled:
                own = counted_bytes(*await self._entries.used_by(owner))
                files, used = await self._entries.used_by(files_of)
            theirs = counted_bytes(files, used) + settled.by_owner[files_of]
            hold.hold(Amounts(by_owner=theirs + self._holds.by_owner[files_of]))
            return Stored(by_owner=own + settled.by_owner[owner], is_doubtful=settled.settling > 0)

        def check() -> None:
            others, most = hold.used_by_others(), self.limits.quota_per_user_bytes
            if others + hold.held.by_owner > most:
                raise QuotaExceeded(size_bytes=hold.held.by_owner, used_bytes=others, limit_bytes=most)

        try:
            await self._count(hold, check, stored)
            yield hold
        finally:
            hold.release()

    def _most(self, room: BareJid | None) -> int:
        most = self.limits.max_file_bytes
        return most if room is None else min(most, self._room_max_bytes(room) or most)

    async def _count(
        self,
        hold: H,
        check: Callable[[], None],
        count: Callable[[], Awaitable[Stored]] | None = None,
    ) -> None:
        """Count what is stored, then check; again after a pause if files settled meanwhile."""
        for pause_s in (*RECOUNT_AFTER_S, None):
            settling = self._holds.settling > 0
            hold.stored = await (self._stored(hold) if count is None else count())
            try:
                check()
            except _DOES_NOT_FIT:
                if pause_s is None or not (settling or self._holds.settling or hold.stored.is_doubtful):
                    raise
                await asyncio.sleep(pause_s)
            else:
                return

    async def _stored(self, hold: Hold) -> Stored:
        owner, room = hold.owner or "", hold.room
        with self._holds.during_count() as settled:
            by_owner = counted_bytes(*await self._entries.used_by(owner))
            in_room = 0 if room is None else counted_bytes(*await self._entries.used_in(room))
            in_all = counted_bytes(*await self._entries.used_in_all())
        return Stored(
            by_owner + settled.by_owner[owner],
            in_room + (0 if room is None else settled.in_room[room]),
            in_all + settled.in_all,
            is_doubtful=settled.settling > 0,
        )

    async def _measure(self, reservation: Reservation) -> None:
        written = self._holds.written  # before: what is written meanwhile is free for nobody
        reservation.measured(await self._store.free_bytes() + written)


def _hold_if_it_fits(hold: Hold, take: Callable[[], None]) -> None:
    """Take the hold if it fits; nothing is awaited between, so that two at once see each other's holds."""
    try:
        take()
        hold.check()
    except Exception:
        hold.hold(Amounts())
        raise
