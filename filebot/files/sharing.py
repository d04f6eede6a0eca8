"""Sharing of stored files with rooms: one more row on the same bytes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import NoSuchEntry
from filebot.events.bus import Change, EventBus
from filebot.events.facts import Actor, FileShared
from filebot.files.quota import Quota
from filebot.model import LONGEST_NICK, BareJid, Entry, Identity, NewEntry, Outbox, Scope
from filebot.ports import BlobStore, Entries


class Sharing:
    """Shares files with rooms."""

    def __init__(
        self,
        store: BlobStore,
        entries: Entries,
        quota: Quota,
        locks: KeyedLocks[asyncio.Lock],
        clock: Callable[[], datetime],
        events: EventBus,
        nick_of: Callable[[BareJid, Identity], str],
    ) -> None:
        """``nick_of`` tells of a room which nick somebody has there."""
        self._store = store
        self._entries = entries
        self._quota = quota
        self._locks = locks
        self._clock = clock
        self._events = events
        self._nick_of = nick_of

    async def share(self, entry: Entry, room: BareJid, by: Actor, may: Callable[[], object]) -> None:
        """Add the row and tell FileShared, unless the room has this file of its owner's by the same name.

        ``may`` is called right before, and raises what forbids it. Raises FileTooLarge, QuotaExceeded,
        RoomQuotaExceeded, BlobCorrupt or StorageError, too, or NoSuchEntry if the file was removed before
        its turn.
        """
        async with self._events.change() as change:
            await self._share(entry, room, by, may, change)

    async def _share(
        self, entry: Entry, room: BareJid, by: Actor, may: Callable[[], object], change: Change
    ) -> None:
        async with self._locks(entry.blob.digest):
            if await self._entries.entry(entry.id) is None:
                raise NoSuchEntry(entry.name)
            known = await self._entries.find_by_digest(Scope(room=room), entry.owner, entry.blob.digest)
            if known is not None and known.name == entry.name:
                return
            weight = await self._entries.weight(entry.id)
            more = 0 if weight is None else weight.grows_by(100)
            async with self._quota.share(entry.owner, room, entry.blob.size, more) as hold:
                # Nobody is given a file whose bytes are gone.
                await self._store.verify(entry.blob.digest)

                async def add(outbox: Outbox[Entry] | None) -> Entry:
                    may()
                    with hold.settling():
                        nick = self._nick_of(room, entry.owner)[:LONGEST_NICK]
                        new = _shared(entry, room, self._clock(), nick)
                        return await self._entries.add(new, outbox=outbox)

                def tells(shared: Entry) -> Sequence[FileShared]:
                    return [FileShared(by.sender, by.language, shared)]

                await change.write(add, tells)


def _shared(entry: Entry, room: BareJid, at: datetime, nick: str) -> NewEntry:
    return NewEntry(
        name=entry.name,
        owner=entry.owner,
        room=room,
        caption=entry.caption,
        blob=entry.blob,
        media_type=entry.media_type,
        has_macros=entry.has_macros,
        created_at=at,
        width=entry.width,
        height=entry.height,
        shared_by=nick,
    )
