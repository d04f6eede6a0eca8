"""Operations for the writer, and the statements that they execute."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from filebot.catalog import upserts
from filebot.catalog.dialects import dialect_of
from filebot.catalog.mapping import fold, scope_key, scope_mark
from filebot.catalog.queries import known_by, one
from filebot.catalog.schema import (
    deliveries,
    destroyed_rooms,
    entries,
    links,
    people,
    plugin_data,
    positions,
    proven_occupants,
    room_settings,
    rooms,
    subscriptions,
    tombstones,
)
from filebot.model import Digest, OwnerKind, Scope
from filebot.ports import MOST_LANGUAGES_OF_ROOM

# Built once: its columns are given as parameters, many rows at a time.
_MAKE_PRIVATE: Final = (
    sa.update(entries)
    .where(entries.c.id == sa.bindparam("this"))
    .values(
        room=None, scope=sa.bindparam("key"), mark=sa.bindparam("its_mark"), archived=False, shared_by=""
    )
)


def rename(entry_id: int, name: str, at: datetime) -> ReturningUpdate[Any]:
    """Give an entry another name."""
    renamed = {"name": name, "name_key": fold(name), "modified_at": at}
    return sa.update(entries).where(one(entry_id)).values(renamed).returning(entries)


def set_caption(entry_id: int, caption: str, at: datetime) -> ReturningUpdate[Any]:
    """Give an entry another caption."""
    changed = {"caption": caption, "caption_key": fold(caption), "modified_at": at}
    return sa.update(entries).where(one(entry_id)).values(changed).returning(entries)


def set_weight(entry_id: int, percent: int) -> sa.Update:
    """Let so many percent of an entry's bytes count. Triggers expect that nothing else changes with it."""
    return sa.update(entries).where(one(entry_id)).values(weight=percent)


def remove(entry_id: int) -> ReturningDelete[Any]:
    """Remove an entry."""
    return sa.delete(entries).where(one(entry_id)).returning(entries)


async def hand_over(connection: AsyncConnection, owner: str, to: str, limit: int) -> Sequence[sa.Row[Any]]:
    """Make the oldest entries of one owner another's, at most so many; return them as they are now."""
    oldest = sa.select(entries.c.id).where(entries.c.owner == owner).order_by(entries.c.id).limit(limit)
    private, key = entries.c.room.is_(None), scope_key(Scope(owner=to))
    columns = {
        "owner": to,
        "scope": sa.case((private, key), else_=entries.c.scope),
        "mark": sa.case((private, scope_mark(key)), else_=entries.c.mark),
    }
    change = sa.update(entries).where(entries.c.id.in_(oldest)).values(columns).returning(entries)
    return sorted(await connection.execute(change), key=lambda row: int(row.id))


Released = tuple[sa.Row[Any], bool]
"""A row as it was in its room, and whether it is still there, as a private one."""


async def release(connection: AsyncConnection, room: str, limit: int) -> list[Released]:
    """Make the oldest entries of a room, at most so many, private ones of their owners."""
    here = entries.c.scope == scope_key(Scope(room=room))
    oldest = sa.select(entries).where(here).order_by(entries.c.id).limit(limit)
    rows = (await connection.execute(oldest)).all()
    if not rows:
        return []
    own = entries.alias()
    has_it = sa.exists().where(
        own.c.scope == scope_key(Scope(owner="")) + entries.c.owner,
        own.c.digest == entries.c.digest,
        own.c.name == entries.c.name,
    )
    # The oldest of the room are all up to the newest of these rows.
    copies = sa.delete(entries).where(here, entries.c.id <= rows[-1].id, has_it).returning(entries.c.id)
    removed = set(await connection.scalars(copies))
    keys = {owner: scope_key(Scope(owner=owner)) for owner in {row.owner for row in rows}}
    private = [
        {"this": row.id, "key": keys[row.owner], "its_mark": scope_mark(keys[row.owner])}
        for row in rows
        if row.id not in removed
    ]
    if private:
        await connection.execute(_MAKE_PRIVATE, private)
    return [(row, row.id not in removed) for row in rows]


async def clear_rooms(connection: AsyncConnection, cleared: Sequence[str]) -> list[None]:
    """Forget all that is remembered of these rooms but their entries."""
    of_plugins = (await connection.scalars(dialect_of(connection).statements.tables_of_rooms())).all()
    for room in cleared:
        for table in (
            room_settings,
            proven_occupants,
            *(sa.table(name, sa.column("room")) for name in of_plugins),
        ):
            await connection.execute(sa.delete(table).where(table.c.room == room))
        await connection.execute(sa.delete(tombstones).where(tombstones.c.archive == room))
        await connection.execute(sa.delete(people).where(known_by(room, people.c.jid)))
        kind, owner = plugin_data.c.owner_kind, plugin_data.c.owner
        its_people = sa.and_(kind == OwnerKind.PERSON.value, known_by(room, owner))
        of_room = sa.and_(kind == OwnerKind.ROOM.value, owner == room)
        await connection.execute(sa.delete(plugin_data).where(of_room))
        await connection.execute(sa.delete(plugin_data).where(its_people))
    return [None] * len(cleared)


def adopt(entry_id: int) -> sa.Update:
    """Make an auto-archived entry one that was asked for."""
    return sa.update(entries).where(one(entry_id)).values(archived=False)


def add_delivery(columns: dict[str, Any]) -> ReturningInsert[Any]:
    """Keep a delivery, if its entry is there."""
    values = [sa.literal(value, deliveries.c[name].type) for name, value in columns.items()]
    row = sa.select(*values).where(sa.exists().where(one(columns["entry_id"])))
    return sa.insert(deliveries).from_select(list(columns), row).returning(deliveries)


def count_tries(number: int, tries: int) -> sa.Update:
    """Set how often a delivery was tried."""
    return sa.update(deliveries).where(deliveries.c.number == number).values(tries=tries)


def remove_delivery(number: int) -> ReturningDelete[Any]:
    """Remove a delivery."""
    return sa.delete(deliveries).where(deliveries.c.number == number).returning(deliveries)


def forget_links(digest: Digest) -> sa.Delete:
    """Forget all uploads of these bytes."""
    return sa.delete(links).where(links.c.digest == digest)


def all_but_newest(
    table: sa.Table, order: sa.Column[Any], most: int, *theirs: sa.ColumnElement[bool]
) -> sa.Delete:
    """Delete rows, of those that meet a condition, but the newest ``most`` by a column."""
    newest = sa.select(order).where(*theirs).order_by(order.desc()).offset(most).limit(1)
    return sa.delete(table).where(*theirs, order <= newest.scalar_subquery())


async def save_languages(connection: AsyncConnection, choices: Sequence[tuple[str, str]]) -> list[None]:
    """Keep the languages of people; of people known only by a room, the latest of each room."""
    for person, language in choices:
        await connection.execute(upserts.save_language(person, language, datetime.now(UTC)))
        room, occupant, _ = person.partition("/")
        if occupant:
            theirs = known_by(room, people.c.jid)
            await connection.execute(
                all_but_newest(people, people.c.first_chosen_at, MOST_LANGUAGES_OF_ROOM, theirs)
            )
    return [None] * len(choices)


def forget_language(jid: str) -> sa.Delete:
    """Forget the language of a person."""
    return sa.delete(people).where(people.c.jid == jid)


def forget_position(archive: str) -> sa.Delete:
    """Forget the position of an archive."""
    return sa.delete(positions).where(positions.c.archive == archive)


def forget_subscription(person: str, own: str) -> sa.Delete:
    """Forget that this person sees the bot under this address."""
    return sa.delete(subscriptions).where(subscriptions.c.person == person, subscriptions.c.own == own)


async def forget_destroyed_rooms(connection: AsyncConnection, destroyed: Sequence[str]) -> list[None]:
    """Forget destroyed rooms, and the positions in their archives."""
    for room in destroyed:
        await connection.execute(sa.delete(positions).where(positions.c.archive == room))
        await connection.execute(sa.delete(tombstones).where(tombstones.c.archive == room))
        await connection.execute(forget_room(room))
        await connection.execute(sa.delete(destroyed_rooms).where(destroyed_rooms.c.room == room))
    return [None] * len(destroyed)


def forget_room(jid: str) -> sa.Delete:
    """Forget that the bot is to be in this room."""
    return sa.delete(rooms).where(rooms.c.jid == jid)
