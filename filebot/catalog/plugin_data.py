"""Implementation of ``PluginData`` on the catalog's database."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog import upserts
from filebot.catalog.queries import Read, one
from filebot.catalog.schema import entries, plugin_data
from filebot.catalog.writer import Writer, add_entries, execute
from filebot.errors import NoSuchEntry, PluginStoreFull
from filebot.model import DataKey, DataOwner, Identity, NewValue, OwnerKind
from filebot.ports import MOST_PLUGIN_BYTES, VALUE_OVERHEAD_BYTES

log = logging.getLogger(__name__)

Change = tuple[DataKey, Callable[[str | None], str | None]]

_table = plugin_data.c


class SqlPluginData:
    """Implements :class:`filebot.ports.PluginData`."""

    def __init__(self, read: Read, writer: Writer) -> None:
        self._read = read
        self._writer = writer

    async def value(self, key: DataKey) -> str | None:
        rows = await self._read(sa.select(_table.value).where(_at(key)))
        return str(rows[0].value) if rows else None

    async def values(
        self, plugin: str, owner: DataOwner, prefix: str, limit: int, after: str = ""
    ) -> list[tuple[str, str]]:
        begins = sa.func.substr(_table.key, 1, len(prefix)) == prefix
        here = sa.and_(_of(plugin, owner), _table.key >= prefix, _table.key > after, begins)
        found = sa.select(_table.key, _table.value).where(here).order_by(_table.key).limit(limit)
        return [(row.key, row.value) for row in await self._read(found)]

    async def owners(
        self, plugin: str, kind: OwnerKind, key: str, limit: int, after: str = ""
    ) -> list[tuple[str, str]]:
        here = sa.and_(
            _table.plugin == plugin,
            _table.owner_kind == kind.value,
            _table.key == key,
            _table.owner > after,
        )
        found = sa.select(_table.owner, _table.value).where(here).order_by(_table.owner).limit(limit)
        return [(row.owner, row.value) for row in await self._read(found)]

    async def of_owner(
        self, owner: DataOwner, limit: int, *, key: str | None = None, after: tuple[str, str] = ("", "")
    ) -> list[tuple[str, str, str]]:
        here = sa.and_(
            _table.owner_kind == owner.kind.value,
            _table.owner == owner.id,
            sa.tuple_(_table.plugin, _table.key) > sa.tuple_(*map(sa.literal, after)),
            sa.true() if key is None else _table.key == key,
        )
        columns = (_table.plugin, _table.key, _table.value)
        found = sa.select(*columns).where(here).order_by(*columns[:2]).limit(limit)
        return [(row.plugin, row.key, row.value) for row in await self._read(found)]

    async def change_value(self, key: DataKey, function: Callable[[str | None], str | None]) -> str | None:
        return await self._writer.run(_change_values, (key, function))

    async def used_bytes(self, plugin: str) -> int:
        rows = await self._read(_used_bytes(plugin))
        return int(rows[0][0])

    async def forget_person(self, person: Identity) -> None:
        theirs = sa.and_(_table.owner_kind == OwnerKind.PERSON.value, _table.owner == person)
        await self._writer.run(execute, sa.delete(plugin_data).where(theirs), urgent=True)


async def add_with_values(
    connection: AsyncConnection, wanted: Sequence[tuple[dict[str, Any], Sequence[NewValue]]]
) -> Sequence[int]:
    """Insert rows of entries, each with what plugins keep of it, and return their ids."""
    ids = await add_entries(connection, [columns for columns, _ in wanted])
    for entry_id, (_, values) in zip(ids, wanted, strict=True):
        owner = DataOwner(OwnerKind.ENTRY, str(entry_id))
        for each in values:
            try:
                await _changed(connection, DataKey(each.plugin, owner, each.key), each.replacing)
            except PluginStoreFull as error:
                if not each.is_dispensable:
                    raise
                log.error("a value of entry #%d is not kept: %s", entry_id, error)
    return ids


async def _change_values(connection: AsyncConnection, changes: Sequence[Change]) -> list[str | None]:
    return [await _changed(connection, key, function) for key, function in changes]


async def _changed(
    connection: AsyncConnection, key: DataKey, function: Callable[[str | None], str | None]
) -> str | None:
    row = (await connection.execute(sa.select(_table.value, _table.size).where(_at(key)))).one_or_none()
    value = function(None if row is None else row.value)
    if value is None:
        await connection.execute(sa.delete(plugin_data).where(_at(key)))
        return None
    size = len(value.encode()) + VALUE_OVERHEAD_BYTES
    used = (await connection.execute(_used_bytes(key.plugin))).scalar_one()
    if used - (0 if row is None else row.size) + size > MOST_PLUGIN_BYTES:
        raise PluginStoreFull(key.plugin)
    entry_id = await _entry_id(connection, key.owner)
    await connection.execute(
        upserts.save_plugin_value(
            {
                "plugin": key.plugin,
                "owner_kind": key.owner.kind.value,
                "owner": key.owner.id,
                "key": key.key,
                "entry_id": entry_id,
                "value": value,
                "size": size,
            }
        )
    )
    return value


async def _entry_id(connection: AsyncConnection, owner: DataOwner) -> int | None:
    if owner.kind is not OwnerKind.ENTRY:
        return None
    entry_id = int(owner.id)
    if (await connection.execute(sa.select(entries.c.id).where(one(entry_id)))).one_or_none() is None:
        raise NoSuchEntry(f"#{entry_id}")
    return entry_id


def _used_bytes(plugin: str) -> sa.Select[Any]:
    return sa.select(sa.func.coalesce(sa.func.sum(_table.size), 0)).where(_table.plugin == plugin)


def _of(plugin: str, owner: DataOwner) -> sa.ColumnElement[bool]:
    return sa.and_(_table.plugin == plugin, _table.owner_kind == owner.kind.value, _table.owner == owner.id)


def _at(key: DataKey) -> sa.ColumnElement[bool]:
    return sa.and_(_of(key.plugin, key.owner), _table.key == key.key)
