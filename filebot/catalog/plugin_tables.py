"""Implementation of ``PluginTables`` on the catalog's database.

Each plugin has a version table of its own. The table ``plugin_tables`` tells whose a table is: a plugin's
migrations change its own ones only, which is checked before they are committed.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import Script, ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog.mapping import translated
from filebot.catalog.schema import ADOPTED, plugin_tables
from filebot.catalog.sqlite import engines
from filebot.catalog.sqlite.plugin_guard import OwnTables, guarded
from filebot.catalog.writer import Writer
from filebot.concurrency.tasks import settled
from filebot.errors import CatalogDamaged, CatalogUnavailable, PluginError
from filebot.model import EntryFilter

R = TypeVar("R")
Function = Callable[[Any], R]

_ROW_CHANGES: Final = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_ENDS: Final = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_QUESTIONS: Final = frozenset(
    {
        *("table_info", "table_xinfo", "table_list", "foreign_key_list", "foreign_key_check"),
        *("index_list", "index_info", "index_xinfo"),
    }
)
"""PRAGMAs that change nothing."""

_ENDED: Final = "its migrations end the transaction in which they run, or leave its bounds"

# Alembic keeps the migration at work in a module's globals.
one_migration: Final = threading.Lock()


class SqlPluginTables:
    """Implements :class:`filebot.ports.PluginTables`."""

    def __init__(self, path: Path, read: Callable[[Function[Any]], Awaitable[Any]], writer: Writer) -> None:
        """``read`` calls a function with a connection that reads."""
        self._path = path
        self._read = read
        self._writer = writer
        self._own: dict[str, OwnTables] = {}
        """Tables of the plugins that have asked."""

    async def prepare(self, plugin: str, migrations: Path) -> None:
        # Not to be left half way: a cancelled caller waits.
        migrating = asyncio.to_thread(migrate_plugin, self._path, plugin, migrations)
        await settled(asyncio.create_task(migrating, name="plugin-migration"))
        self._own.clear()

    async def is_current(self, plugin: str, migrations: Path) -> bool:
        heads = await settled(asyncio.create_task(asyncio.to_thread(_heads, migrations)))
        versions: set[str] = await self._read(lambda connection: _versions(connection, plugin))
        return versions == heads

    async def read(self, plugin: str, function: Function[R]) -> R:
        result: R = await self._read(lambda it: self._call(it, plugin, function, may_write=False))
        return result

    async def write(self, plugin: str, function: Function[R], *, urgent: bool = False) -> R:
        return await self._writer.run(self._change, (plugin, function), urgent=urgent)

    async def having(self, plugin: str, statement: Any) -> EntryFilter:
        if not isinstance(statement, sa.Select | sa.CompoundSelect) or len(statement.selected_columns) != 1:
            raise PluginError(f"plugin {plugin!r} has no condition; give a select of one column, of ids")
        # A mistake in it is told to its author here, not in the search that uses it.
        try:
            await self.read(plugin, lambda transaction: transaction.execute(statement.limit(0)).all())
        except CatalogDamaged:
            raise
        except CatalogUnavailable as error:
            raise PluginError(f"the condition of plugin {plugin!r} fails: {error}") from error
        return EntryFilter(plugin, statement=statement)

    async def _change(
        self, connection: AsyncConnection, calls: Sequence[tuple[str, Function[Any]]]
    ) -> list[Any]:
        return [
            await connection.run_sync(partial(self._call, plugin=plugin, function=function, may_write=True))
            for plugin, function in calls
        ]

    def _call(self, connection: sa.Connection, plugin: str, function: Function[R], *, may_write: bool) -> R:
        if plugin not in self._own:
            self._own[plugin] = OwnTables.of(connection, plugin)
        with guarded(connection, plugin, self._own[plugin], may_write=may_write) as transaction:
            return function(transaction)


def _scripts(migrations: Path) -> tuple[ScriptDirectory, list[Script]]:
    """Return the migrations of a folder. Raises PluginError."""
    try:
        script = ScriptDirectory(str(migrations), version_locations=[str(migrations)])
        revisions = [*script.walk_revisions()]
    except (Exception, SystemExit) as error:
        raise PluginError(f"its migrations in {migrations} cannot be read: {_named(error)}") from error
    if len(script.get_heads()) != 1:
        raise PluginError(f"its migrations in {migrations} have {len(script.get_heads())} heads; join them")
    return script, revisions


def _heads(migrations: Path) -> set[str]:
    return {*_scripts(migrations)[0].get_heads()}


def _versions(connection: sa.Connection, plugin: str) -> set[str]:
    """Return the version of a plugin's tables; nothing if it has none."""
    table = version_table(plugin)
    if not sa.inspect(connection).has_table(table):
        return set()
    return {*connection.scalars(sa.select(sa.column("version_num")).select_from(sa.table(table)))}


def migrate_plugin(path: Path, plugin: str, migrations: Path) -> None:
    """Bring the tables of a plugin up to date, or change nothing and raise PluginError."""
    script, revisions = _scripts(migrations)
    try:
        with translated(), one_migration, engines.migrating_engine(path).begin() as connection:
            before = _objects(connection)
            is_own = _ownership(connection, plugin, before)
            with _restricted(connection, plugin, is_own):
                _upgrade(connection, plugin, script, revisions)
            _register(connection, plugin, is_own, before, _objects(connection))
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"its tables cannot be brought up to date: {_named(error)}") from error


def version_table(plugin: str) -> str:
    """Return the name of the table that tells the version of a plugin's tables."""
    return f"alembic_version_{plugin}"


def _upgrade(
    connection: sa.Connection, plugin: str, script: ScriptDirectory, revisions: Iterable[Script]
) -> None:
    def steps(here: tuple[str, ...], _: object) -> list[MigrationStep]:
        if newer := sorted(set(here) - {each.revision for each in revisions}):
            raise PluginError(f"its tables are of a newer version of it ({newer[0]:.20}); install that one")
        missing = [*script.iterate_revisions("heads", here or "base")]
        return [MigrationStep.upgrade_from_script(script.revision_map, each) for each in reversed(missing)]

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, version_table=version_table(plugin))
        environment.run_migrations()


def _ownership(connection: sa.Connection, plugin: str, before: Collection[str]) -> Callable[[str], bool]:
    """Return a function that tells whether a table is the plugin's, or may become that.

    ``before`` has the names of what there is.
    """
    rows = connection.execute(sa.select(plugin_tables.c.name, plugin_tables.c.plugin)).all()
    owners: dict[str, str] = {row.name: row.plugin for row in rows}

    def is_own(table: str) -> bool:
        if table in before:
            return owners.get(table, ADOPTED.get(table)) == plugin
        return table.startswith(f"{plugin}_") or table == version_table(plugin)

    return is_own


def _foreign(table: str | None, plugin: str) -> str:
    return f"its migrations change {table}, which is not its own; its tables begin with {plugin}_"


class _Authorizer:
    """Authorizer of SQLite for the migrations of a plugin; it notes what it refuses."""

    def __init__(self, plugin: str, is_own: Callable[[str], bool]) -> None:
        self.refused: list[str] = []
        self._plugin = plugin
        self._is_own = is_own

    def __call__(self, action: int, name: str | None, *_: str | None) -> int:
        if action in _ROW_CHANGES and not self._may_write(name or ""):
            self.refused.append(_foreign(name, self._plugin))
        elif action in _ENDS or (action == sqlite3.SQLITE_PRAGMA and name not in _QUESTIONS):
            self.refused.append(_ENDED)
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
        raise PluginError(_ENDED)

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


def _objects(connection: sa.Connection) -> dict[str, tuple[str, str, str]]:
    """Return type, table and SQL of each object of the database, by name."""
    rows = connection.exec_driver_sql(
        "SELECT name, type, tbl_name, coalesce(sql, '') FROM sqlite_master"
        " WHERE substr(name, 1, 7) <> 'sqlite_'"
    )
    return {name: (kind, table, sql) for name, kind, table, sql in rows}


def _register(
    connection: sa.Connection,
    plugin: str,
    is_own: Callable[[str], bool],
    before: Mapping[str, tuple[str, str, str]],
    after: Mapping[str, tuple[str, str, str]],
) -> None:
    """Note the tables that are the plugin's now. Raises PluginError if those of others were changed."""
    for name in sorted({*before, *after}):
        _, table, _ = after.get(name) or before[name]
        if before.get(name) != after.get(name) and not is_own(table):
            raise PluginError(_foreign(table, plugin))
    for table in sorted({table for _, table, _ in after.values() if is_own(table)}):
        for key in connection.exec_driver_sql(f'PRAGMA foreign_key_list("{table}")'):
            if not is_own(key.table) and key.on_delete not in {"CASCADE", "SET NULL"}:
                raise PluginError(
                    f"the key of its table {table} to {key.table} would keep files from being removed; "
                    'write ondelete="CASCADE"'
                )
    kept = {table for kind, table, _ in after.values() if kind in {"table", "view"} and is_own(table)}
    connection.execute(sa.delete(plugin_tables).where(plugin_tables.c.plugin == plugin))
    if kept:
        connection.execute(
            sa.insert(plugin_tables), [{"name": name, "plugin": plugin} for name in sorted(kept)]
        )


def _named(error: BaseException) -> str:
    # The text of SQLAlchemy's errors has the statement, too.
    words = str(getattr(error, "orig", None) or error).split()
    return f"{type(error).__name__}: {' '.join(words)[:300]}".rstrip(": ")
