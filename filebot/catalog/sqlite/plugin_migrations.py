"""Migrations of plugins in SQLite, which asks an authorizer about each thing that they do."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from filebot.catalog.mapping import translated
from filebot.catalog.plugin_migrations import (
    ENDED,
    Objects,
    foreign,
    in_words,
    one_migration,
    ownership,
    register,
    run_migrations,
    scripts_in,
)
from filebot.catalog.sqlite import engines
from filebot.errors import PluginError

_ROW_CHANGES: Final = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_ENDS: Final = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_QUESTIONS: Final = frozenset(
    {
        *("table_info", "table_xinfo", "table_list", "foreign_key_list", "foreign_key_check"),
        *("index_list", "index_info", "index_xinfo"),
    }
)
"""PRAGMAs that change nothing."""


def migrate_plugin(path: Path, plugin: str, migrations: Path) -> None:
    """Bring the tables of a plugin up to date, or change nothing and raise PluginError."""
    script, revisions = scripts_in(migrations)
    try:
        with translated(), one_migration, engines.migrating_engine(path).begin() as connection:
            before = _objects(connection)
            is_own = ownership(connection, plugin, before)
            with _restricted(connection, plugin, is_own):
                run_migrations(connection, plugin, script, revisions)
            register(connection, plugin, is_own, before, _objects(connection))
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"its tables cannot be brought up to date: {in_words(error)}") from error


class _Authorizer:
    """Authorizer of SQLite for the migrations of a plugin; it notes what it refuses."""

    def __init__(self, plugin: str, is_own: Callable[[str], bool]) -> None:
        self.refused: list[str] = []
        self._plugin = plugin
        self._is_own = is_own

    def __call__(self, action: int, name: str | None, *_: str | None) -> int:
        if action in _ROW_CHANGES and not self._may_write(name or ""):
            self.refused.append(foreign(name, self._plugin))
        elif action in _ENDS or (action == sqlite3.SQLITE_PRAGMA and name not in _QUESTIONS):
            self.refused.append(ENDED)
        else:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _may_write(self, table: str) -> bool:
        # SQLite's own tables change with each definition; Alembic copies a table under another name.
        return table.startswith("sqlite_") or self._is_own(table.removeprefix("_alembic_tmp_"))


@contextmanager
def _restricted(connection: sa.Connection, plugin: str, is_own: Callable[[str], bool]) -> Iterator[None]:
    """Let SQLite refuse statements that change rows of other tables, or that end the transaction.

    Raises PluginError for such a statement, also if the migration caught its error.
    """

    def refuse(_: sa.Connection) -> None:
        raise PluginError(ENDED)

    authorizer, driver = _Authorizer(plugin, is_own), connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine is SQLite's
    driver.set_authorizer(authorizer)
    for name in ("commit", "rollback"):
        sa.event.listen(connection, name, refuse)
    try:
        yield
    except Exception as error:
        if authorizer.refused:
            raise PluginError(authorizer.refused[0]) from error
        raise
    finally:
        for name in ("commit", "rollback"):
            sa.event.remove(connection, name, refuse)
        driver.set_authorizer(None)
    if authorizer.refused:
        raise PluginError(authorizer.refused[0])


def _objects(connection: sa.Connection) -> Objects:
    """Return type, table and SQL of each object of the database, by name."""
    rows = connection.exec_driver_sql(
        "SELECT name, type, tbl_name, coalesce(sql, '') FROM sqlite_master"
        " WHERE substr(name, 1, 7) <> 'sqlite_'"
    )
    return {name: (kind, table, sql) for name, kind, table, sql in rows}
