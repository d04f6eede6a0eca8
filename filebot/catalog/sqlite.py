"""Everything that only SQLite knows: its file, its upsert, and full-text search with FTS5.

Another database needs another module with these names, and migrations that make its own index.
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, dialect, insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool

from filebot.catalog.integrity import BUSY_TIMEOUT_S
from filebot.catalog.schema import (
    ADOPTED,
    destroyed_rooms,
    entries,
    file_messages,
    links,
    people,
    plugin_data,
    plugin_tables,
    positions,
    room_settings,
    rooms,
    subscriptions,
    tombstones,
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

_NAMED: Final = dialect(paramstyle="named")

_fts: Final = sa.table("entries_fts", sa.column("rowid", sa.Integer), sa.column("entries_fts", sa.Text))


# --- the file and its connections ---------------------------------------------------------------


def create_file(path: Path) -> None:
    """Make the file if there is none, private to the bot. SQLite gives its WAL the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


# All of them hide the values of statements in errors: those end in the log.


def reading_engine(path: Path) -> AsyncEngine:
    """Make a pool of read-only connections. A statement sees the last commit and leaves no lock."""
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
    """Make the one connection that writes."""
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
    """Make a connection without asyncio, for Alembic."""
    engine = sa.create_engine(_url("sqlite", path), poolclass=NullPool, hide_parameters=True)
    _set_pragmas(engine, _PRAGMAS)
    _begin_at_once(engine)
    return engine


def memory_engine(pool: type[Pool]) -> sa.Engine:
    """Make a database in memory; ``pool`` gives the one connection that it has to everybody."""
    engine = sa.create_engine(
        "sqlite://", poolclass=pool, connect_args={"check_same_thread": False}, hide_parameters=True
    )
    _set_pragmas(engine, ("PRAGMA foreign_keys = ON", "PRAGMA temp_store = MEMORY"))
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
    begin = partial(sa.Connection.exec_driver_sql, statement="BEGIN IMMEDIATE")
    sa.event.listen(engine, "begin", begin)


# --- statements ---------------------------------------------------------------------------------


def tables_of_rooms() -> sa.Select[Any]:
    """Select the names of the tables of plugins that have a column ``room``."""
    table = sa.table("sqlite_master", sa.column("name", sa.Text), sa.column("type", sa.Text))
    columns = sa.func.pragma_table_info(table.c.name).table_valued("name").alias("columns")
    of_plugins = sa.or_(table.c.name.in_(ADOPTED), table.c.name.in_(sa.select(plugin_tables.c.name)))
    return (
        sa.select(table.c.name)
        .select_from(table.join(columns, sa.true()))
        .where(table.c.type == "table", of_plugins, columns.c.name == "room")
    )


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
    """Keep the language of a person, in place of one before."""
    return _put(people, people.c.jid, {"jid": jid, "language": language})


def forget_oldest_languages(room: str, most: int) -> sa.Delete:
    """Leave at most ``most`` people whom only this room tells apart."""
    theirs, row = known_by(room, people.c.jid), sa.literal_column("people.rowid", sa.Integer)
    last_to_go = sa.select(row).where(theirs).order_by(row.desc()).offset(most).limit(1)
    return sa.delete(people).where(theirs, row <= last_to_go.scalar_subquery())


def known_by(room: str, person: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Compare: only this room tells the person apart (``room/...``)."""
    # Bytes are compared, and 0 comes next after the slash: a range, which an index serves.
    return sa.and_(person >= f"{room}/", person < f"{room}0")


def save_room(room: RememberedRoom) -> sa.Insert:
    """Keep a room, in place of one of the same address."""
    columns = {"jid": room.jid, "password": room.password, "invited_by": room.invited_by}
    return _put(rooms, rooms.c.jid, columns)


def note_destroyed_room(room: str) -> sa.Insert:
    """Keep that a room was destroyed."""
    return insert(destroyed_rooms).values(room=room).on_conflict_do_nothing()


def save_position(position: ArchivePosition) -> sa.Insert:
    """Keep a position, in place of the archive's one before."""
    columns = {"archive": position.archive, "last_id": position.last_id, "at": position.at}
    return _put(positions, positions.c.archive, columns | {"ahead": sorted(position.ahead)})


def save_tombstone(columns: dict[str, Any], where: sa.ColumnElement[bool]) -> sa.Insert:
    """Keep a tombstone, in place of the message's one before, if this holds."""
    values = [sa.literal(value, tombstones.c[name].type) for name, value in columns.items()]
    statement = insert(tombstones).from_select(list(columns), sa.select(*values).where(where))
    new = {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=[tombstones.c.message], set_=new)


def save_file_message(columns: dict[str, Any]) -> sa.Insert:
    """Keep a message of a file in place of the same one, if the entry is there."""
    values = [sa.literal(value, file_messages.c[name].type) for name, value in columns.items()]
    is_there = sa.exists().where(entries.c.id == columns["entry_id"])
    statement = insert(file_messages).from_select(list(columns), sa.select(*values).where(is_there))
    same = [file_messages.c.key, file_messages.c.entry_id]
    new = {name: statement.excluded[name] for name in ("author", "message")}
    return statement.on_conflict_do_update(index_elements=same, set_=new)


def save_subscription(person: str, own: str) -> sa.Insert:
    """Keep a subscription; one that is known stays in its place."""
    return insert(subscriptions).values(person=person, own=own).on_conflict_do_nothing()


def save_room_setting(columns: dict[str, Any]) -> sa.Insert:
    """Keep a setting of a room, in place of the one of the same key."""
    return _put(room_settings, tuple(room_settings.primary_key), columns)


def save_plugin_value(columns: dict[str, Any]) -> sa.Insert:
    """Keep a value of a plugin, in place of the one of the same key."""
    return _put(plugin_data, tuple(plugin_data.primary_key), columns)


def insert_unless_there(table: sa.Table) -> Insert:
    """Insert rows, but for those that break a unique index."""
    return insert(table).on_conflict_do_nothing()


class PreparedStatement:
    """Statement that is executed past SQLAlchemy, for many rows at a time.

    SQLAlchemy takes five changes of thread for a statement and 0.1 ms for a row; this takes one change.
    """

    def __init__(self, statement: sa.Select[Any] | sa.Insert, parameters: Sequence[str] = ()) -> None:
        """``parameters`` are those of each row; the statement has the others."""
        compiled = statement.compile(dialect=_NAMED, column_keys=parameters)
        self._text = str(compiled)
        self._constants = {name: compiled.params[name] for name in compiled.params.keys() - set(parameters)}
        types = {name: compiled.binds[name].type.dialect_impl(_NAMED) for name in parameters}
        processors = ((name, each.bind_processor(_NAMED)) for name, each in types.items())
        self._processors = [(name, stored) for name, stored in processors if stored is not None]

    async def all(self, connection: AsyncConnection) -> list[tuple[Any, ...]]:
        """Execute it once and return the rows."""
        return list(await (await _driver_of(connection)).execute_fetchall(self._text, self._constants))

    async def changed(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Execute it for each of these parameters; return how many rows were changed."""
        values = [self._values(row) for row in rows]
        async with (await _driver_of(connection)).executemany(self._text, values) as cursor:
            count: int = cursor.rowcount
            return count

    def _values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._constants, **row, **{name: stored(row[name]) for name, stored in self._processors}}


async def _driver_of(connection: AsyncConnection) -> Any:
    """Return the connection of the driver, aiosqlite."""
    return (await connection.get_raw_connection()).driver_connection


def _put(
    table: sa.Table, key: sa.Column[Any] | Sequence[sa.Column[Any]], columns: dict[str, Any]
) -> sa.Insert:
    """Write a whole row, in place of one of the same key."""
    statement = insert(table).values(columns)
    return statement.on_conflict_do_update(
        index_elements=[key] if isinstance(key, sa.Column) else key,
        set_={name: statement.excluded[name] for name in columns},
    )


def used_by_another_index(digest: str) -> sa.Select[Any]:
    """Search scope by scope for an entry with these bytes, without the index of digests.

    One step of an index for each scope. ``INDEXED BY`` is an error where another plan would be taken.
    """
    tables = sa.text("sums CROSS JOIN entries INDEXED BY ix_entries_scope")
    here = sa.text("kind = 'scope' AND scope = key AND digest = :digest").bindparams(digest=digest)
    return sa.select(sa.literal(1)).select_from(tables).where(here).limit(1)


def attached_by_any_index(digest: str) -> sa.Select[Any]:
    """Search for an attachment with these bytes in each of the two indexes that could tell."""
    here = sa.text("digest = :digest").bindparams(digest=digest)
    found = sa.union_all(
        *(
            sa.select(sa.literal(1)).select_from(sa.text(f"attachments INDEXED BY {index}")).where(here)
            for index in ("ix_attachments_digest", "ix_attachments_digest_size")
        )
    )
    return sa.select(found.subquery()).limit(1)


def fits_pattern(pattern: str) -> sa.ColumnElement[bool]:
    """Compare the whole folded name with a folded pattern of ``*`` and ``?``, without GLOB's sets."""
    glob = pattern.replace("[", "[[]")
    if len(glob.encode()) > _MAX_PATTERN_BYTES:
        return sa.false()  # no name is so long
    return entries.c.name_key.op("GLOB", is_comparison=True)(glob)


def contains_all(words: Collection[str]) -> sa.ColumnElement[bool]:
    """Compare: every word is in the name or the caption. One parameter, as there may be many words."""
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
    """Return the words, or parts of them, to look up in the full-text index, longest first."""
    long_enough = sorted((word for word in words if len(word) >= TRIGRAM), key=len, reverse=True)
    return [word[:_MAX_PHRASE] for word in long_enough[:_MAX_PHRASES]]


def found(
    columns: Sequence[sa.ColumnElement[Any]],
    mark: str,
    phrases: Collection[str],
    *,
    names_only: bool = False,
    before: int | None = None,
) -> sa.Select[Any]:
    """Select ``columns`` of entries with this scope's mark that hold all the phrases, newest first.

    The mark is part of the full-text query: FTS5 then skips from one row of the scope to the next
    and never reads rows of other scopes with the same words.
    """
    fields = "name_key" if names_only else "name_key caption_key"
    wanted = " AND ".join(_quoted(phrase) for phrase in phrases)
    question = f"{{{fields}}} : ({wanted}) AND mark : {_quoted(mark)}"
    statement = (
        sa.select(*columns)
        .join_from(_fts, entries, entries.c.id == _fts.c.rowid)
        .where(_fts.c.entries_fts.op("MATCH", is_comparison=True)(question))
        .order_by(_fts.c.rowid.desc())
    )
    return statement if before is None else statement.where(_fts.c.rowid < before)


def _quoted(phrase: str) -> str:
    """Quote a phrase of FTS5's query language (https://sqlite.org/fts5.html, 3.1)."""
    return '"' + phrase.replace('"', '""') + '"'
