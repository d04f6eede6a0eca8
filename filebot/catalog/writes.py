"""Operations for the writer, and the statements that they execute."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from filebot.catalog import sqlite
from filebot.catalog.case_folding import fold
from filebot.catalog.queries import one
from filebot.catalog.rows import scope_key, scope_mark
from filebot.catalog.schema import (
    deliveries,
    entries,
    history_imports,
    links,
    opt_outs,
    people,
    positions,
    room_settings,
    rooms,
    subscriptions,
    unwanted,
)
from filebot.model import Digest, Scope
from filebot.ports import MOST_LANGUAGES_OF_ROOM, MOST_UNWANTED_OF_ROOM

Change = ReturningUpdate[Any] | ReturningDelete[Any] | ReturningInsert[Any]
"""A statement about one row that returns it."""

# Built once: their columns are given as parameters, many rows at a time.
_INSERT: Final = sa.insert(entries)
_MAKE_PRIVATE: Final = (
    sa.update(entries)
    .where(entries.c.id == sa.bindparam("this"))
    .values(room=None, scope=sa.bindparam("key"), mark=sa.bindparam("its_mark"), archived=False)
)
RELEASED_AT_ONCE: Final = 1000
_NEWEST_ID: Final = sa.select(sa.func.max(entries.c.id))


async def add_entries(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Insert the rows and return their ids.

    They are consecutive: only one transaction writes at a time, and AUTOINCREMENT counts by one.
    """
    await connection.execute(_INSERT, rows)
    newest: int = (await connection.execute(_NEWEST_ID)).scalar_one()
    return range(newest - len(rows) + 1, newest + 1)


async def execute(
    connection: AsyncConnection, statements: Sequence[sa.Insert | sa.Update | sa.Delete]
) -> list[None]:
    """Execute statements that return nothing."""
    for statement in statements:
        await connection.execute(statement)
    return [None] * len(statements)


async def execute_returning(
    connection: AsyncConnection, changes: Sequence[Change]
) -> list[sa.Row[Any] | None]:
    """Execute statements that return one row each, or None if their row is gone."""
    return [(await connection.execute(change)).one_or_none() for change in changes]


def rename(entry_id: int, name: str, at: datetime) -> ReturningUpdate[Any]:
    """Give an entry another name."""
    renamed = {"name": name, "name_key": fold(name), "modified_at": at}
    return sa.update(entries).where(one(entry_id)).values(renamed).returning(entries)


def remove(entry_id: int) -> ReturningDelete[Any]:
    """Remove an entry."""
    return sa.delete(entries).where(one(entry_id)).returning(entries)


def hand_over(owner: str, to: str) -> sa.Update:
    """Give all entries of one owner to another."""
    return sa.update(entries).where(entries.c.owner == owner).values(owner=to)


async def release(connection: AsyncConnection, released: Sequence[str]) -> list[list[str]]:
    """Make all entries of rooms private ones of their owners, who are returned, and forget the rooms."""
    return [await _release(connection, room) for room in released]


async def _release(connection: AsyncConnection, room: str) -> list[str]:
    here = entries.c.scope == scope_key(Scope(room=room))
    own = entries.alias()
    has_it = sa.exists().where(
        own.c.scope == scope_key(Scope(owner="")) + entries.c.owner,
        own.c.digest == entries.c.digest,
        own.c.name == entries.c.name,
    )
    owners: list[str] = list(await connection.scalars(sa.select(entries.c.owner).where(here).distinct()))
    keys = {owner: scope_key(Scope(owner=owner)) for owner in owners}
    await connection.execute(sa.delete(entries).where(here, has_it))
    # By ids: no index has the owners of a scope, and there may be as many as files.
    some = sa.select(entries.c.id, entries.c.owner).where(here).limit(RELEASED_AT_ONCE)
    while rows := (await connection.execute(some)).all():
        private = [
            {"this": entry_id, "key": keys[owner], "its_mark": scope_mark(keys[owner])}
            for entry_id, owner in rows
        ]
        await connection.execute(_MAKE_PRIVATE, private)
    for table in (room_settings, opt_outs, unwanted, history_imports):
        await connection.execute(sa.delete(table).where(table.c.room == room))
    await connection.execute(sa.delete(people).where(sqlite.known_by(room, people.c.jid)))
    return owners


def adopt(entry_id: int) -> sa.Update:
    """Make an auto-archived entry one that was asked for."""
    return sa.update(entries).where(one(entry_id)).values(archived=False)


def forget_opt_out(room: str, person: str) -> sa.Delete:
    """Forget the opt-out of a person in a room."""
    return sa.delete(opt_outs).where(opt_outs.c.room == room, opt_outs.c.person == person)


async def save_unwanted(connection: AsyncConnection, copies: Sequence[tuple[str, str, str]]) -> list[None]:
    """Keep unwanted bytes, each with room and person; of each room the latest."""
    for room, digest, person in copies:
        await connection.execute(sqlite.save_unwanted(room, digest, person))
        await connection.execute(sqlite.forget_oldest_unwanted(room, MOST_UNWANTED_OF_ROOM))
    return [None] * len(copies)


def forget_unwanted(room: str, person: str) -> sa.Delete:
    """Forget the unwanted bytes of a person in a room."""
    return sa.delete(unwanted).where(unwanted.c.room == room, unwanted.c.person == person)


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


async def save_languages(connection: AsyncConnection, choices: Sequence[tuple[str, str]]) -> list[None]:
    """Keep the languages of people; of people known only by a room, the latest of each room."""
    for person, language in choices:
        await connection.execute(sqlite.save_language(person, language))
        room, occupant, _ = person.partition("/")
        if occupant:
            await connection.execute(sqlite.forget_oldest_languages(room, MOST_LANGUAGES_OF_ROOM))
    return [None] * len(choices)


def forget_language(jid: str) -> sa.Delete:
    """Forget the language of a person."""
    return sa.delete(people).where(people.c.jid == jid)


def forget_history_import(room: str) -> sa.Delete:
    """Forget the history import of a room."""
    return sa.delete(history_imports).where(history_imports.c.room == room)


def forget_position(archive: str) -> sa.Delete:
    """Forget the position of an archive."""
    return sa.delete(positions).where(positions.c.archive == archive)


def forget_subscription(person: str, own: str) -> sa.Delete:
    """Forget that this person sees the bot under this address."""
    return sa.delete(subscriptions).where(subscriptions.c.person == person, subscriptions.c.own == own)


def forget_room(jid: str) -> sa.Delete:
    """Forget that the bot is to be in this room."""
    return sa.delete(rooms).where(rooms.c.jid == jid)
