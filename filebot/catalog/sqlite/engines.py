"""File of a catalog in SQLite, and the connections to it."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool

from filebot.catalog.sqlite.integrity import BUSY_TIMEOUT_S

READERS: Final = 4

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S:.0f}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8000",
    # Temporary tables stay in memory, so that a full disk makes no statement fail for them.
    "PRAGMA temp_store = MEMORY",
)


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
