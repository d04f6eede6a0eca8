"""What is SQLite's own: opening its file, its upsert, and full-text search with FTS5.

Another database needs another module with these names, and migrations that make its own index.
"""

import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from filebot.catalog.integrity import BUSY_TIMEOUT_S
from filebot.catalog.schema import (
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
from filebot.model import ArchivePosition, Link, RememberedRoom

READERS: Final = 4
TRIGRAM: Final = 3
_MAX_PHRASES: Final = 16
_MAX_PHRASE: Final = 64
_MAX_PATTERN_BYTES: Final = 50_000
"""SQLITE_MAX_LIKE_PATTERN_LENGTH; an error beyond."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S:.0f}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8000",
    # Temporary tables stay in memory, so that a full disk makes no statement fail for them.
    "PRAGMA temp_store = MEMORY",
)

_fts: Final = sa.table("entries_fts", sa.column("rowid", sa.Integer), sa.column("entries_fts", sa.Text))


# --- the file and its connections ---------------------------------------------------------------


def create_file(path: Path) -> None:
    """Make the file if there is none, for nobody else's eyes. SQLite gives its WAL the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


# All of them hide the values of statements in errors: those end in the log.


def reading_engine(path: Path) -> AsyncEngine:
    """Connections that cannot write. Each statement sees the last commit and holds no lock after it."""
    # A SELECT alone begins no transaction, so there is nothing to reset.
    engine = create_async_engine(
        _url("sqlite+aiosqlite", path),
        pool_size=READERS,
        max_overflow=0,
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    _set_pragmas(engine.sync_engine, (*_PRAGMAS, "PRAGMA query_only = ON"))
    return engine


def writing_engine(path: Path) -> AsyncEngine:
    """The one connection that writes."""
    engine = create_async_engine(
        _url("sqlite+aiosqlite", path),
        pool_size=1,
        max_overflow=0,
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    _set_pragmas(engine.sync_engine, _PRAGMAS)
    _begin_at_once(engine.sync_engine)
    return engine


def migrating_engine(path: Path) -> sa.Engine:
    """A connection without asyncio, for Alembic."""
    engine = sa.create_engine(_url("sqlite", path), poolclass=NullPool, hide_parameters=True)
    _set_pragmas(engine, _PRAGMAS)
    _begin_at_once(engine)
    return engine


def _url(driver: str, path: Path) -> sa.URL:
    return sa.URL.create(driver, database=str(path))


def _set_pragmas(engine: sa.Engine, pragmas: Sequence[str]) -> None:
    @sa.event.listens_for(engine, "connect")
    def _(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The sqlite3 module would begin transactions by itself, and none for DDL.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()


def _begin_at_once(engine: sa.Engine) -> None:
    """Take the write lock at BEGIN: wanted later it may be refused (SQLITE_BUSY_SNAPSHOT)."""

    @sa.event.listens_for(engine, "begin")
    def _(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


# --- statements ---------------------------------------------------------------------------------


def save_link(link: Link, name_key: str) -> sa.Insert:
    """Keep the link unless a newer one is there."""
    statement = insert(links).values(
        digest=link.digest, name_key=name_key, name=link.name, url=link.url, created_at=link.created_at
    )
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[links.c.digest, links.c.name_key],
        set_={"name": new.name, "url": new.url, "created_at": new.created_at},
        where=links.c.created_at <= new.created_at,
    )


def save_language(jid: str, language: str) -> sa.Insert:
    """Keep what this person chose in place of what was there."""
    return _put(people, people.c.jid, {"jid": jid, "language": language})


def forget_oldest_languages(room: str, most: int) -> sa.Delete:
    """Leave at most so many of those whom only this room tells apart."""
    theirs, row = known_by(room, people.c.jid), sa.literal_column("people.rowid", sa.Integer)
    last_to_go = sa.select(row).where(theirs).order_by(row.desc()).offset(most).limit(1)
    return sa.delete(people).where(theirs, row <= last_to_go.scalar_subquery())


def known_by(room: str, person: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The person is one whom only this room tells apart (``room/...``)."""
    # Bytes are compared, and 0 comes next after the slash: a range, which an index serves.
    return sa.and_(person >= f"{room}/", person < f"{room}0")


def save_room(room: RememberedRoom) -> sa.Insert:
    """Remember a room in place of what was there."""
    columns = {"jid": room.jid, "password": room.password, "invited_by": room.invited_by}
    return _put(rooms, rooms.c.jid, columns)


def save_position(position: ArchivePosition) -> sa.Insert:
    """Keep the mark in place of the archive's last one."""
    columns = {"archive": position.archive, "last_id": position.last_id, "at": position.at}
    return _put(positions, positions.c.archive, columns | {"ahead": sorted(position.ahead)})


def save_subscription(person: str, own: str) -> sa.Insert:
    """Keep that this person sees the bot under this address; leave it where it is if that is known."""
    return insert(subscriptions).values(person=person, own=own).on_conflict_do_nothing()


def save_history_import(columns: dict[str, Any]) -> sa.Insert:
    """Keep how far the room's history is gone through, in place of what was there."""
    return _put(history_imports, history_imports.c.room, columns)


def save_room_settings(columns: dict[str, Any]) -> sa.Insert:
    """Keep a room's settings in place of what was there."""
    return _put(room_settings, room_settings.c.room, columns)


def save_opt_out(room: str, person: str) -> sa.Insert:
    """Keep that this person wants nothing kept unasked there."""
    return insert(opt_outs).values(room=room, person=person).on_conflict_do_nothing()


def save_unwanted(room: str, digest: str, person: str) -> sa.Insert:
    """Keep that these bytes came from this person, who wants nothing kept unasked there."""
    return insert(unwanted).values(room=room, digest=digest, person=person).on_conflict_do_nothing()


def forget_oldest_unwanted(room: str, most: int) -> sa.Delete:
    """Leave at most so many of a room."""
    row = sa.literal_column("unwanted.rowid", sa.Integer)
    last_to_go = sa.select(row).where(unwanted.c.room == room).order_by(row.desc()).offset(most).limit(1)
    return sa.delete(unwanted).where(unwanted.c.room == room, row <= last_to_go.scalar_subquery())


def _put(table: sa.Table, key: sa.Column[Any], columns: dict[str, Any]) -> sa.Insert:
    """A whole row, in place of the one of the same key."""
    statement = insert(table).values(columns)
    return statement.on_conflict_do_update(
        index_elements=[key], set_={name: statement.excluded[name] for name in columns}
    )


def unindexed(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The column, for a condition that the planner must not start from."""
    return sa.func.coalesce(column, "")


def used_by_another_index(digest: str) -> sa.Select[Any]:
    """Ask, scope by scope, whether an entry has these bytes, without the index of digests.

    One step of an index for each scope. ``INDEXED BY`` is an error where another plan would be taken.
    """
    tables = sa.text("sums CROSS JOIN entries INDEXED BY ix_entries_scope")
    here = sa.text("kind = 'scope' AND scope = key AND digest = :digest").bindparams(digest=digest)
    return sa.select(sa.literal(1)).select_from(tables).where(here).limit(1)


def fits_pattern(pattern: str) -> sa.ColumnElement[bool]:
    """The whole folded name fits a folded pattern of ``*`` and ``?``; GLOB's sets are not ours."""
    glob = pattern.replace("[", "[[]")
    if len(glob.encode()) > _MAX_PATTERN_BYTES:
        return sa.false()  # no name is so long
    return entries.c.name_key.op("GLOB", is_comparison=True)(glob)


def contains_all(words: Collection[str]) -> sa.ColumnElement[bool]:
    """Every word is in the name or in the caption. As one parameter, so that many words are no problem."""
    if not words:
        return sa.true()
    word = sa.func.json_each(json.dumps(list(words))).table_valued("value").alias("word")
    missing = sa.and_(
        sa.func.instr(entries.c.name_key, word.c.value) == 0,
        sa.func.instr(entries.c.caption_key, word.c.value) == 0,
    )
    return ~sa.exists(sa.select(sa.literal(1)).select_from(word).where(missing))


# --- full text ----------------------------------------------------------------------------------


def indexed(words: Collection[str]) -> list[str]:
    """Those of the words, or parts of them, that the full-text index is asked for, longest first."""
    long_enough = sorted((word for word in words if len(word) >= TRIGRAM), key=len, reverse=True)
    return [word[:_MAX_PHRASE] for word in long_enough[:_MAX_PHRASES]]


def found(
    columns: Sequence[sa.ColumnElement[Any]],
    scope: str,
    mark: str,
    phrases: Collection[str],
    *,
    names_only: bool = False,
    before: int | None = None,
) -> sa.Select[Any]:
    """``columns`` of a scope's entries that hold all the phrases, newest first.

    The scope's mark is part of the full-text question: FTS5 then leaps from one row of the scope to the
    next and never reads what others have stored under the same words.
    """
    fields = "name_key" if names_only else "name_key caption_key"
    wanted = " AND ".join(_quoted(phrase) for phrase in phrases)
    question = f"{{{fields}}} : ({wanted}) AND mark : {_quoted(mark)}"
    statement = (
        sa.select(*columns)
        .join_from(_fts, entries, entries.c.id == _fts.c.rowid)
        .where(_fts.c.entries_fts.op("MATCH", is_comparison=True)(question))
        .where(unindexed(entries.c.scope) == scope)
        .order_by(_fts.c.rowid.desc())
    )
    return statement if before is None else statement.where(_fts.c.rowid < before)


def _quoted(phrase: str) -> str:
    """A phrase of FTS5's query language (https://sqlite.org/fts5.html, 3.1)."""
    return '"' + phrase.replace('"', '""') + '"'
