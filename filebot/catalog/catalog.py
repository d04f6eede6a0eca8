"""Implementation of ``Catalog`` on a database: queries go to the readers, changes to the one writer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from filebot.catalog import queries, tombstones, upserts, writes
from filebot.catalog.attachments import SqlAttachments
from filebot.catalog.dialect import TRIGRAM
from filebot.catalog.dialects import dialect_of
from filebot.catalog.file_messages import SqlFileMessages
from filebot.catalog.filters import is_met_by_many
from filebot.catalog.job_store import SqlJobs
from filebot.catalog.mapping import (
    added_entry,
    delivery_columns,
    delivery_of,
    entries_of,
    entry_columns,
    entry_of,
    fold,
    link_of,
    position_of,
    released_of,
    room_setting_columns,
    room_setting_of,
    scope_key,
    translated,
)
from filebot.catalog.name_suggestions import likeliest
from filebot.catalog.occupant_proofs import SqlOccupantProofs
from filebot.catalog.plugin_data import SqlPluginData, add_with_values
from filebot.catalog.plugin_tables import ReadBy
from filebot.catalog.sent_files import SqlSentFiles
from filebot.catalog.writer import Change, Writer, add_entries, execute, execute_returning
from filebot.concurrency.tasks import Threads, settled
from filebot.errors import CatalogUnavailable
from filebot.model import (
    ArchivePosition,
    BareJid,
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
    Weight,
)
from filebot.ports import PluginTables, Released

log = logging.getLogger(__name__)

R = TypeVar("R")

NEAREST_NAMES: Final = 2_000
"""Number of the newest names that are compared one by one."""
NEAREST_PARTS: Final = 24
NEAREST_NAMES_A_PART: Final = 200
"""In a larger scope: number of older names that share one of these trigrams with the typed one."""


class SqlCatalog:
    """Implements :class:`filebot.ports.Catalog`."""

    def __init__(
        self,
        readers: AsyncEngine,
        writer: Writer,
        plugin_tables: Callable[[ReadBy], PluginTables],
        examine: Callable[[], Awaitable[str | None]],
    ) -> None:
        """``plugin_tables`` makes the tables of plugins; ``examine`` returns a damage of the database."""
        self._examine = examine
        self._readers = readers
        dialect = dialect_of(readers)
        self._text, self._statements = dialect.full_text, dialect.statements
        self._writer = writer
        self._ranking = Threads("rank", 2)
        self.attachments = SqlAttachments(self._read, writer)
        self.file_messages = SqlFileMessages(self._read, writer)
        self.sent_files = SqlSentFiles(self._read, writer)
        self.occupant_proofs = SqlOccupantProofs(self._read, writer)
        self.plugin_data = SqlPluginData(self._read, writer)
        self.plugin_tables = plugin_tables(self._read_by)
        self._open = True
        self.jobs = SqlJobs(self._read, writer)

    async def close(self) -> None:
        """Make durable what is queued, then answer nothing more."""
        try:
            await self._writer.close()
        finally:
            self._open = False

    async def add(
        self, new: NewEntry, *, values: Sequence[NewValue] = (), outbox: Outbox[Entry] | None = None
    ) -> Entry:
        added, columns = partial(added_entry, new), entry_columns(new)
        tells = _mapped(added, outbox)
        if values:
            return added(await self._writer.run(add_with_values, (columns, values), outbox=tells))
        return added(await self._writer.run(add_entries, columns, outbox=tells))

    async def entry(self, entry_id: int) -> Entry | None:
        return await self._entry(queries.WITH_ID, id=queries.in_range(entry_id))

    async def find_by_digest(self, scope: Scope, owner: BareJid, digest: Digest) -> Entry | None:
        return await self._entry(queries.WITH_DIGEST, scope=scope_key(scope), owner=owner, digest=digest)

    async def find_by_source_message(self, scope: Scope, owner: Identity, message: str) -> Entry | None:
        return await self._entry(queries.find_by_source_message(scope, owner, message))

    async def is_gone(self, owner: Identity, message: str) -> bool:
        return bool(await self._read(tombstones.is_gone(owner, message)))

    async def note_source(self, entry: Entry, message: str, at: datetime) -> None:
        # The answer that follows must not fail for want of space: nothing is stored.
        source = (entry.owner, message, at, entry.id)
        await self._writer.run(tombstones.note_sources, source, urgent=True)

    async def find_by_name(self, scope: Scope, name: str) -> Entry | None:
        newest = await self._entry(queries.WITH_NAME, scope=scope_key(scope), name_key=fold(name))
        if newest is None or newest.name == name:
            return newest
        return await self._entry(queries.spelled(scope, name)) or newest

    async def find_by_prefix(self, scope: Scope, prefix: str, limit: int) -> list[Entry]:
        return await self._entries(queries.find_by_prefix(scope, prefix, limit))

    async def find_by_glob(self, scope: Scope, pattern: str, limit: int) -> list[Entry]:
        return await self._entries(queries.find_by_glob(self._text, scope, pattern, limit))

    async def page(self, scope: Scope, *, limit: int, before: int | None = None) -> list[Entry]:
        if before is not None:
            return await self._entries(queries.page(scope, limit, before))
        return await self._entries(queries.PAGE, scope=scope_key(scope), limit=limit)

    async def count(self, scope: Scope) -> int:
        return (await self._sum("scope", scope_key(scope)))[0]

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
        for each in filters:
            if not await self._read(is_met_by_many(each)):
                return await self._entries(
                    queries.search_among(self._text, each, scope, wanted, limit, before, filters)
                )
        return await self._entries(queries.search(self._text, scope, wanted, limit, before, filters))

    async def nearest(self, scope: Scope, name: str, limit: int) -> list[str]:
        key = fold(name)
        known = list(await self._read(queries.newest_names(scope, NEAREST_NAMES)))
        if len(known) == NEAREST_NAMES:
            known += await self._names_sharing_parts(scope, key)
        pairs = ((row.name_key, row.name) for row in known)
        return await self._ranking.run(likeliest, key, pairs, limit)

    async def rename(
        self, entry_id: int, name: str, at: datetime, *, outbox: Outbox[Entry] | None = None
    ) -> Entry | None:
        return await self._change(writes.rename(entry_id, name, at), outbox)

    async def set_caption(
        self, entry_id: int, caption: str, at: datetime, *, outbox: Outbox[Entry] | None = None
    ) -> Entry | None:
        return await self._change(writes.set_caption(entry_id, caption, at), outbox)

    async def remove(self, entry_id: int, *, outbox: Outbox[Entry] | None = None) -> Entry | None:
        mapped = _mapped(entry_of, outbox)
        row = await self._writer.run(tombstones.remove_entries, entry_id, urgent=True, outbox=mapped)
        return None if row is None else entry_of(row)

    async def archived(self, room: BareJid, owner: Identity, limit: int) -> list[Entry]:
        return await self._entries(queries.archived(room, owner, limit))

    async def adopt(self, entry_id: int, *, outbox: Outbox[None] | None = None) -> None:
        await self._writer.run(execute, writes.adopt(entry_id), outbox=outbox)

    async def has_uploaded(self, urls: Sequence[str]) -> bool:
        return bool(await self._read(queries.link_at(urls)))

    async def room_settings(self) -> list[SavedRoomSetting]:
        return [room_setting_of(row) for row in await self._read(queries.all_room_settings())]

    async def save_room_setting(self, setting: SavedRoomSetting) -> None:
        await self._writer.run(execute, upserts.save_room_setting(room_setting_columns(setting)))

    async def referenced_digests(self, digests: Sequence[Digest]) -> set[Digest]:
        return {row.digest for row in await self._read(queries.referenced_digests(digests))}

    async def is_used(self, digest: Digest) -> bool:
        if await self.referenced_digests([digest]):
            return True
        others = self._statements.searches_without_index(digest)
        if not any([await self._read(each) for each in others]):
            return False
        log.error("the catalog is damaged: an index does not know blob %s; run: filebot fsck", digest)
        return True

    async def digests(self, prefix: str) -> set[Digest]:
        return {row.digest for row in await self._read(queries.digests(prefix))}

    async def damage(self) -> str | None:
        return await self._examine()

    async def used_by(self, owner: Identity) -> tuple[int, int]:
        return await self._sum("owner", owner)

    async def used_in(self, room: BareJid) -> tuple[int, int]:
        return await self._sum("scope", scope_key(Scope(room=room)))

    async def oldest(self, scope: Scope, limit: int) -> list[Entry]:
        return await self._entries(queries.oldest(scope, limit))

    async def of_occupants(self, room: BareJid, limit: int) -> list[Entry]:
        return await self._entries(queries.of_occupants(room, limit))

    async def weight(self, entry_id: int) -> Weight | None:
        rows = await self._read(queries.weight(entry_id))
        return Weight(rows[0].weight, rows[0].bytes) if rows else None

    async def set_weight(self, entry_id: int, percent: int) -> None:
        await self._writer.run(execute, writes.set_weight(entry_id, percent), urgent=True)

    async def hand_over(
        self, owner: Identity, to: Identity, limit: int, *, outbox: Outbox[Sequence[Entry]] | None = None
    ) -> Sequence[Entry]:
        mapped = _mapped(entries_of, outbox)
        return entries_of(await self._writer.run(tombstones.hand_over, (owner, to, limit), outbox=mapped))

    async def release(
        self, room: BareJid, limit: int, *, outbox: Outbox[Released] | None = None
    ) -> Released:
        mapped = _mapped(released_of, outbox)
        rows = await self._writer.run(tombstones.release, (room, limit), urgent=True, outbox=mapped)
        return released_of(rows)

    async def clear_room(self, room: BareJid) -> None:
        await self._writer.run(writes.clear_rooms, room, urgent=True)

    async def used_in_all(self) -> tuple[int, int]:
        return await self._sum("all", "")

    async def link(self, digest: Digest, name: str) -> Link | None:
        rows = await self._read(queries.LINK, digest=digest, name_key=fold(name))
        return link_of(rows[0]) if rows else None

    async def save_link(self, link: Link) -> None:
        await self._writer.run(execute, upserts.save_link(link, fold(link.name)))

    async def forget_links(self, digest: Digest) -> None:
        await self._writer.run(execute, writes.forget_links(digest), urgent=True)

    async def language(self, jid: BareJid) -> str | None:
        rows = await self._read(queries.LANGUAGE, jid=jid)
        return rows[0].language if rows else None

    async def set_language(self, jid: BareJid, language: str | None) -> None:
        if language is None:
            await self._writer.run(execute, writes.forget_language(jid))
        else:
            await self._writer.run(writes.save_languages, (jid, language))

    async def position(self, archive: BareJid) -> ArchivePosition | None:
        rows = await self._read(queries.position(archive))
        return position_of(rows[0]) if rows else None

    async def save_position(self, position: ArchivePosition) -> None:
        await self._writer.run(tombstones.save_positions, position)

    async def forget_position(self, archive: BareJid) -> None:
        await self._writer.run(tombstones.forget_positions, archive, urgent=True)

    async def subscriptions(self) -> list[tuple[BareJid, BareJid]]:
        return [(row.person, row.own) for row in await self._read(queries.all_subscriptions())]

    async def keep_subscription(self, person: BareJid, own: BareJid) -> None:
        await self._writer.run(execute, upserts.save_subscription(person, own))

    async def forget_subscription(self, person: BareJid, own: BareJid) -> None:
        await self._writer.run(execute, writes.forget_subscription(person, own))

    async def deliveries(self) -> list[QueuedDelivery]:
        return [delivery_of(row) for row in await self._read(queries.all_deliveries())]

    async def add_delivery(self, delivery: QueuedDelivery) -> bool:
        added = await self._returned(writes.add_delivery(delivery_columns(delivery)), urgent=True)
        return added is not None

    async def count_tries(self, number: int, tries: int) -> None:
        await self._writer.run(execute, writes.count_tries(number, tries), urgent=True)

    async def remove_delivery(self, number: int) -> bool:
        return await self._returned(writes.remove_delivery(number), urgent=True) is not None

    async def rooms(self) -> list[RememberedRoom]:
        found = await self._read(queries.all_rooms())
        return [RememberedRoom(row.jid, row.password, row.invited_by) for row in found]

    async def remember_room(self, room: RememberedRoom) -> None:
        await self._writer.run(execute, upserts.save_room(room))

    async def forget_room(self, jid: BareJid) -> None:
        await self._writer.run(execute, writes.forget_room(jid), urgent=True)

    async def destroyed_rooms(self) -> list[BareJid]:
        return [row.room for row in await self._read(queries.all_destroyed_rooms())]

    async def note_destroyed_room(self, room: BareJid) -> None:
        await self._writer.run(execute, upserts.note_destroyed_room(room), urgent=True)

    async def forget_destroyed_room(self, room: BareJid) -> None:
        await self._writer.run(writes.forget_destroyed_rooms, room, urgent=True)

    async def _names_sharing_parts(self, scope: Scope, key: str) -> list[sa.Row[Any]]:
        """Older names that share a trigram with ``key``: all of a rare one, the newest of a common one."""
        starts = range(len(key) - TRIGRAM + 1)[:NEAREST_PARTS]
        found: list[sa.Row[Any]] = []
        for part in {key[start : start + TRIGRAM] for start in starts}:
            found += await self._read(queries.names_with(self._text, scope, part, NEAREST_NAMES_A_PART))
        return found

    async def _read_by(self, function: Callable[[sa.Connection], R]) -> R:
        """Call a function with a connection that reads."""

        async def read() -> R:
            with translated():
                async with self._readers.connect() as connection:
                    return await connection.run_sync(function)

        if not self._open:
            raise CatalogUnavailable("the catalog is closed")
        return await settled(asyncio.create_task(read(), name="catalog-read"))

    async def _read(self, statement: sa.Select[Any], **values: object) -> Sequence[sa.Row[Any]]:
        if not self._open:
            raise CatalogUnavailable("the catalog is closed")
        # SQLAlchemy throws away a connection whose statement was cancelled, and aiosqlite never closes one
        # that was cancelled while it was opened. So a cancelled caller waits for its question to end.
        return await settled(asyncio.create_task(self._ask(statement, values), name="catalog-read"))

    async def _ask(self, statement: sa.Select[Any], values: dict[str, object]) -> Sequence[sa.Row[Any]]:
        with translated():
            async with self._readers.connect() as connection:
                rows: Sequence[sa.Row[Any]] = (await connection.execute(statement, values)).all()
                return rows

    async def _entry(self, statement: sa.Select[Any], **values: object) -> Entry | None:
        rows = await self._read(statement, **values)
        return entry_of(rows[0]) if rows else None

    async def _entries(self, statement: sa.Select[Any], **values: object) -> list[Entry]:
        return [entry_of(row) for row in await self._read(statement, **values)]

    async def _sum(self, kind: str, key: str) -> tuple[int, int]:
        """Return files and bytes."""
        rows = await self._read(queries.SUM, kind=kind, key=key)
        return (rows[0].files, rows[0].used_bytes) if rows else (0, 0)

    async def _change(self, change: Change, outbox: Outbox[Entry] | None) -> Entry | None:
        row = await self._returned(change, _mapped(entry_of, outbox))
        return None if row is None else entry_of(row)

    async def _returned(
        self, change: Change, outbox: Outbox[Any] | None = None, *, urgent: bool = False
    ) -> sa.Row[Any] | None:
        return await self._writer.run(execute_returning, change, urgent=urgent, outbox=outbox)


def _mapped(mapping: Callable[[Any], R], outbox: Outbox[R] | None) -> Outbox[Any] | None:
    """Return an outbox for what the writer returns; None stands for no change there."""
    if outbox is None:
        return None
    return lambda written: () if written is None else outbox(mapping(written))
