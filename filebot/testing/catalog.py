"""Catalog in memory: a fake of :class:`filebot.ports.Catalog` for tests."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from filebot.catalog.mapping import added_entry, fold, private_entry
from filebot.catalog.name_suggestions import likeliest
from filebot.catalog.sqlite.memory_tables import MemoryPluginTables
from filebot.model import (
    ArchivePosition,
    BareJid,
    BlobRef,
    Digest,
    Entry,
    EntryFilter,
    Identity,
    Link,
    NewEntry,
    NewValue,
    Outbox,
    QueuedDelivery,
    RememberedRoom,
    SavedRoomSetting,
    Scope,
    SettingKey,
    Weight,
    archive_of,
)
from filebot.ports import (
    CLOCKS_DIFFER_BY,
    MOST_LANGUAGES_OF_ROOM,
    MOST_TOMBSTONES_OF_ARCHIVE,
    Released,
)
from filebot.testing.attachments import MemoryAttachments
from filebot.testing.file_messages import MemoryFileMessages
from filebot.testing.jobs import MemoryJobs
from filebot.testing.occupant_proofs import MemoryOccupantProofs
from filebot.testing.plugin_data import MemoryPluginData
from filebot.testing.sent_files import MemorySentFiles

R = TypeVar("R")


class MemoryCatalog:
    """Implements :class:`filebot.ports.Catalog` in a few dictionaries."""

    def __init__(self) -> None:
        self.jobs = MemoryJobs()
        self._entries: dict[int, Entry] = {}
        self._weights: dict[int, int] = {}
        """Weights by entry; 100 where there is none."""
        self._last_id = 0
        self._links: dict[tuple[Digest, str], Link] = {}
        self._languages: dict[BareJid, str] = {}
        self._deliveries: dict[int, QueuedDelivery] = {}
        self._rooms: dict[BareJid, RememberedRoom] = {}
        self._destroyed_rooms: set[BareJid] = set()
        self._room_settings: dict[tuple[BareJid, SettingKey], SavedRoomSetting] = {}
        self._positions: dict[BareJid, ArchivePosition] = {}
        self._tombstones: dict[tuple[Identity, str], tuple[datetime, int]] = {}
        """Time and entry by owner and message: the file is gone when the entry is not the owner's."""
        self._subscriptions: dict[tuple[BareJid, BareJid], None] = {}
        self.attachments = MemoryAttachments(lambda entry_id: entry_id in self._entries)
        self.file_messages = MemoryFileMessages(lambda entry_id: entry_id in self._entries)
        self.sent_files = MemorySentFiles(lambda entry_id: entry_id in self._entries)
        self.occupant_proofs = MemoryOccupantProofs()
        self.plugin_data = MemoryPluginData(lambda entry_id: entry_id in self._entries)
        self.plugin_tables = MemoryPluginTables()

    async def add(
        self, new: NewEntry, *, values: Sequence[NewValue] = (), outbox: Outbox[Entry] | None = None
    ) -> Entry:
        entry = added_entry(new, self._last_id + 1)
        self._entries[entry.id] = entry
        try:
            await self.plugin_data.add(entry.id, values)
            self._changed(entry, outbox)
        except Exception:
            del self._entries[entry.id]
            raise
        self._last_id = entry.id
        return entry

    async def entry(self, entry_id: int) -> Entry | None:
        return self._entries.get(entry_id)

    async def find_by_digest(self, scope: Scope, owner: BareJid, digest: Digest) -> Entry | None:
        mine = (e for e in self._in(scope) if e.owner == owner and e.blob.digest == digest)
        return next(mine, None)

    async def find_by_source_message(self, scope: Scope, owner: Identity, message: str) -> Entry | None:
        mine = (e for e in self._in(scope) if e.owner == owner and e.source_message == message)
        return next(mine, None)

    async def is_gone(self, owner: Identity, message: str) -> bool:
        if (owner, message) not in self._tombstones:
            return False
        entry = self._entries.get(self._tombstones[owner, message][1])
        return entry is None or entry.owner != owner

    async def note_source(self, entry: Entry, message: str, at: datetime) -> None:
        archive = archive_of(message)
        position = self._positions.get(archive)
        if position is None or position.at > at + CLOCKS_DIFFER_BY:
            return
        self._tombstones[entry.owner, message] = (at, entry.id)
        here = sorted(
            (at, key) for key, (at, _) in self._tombstones.items() if archive_of(key[1]) == archive
        )
        for _, key in here[:-MOST_TOMBSTONES_OF_ARCHIVE]:
            del self._tombstones[key]

    async def find_by_name(self, scope: Scope, name: str) -> Entry | None:
        called = [e for e in self._in(scope) if fold(e.name) == fold(name)]
        return next((e for e in called if e.name == name), called[0] if called else None)

    async def find_by_prefix(self, scope: Scope, prefix: str, limit: int) -> list[Entry]:
        return [e for e in self._in(scope) if fold(e.name).startswith(fold(prefix))][:limit]

    async def find_by_glob(self, scope: Scope, pattern: str, limit: int) -> list[Entry]:
        signs = {"*": ".*", "?": "."}
        regex = re.compile("".join(signs.get(c, re.escape(c)) for c in fold(pattern)), re.DOTALL)
        return [e for e in self._in(scope) if regex.fullmatch(fold(e.name))][:limit]

    async def page(self, scope: Scope, *, limit: int, before: int | None = None) -> list[Entry]:
        return list(self._in(scope, before))[:limit]

    async def count(self, scope: Scope) -> int:
        return sum(1 for _ in self._in(scope))

    async def search(
        self,
        scope: Scope,
        words: Sequence[str],
        *,
        limit: int,
        before: int | None = None,
        filters: Sequence[EntryFilter] = (),
    ) -> list[Entry]:
        wanted = {fold(word) for word in words} - {""}
        if not wanted and not filters:
            return []
        fits = self.plugin_data.fits
        found = [
            e
            for e in self._in(scope, before)
            if _has_all(e, wanted) and all(fits(e.id, each) for each in filters)
        ]
        return found[:limit]

    async def nearest(self, scope: Scope, name: str, limit: int) -> list[str]:
        return likeliest(fold(name), ((fold(e.name), e.name) for e in self._in(scope)), limit)

    async def rename(
        self, entry_id: int, name: str, at: datetime, *, outbox: Outbox[Entry] | None = None
    ) -> Entry | None:
        return self._modified(entry_id, at, outbox, name=name)

    async def set_caption(
        self, entry_id: int, caption: str, at: datetime, *, outbox: Outbox[Entry] | None = None
    ) -> Entry | None:
        return self._modified(entry_id, at, outbox, caption=caption)

    async def remove(self, entry_id: int, *, outbox: Outbox[Entry] | None = None) -> Entry | None:
        self._deliveries = {n: each for n, each in self._deliveries.items() if each.entry_id != entry_id}
        removed = self._entries.pop(entry_id, None)
        if removed is None:
            return None
        await self._bury(removed)
        return self._changed(removed, outbox)

    async def archived(self, room: BareJid, owner: Identity, limit: int) -> list[Entry]:
        found = self._in(Scope(room=room))
        return list(islice((each for each in found if each.auto_archived and each.owner == owner), limit))

    async def adopt(self, entry_id: int, *, outbox: Outbox[None] | None = None) -> None:
        if entry_id in self._entries:
            self._entries[entry_id] = replace(self._entries[entry_id], auto_archived=False)
        self._changed(None, outbox)

    async def has_uploaded(self, urls: Sequence[str]) -> bool:
        return any(link.url in urls for link in self._links.values())

    async def room_settings(self) -> list[SavedRoomSetting]:
        return [self._room_settings[each] for each in sorted(self._room_settings)]

    async def save_room_setting(self, setting: SavedRoomSetting) -> None:
        self._room_settings[setting.room, setting.key] = setting

    async def referenced_digests(self, digests: Sequence[Digest]) -> set[Digest]:
        return self._digests() & set(digests)

    async def is_used(self, digest: Digest) -> bool:
        return bool(await self.referenced_digests([digest]))

    async def digests(self, prefix: str) -> set[Digest]:
        return {each for each in self._digests() if each.startswith(prefix)}

    def _digests(self) -> set[Digest]:
        return {e.blob.digest for e in self._entries.values()} | self.attachments.digests()

    async def damage(self) -> str | None:
        return None

    async def used_by(self, owner: BareJid) -> tuple[int, int]:
        owned = [e for e in self._entries.values() if e.owner == owner]
        return self._sum(owned)

    async def used_in(self, room: BareJid) -> tuple[int, int]:
        shared = list(self._in(Scope(room=room)))
        return self._sum(shared)

    async def oldest(self, scope: Scope, limit: int) -> list[Entry]:
        return list(self._in(scope))[::-1][:limit]

    async def of_occupants(self, room: BareJid, limit: int) -> list[Entry]:
        theirs = [e for e in self._entries.values() if e.room is None and e.owner.startswith(f"{room}/")]
        return sorted(theirs, key=lambda each: (each.owner, each.id))[:limit]

    async def hand_over(
        self, owner: Identity, to: Identity, limit: int, *, outbox: Outbox[Sequence[Entry]] | None = None
    ) -> Sequence[Entry]:
        given = [e for e in self._entries.values() if e.owner == owner][:limit]
        for entry in given:
            await self._bury(entry)
        handed = [replace(entry, owner=to) for entry in given]
        self._entries.update({entry.id: entry for entry in handed})
        return self._changed(handed, outbox)

    async def release(
        self, room: BareJid, limit: int, *, outbox: Outbox[Released] | None = None
    ) -> Released:
        private = {(e.owner, e.name, e.blob) for e in self._entries.values() if e.room is None}
        released: list[tuple[Entry, Entry | None]] = []
        for entry in await self.oldest(Scope(room=room), limit):
            if (entry.owner, entry.name, entry.blob) in private:
                await self.remove(entry.id)
                released.append((entry, None))
            else:
                self._entries[entry.id] = private_entry(entry)
                released.append((entry, self._entries[entry.id]))
        return self._changed(released, outbox)

    async def clear_room(self, room: BareJid) -> None:
        for each in [each for each in self._room_settings if each[0] == room]:
            del self._room_settings[each]
        self.occupant_proofs.clear_room(room)
        self.plugin_data.clear_room(room)
        self.plugin_tables.clear_room(room)
        self._forget_tombstones(room)
        for who in [each for each in self._languages if each.startswith(f"{room}/")]:
            del self._languages[who]

    async def used_in_all(self) -> tuple[int, int]:
        return self._sum(self._entries.values(), weighed=False)

    async def weight(self, entry_id: int) -> Weight | None:
        if (entry := self._entries.get(entry_id)) is None:
            return None
        return Weight(
            self._weights.get(entry_id, 100), entry.blob.size + self.attachments.bytes_of({entry_id})
        )

    async def set_weight(self, entry_id: int, percent: int) -> None:
        if entry_id in self._entries:
            self._weights[entry_id] = percent

    def _sum(self, entries: Collection[Entry], *, weighed: bool = True) -> tuple[int, int]:
        own, attached = dict[BlobRef, int](), 0
        for entry in entries:
            weight = self._weights.get(entry.id, 100) if weighed else 100
            own[entry.blob] = max(own.get(entry.blob, 0), weight)
            attached += self.attachments.bytes_of({entry.id}) * weight // 100
        return len(entries), sum(blob.size * weight // 100 for blob, weight in own.items()) + attached

    async def link(self, digest: Digest, name: str) -> Link | None:
        return self._links.get((digest, fold(name)))

    async def save_link(self, link: Link) -> None:
        key = (link.digest, fold(link.name))
        known = self._links.get(key)
        if known is None or known.created_at <= link.created_at:
            self._links[key] = replace(link, created_at=link.created_at.astimezone(UTC))

    async def forget_links(self, digest: Digest) -> None:
        self._links = {key: link for key, link in self._links.items() if link.digest != digest}

    async def language(self, jid: BareJid) -> str | None:
        return self._languages.get(jid)

    async def set_language(self, jid: BareJid, language: str | None) -> None:
        if language is None:
            self._languages.pop(jid, None)
            return
        self._languages[jid] = language
        room, occupant, _ = jid.partition("/")
        theirs = [each for each in self._languages if occupant and each.startswith(f"{room}/")]
        for each in theirs[:-MOST_LANGUAGES_OF_ROOM]:
            del self._languages[each]

    async def position(self, archive: BareJid) -> ArchivePosition | None:
        return self._positions.get(archive)

    async def save_position(self, position: ArchivePosition) -> None:
        self._positions[position.archive] = replace(position, at=position.at.astimezone(UTC))
        self._forget_tombstones(position.archive, position.at - CLOCKS_DIFFER_BY)

    async def forget_position(self, archive: BareJid) -> None:
        self._positions.pop(archive, None)
        self._forget_tombstones(archive)

    async def subscriptions(self) -> list[tuple[BareJid, BareJid]]:
        return list(self._subscriptions)

    async def keep_subscription(self, person: BareJid, own: BareJid) -> None:
        self._subscriptions.setdefault((person, own))

    async def forget_subscription(self, person: BareJid, own: BareJid) -> None:
        self._subscriptions.pop((person, own), None)

    async def deliveries(self) -> list[QueuedDelivery]:
        return sorted(self._deliveries.values(), key=lambda each: each.number)

    async def add_delivery(self, delivery: QueuedDelivery) -> bool:
        if delivery.entry_id not in self._entries:
            return False
        self._deliveries[delivery.number] = replace(
            delivery, created_at=delivery.created_at.astimezone(UTC)
        )
        return True

    async def count_tries(self, number: int, tries: int) -> None:
        if number in self._deliveries:
            self._deliveries[number] = replace(self._deliveries[number], tries=tries)

    async def remove_delivery(self, number: int) -> bool:
        return self._deliveries.pop(number, None) is not None

    async def rooms(self) -> list[RememberedRoom]:
        return [self._rooms[jid] for jid in sorted(self._rooms)]

    async def remember_room(self, room: RememberedRoom) -> None:
        self._rooms[room.jid] = room

    async def forget_room(self, jid: BareJid) -> None:
        self._rooms.pop(jid, None)

    async def destroyed_rooms(self) -> list[BareJid]:
        return sorted(self._destroyed_rooms)

    async def note_destroyed_room(self, room: BareJid) -> None:
        self._destroyed_rooms.add(room)

    async def forget_destroyed_room(self, room: BareJid) -> None:
        await self.forget_position(room)
        await self.forget_room(room)
        self._destroyed_rooms.discard(room)

    async def _bury(self, entry: Entry) -> None:
        if entry.source_message is not None:
            await self.note_source(entry, entry.source_message, entry.created_at)

    def _forget_tombstones(self, archive: BareJid, before: datetime | None = None) -> None:
        for key, (at, _) in list(self._tombstones.items()):
            if archive_of(key[1]) == archive and (before is None or at < before):
                del self._tombstones[key]

    def _modified(
        self, entry_id: int, at: datetime, outbox: Outbox[Entry] | None, **values: Any
    ) -> Entry | None:
        if entry_id not in self._entries:
            return None
        modified = replace(self._entries[entry_id], modified_at=at.astimezone(UTC), **values)
        self._entries[entry_id] = self._changed(modified, outbox)
        return modified

    def _changed(self, result: R, outbox: Outbox[R] | None) -> R:
        if outbox is not None:
            self.jobs.add_outbox(outbox(result))
        return result

    def _in(self, scope: Scope, before: int | None = None) -> Iterable[Entry]:
        """Yield the entries of a scope, newest first."""
        for entry_id in sorted(self._entries, reverse=True):
            entry = self._entries[entry_id]
            if scope.covers(entry.owner, entry.room) and (before is None or entry_id < before):
                yield entry


def _has_all(entry: Entry, words: Iterable[str]) -> bool:
    texts = fold(entry.name), fold(entry.caption)
    return all(any(word in text for text in texts) for word in words)
