"""Guard of a plugin's statements: they see and change the plugin's own tables, within a limit of time.

SQLite asks an authorizer about each table when it compiles a statement, and calls a handler now and then
while it executes one. Both stand on a connection that others use as well, so they are taken off again.
"""

import sqlite3
from collections.abc import Awaitable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.util import await_only

from filebot.catalog.plugin_transaction import Deadline, SqlTransaction
from filebot.catalog.schema import plugin_tables
from filebot.errors import PluginError

STEPS: Final = 50_000
"""Instructions of SQLite between two looks at the clock, some milliseconds."""

_CHANGES: Final = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_ALWAYS: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_OWN_MISTAKES: Final = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_INTERRUPT})
"""Errors that are no fault of the database: no such table, bad SQL, and what is stopped here."""


@dataclass(frozen=True, slots=True)
class OwnTables:
    """Tables of a plugin, and what they refer to."""

    names: frozenset[str]
    referred: frozenset[tuple[str, str]]
    """Tables and columns of its foreign keys, which SQLite reads to check a row."""
    others: frozenset[str]
    """All other tables: what is none is a part of a statement that has a name."""

    @classmethod
    def of(cls, connection: sa.Connection, plugin: str) -> Self:
        """Look a plugin's tables up."""
        own = sa.select(plugin_tables.c.name).where(plugin_tables.c.plugin == plugin)
        names = frozenset(connection.scalars(own))
        keys = [
            key
            for name in names
            for key in connection.exec_driver_sql(f'PRAGMA foreign_key_list("{name}")')
        ]
        everything = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars()
        others = frozenset({*everything, "sqlite_master", "sqlite_schema"}) - names
        return cls(names, frozenset((key.table, key.to or "id") for key in keys), others)


class _Guard:
    """Authorizer and clock of one call."""

    def __init__(self, plugin: str, tables: OwnTables, *, may_write: bool) -> None:
        self._plugin = plugin
        self._tables = tables
        self._may_write = may_write
        self._deadline = Deadline(plugin)
        self._refused = ""
        self._was_stopped = False

    def authorize(self, action: int, name: str | None, detail: str | None, *_: str | None) -> int:
        """Answer SQLite whether a statement may do something; ``detail`` is the column that is read."""
        own = name in self._tables.names
        if action in _ALWAYS or (action == sqlite3.SQLITE_READ and self._may_read(name, detail)):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA and name == "data_version":  # full-text search asks for it
            return sqlite3.SQLITE_OK
        if action in _CHANGES and own:
            if self._may_write:
                return sqlite3.SQLITE_OK
            self._refused = f"changes {name} in ctx.db.read; write ctx.db.write"
        elif (action in _CHANGES and name != "sqlite_master") or action == sqlite3.SQLITE_READ:
            self._refused = f"uses {name}, which is not a table of its own"
        else:
            self._refused = "does more in ctx.db than select, insert, update and delete"
        return sqlite3.SQLITE_DENY

    def _may_read(self, table: str | None, column: str | None) -> bool:
        tables = self._tables
        return table not in tables.others or (table, column) in tables.referred

    def stops(self) -> bool:
        """Tell SQLite whether to end the statement."""
        self._was_stopped |= self._deadline.is_over
        return self._was_stopped

    def examine_time(self) -> None:
        """Raise PluginError if the time is over."""
        if self.stops():
            raise self._deadline.error()

    def error_of(self, error: exc.DBAPIError) -> PluginError | None:
        """Return an error that is the plugin's mistake; None for any other."""
        if getattr(error.orig, "sqlite_errorcode", None) not in _OWN_MISTAKES:
            return None
        if self._was_stopped:
            return self._deadline.error()
        return PluginError(f"plugin {self._plugin!r} {self._refused or f'failed in ctx.db: {error.orig}'}")


@contextmanager
def guarded(
    connection: sa.Connection, plugin: str, tables: OwnTables, *, may_write: bool
) -> Iterator[SqlTransaction]:
    """Give a plugin a transaction on a connection of the database.

    Raises PluginError for a statement that is wrong or not allowed, and when the time is over, also if the
    plugin caught that: SQLite has then rolled the transaction back by itself.
    """
    guard = _Guard(plugin, tables, may_write=may_write)
    driver: Any = connection.connection.driver_connection
    _await(driver.set_authorizer(guard.authorize))
    _await(driver.set_progress_handler(guard.stops, STEPS))
    try:
        yield SqlTransaction(connection, guard.examine_time)
    except exc.DBAPIError as error:
        mistake = guard.error_of(error)
        if mistake is None:
            raise
        raise mistake from error
    finally:
        _await(driver.set_progress_handler(None, 0))
        _await(driver.set_authorizer(None))
    guard.examine_time()


class SqliteGuard:
    """Implements :class:`filebot.catalog.plugin_tables.PluginGuard`."""

    def __init__(self) -> None:
        self._own: dict[str, OwnTables] = {}
        """Tables of the plugins that have asked."""

    def transaction(
        self, connection: sa.Connection, plugin: str, *, may_write: bool
    ) -> AbstractContextManager[SqlTransaction]:
        if plugin not in self._own:
            self._own[plugin] = OwnTables.of(connection, plugin)
        return guarded(connection, plugin, self._own[plugin], may_write=may_write)

    def forget(self) -> None:
        self._own.clear()


def _await(result: Awaitable[None] | None) -> None:
    """Await what a driver returned, if it is one with coroutines."""
    if result is not None:
        await_only(result)
