"""Migrations of plugins, by Alembic, each plugin's with a version table of its own."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import Script, ScriptDirectory

from filebot.catalog.schema import ADOPTED, plugin_tables
from filebot.errors import PluginError

ENDED: Final = "its migrations end the transaction in which they run, or leave its bounds"

Objects = Mapping[str, tuple[str, str, str]]
"""Kind, table and definition of each object of a database, by name."""

# Alembic keeps the migration at work in a module's globals.
one_migration: Final = threading.Lock()


def scripts_in(migrations: Path) -> tuple[ScriptDirectory, list[Script]]:
    """Return the migrations of a folder. Raises PluginError."""
    try:
        script = ScriptDirectory(str(migrations), version_locations=[str(migrations)])
        revisions = [*script.walk_revisions()]
    except (Exception, SystemExit) as error:
        raise PluginError(f"its migrations in {migrations} cannot be read: {in_words(error)}") from error
    if len(script.get_heads()) != 1:
        raise PluginError(f"its migrations in {migrations} have {len(script.get_heads())} heads; join them")
    return script, revisions


def heads(migrations: Path) -> set[str]:
    """Return the version that the migrations of a folder lead to. Raises PluginError."""
    return {*scripts_in(migrations)[0].get_heads()}


def versions_of(connection: sa.Connection, plugin: str) -> set[str]:
    """Return the version of a plugin's tables; nothing if it has none."""
    table = version_table(plugin)
    if not sa.inspect(connection).has_table(table):
        return set()
    return {*connection.scalars(sa.select(sa.column("version_num")).select_from(sa.table(table)))}


def version_table(plugin: str) -> str:
    """Return the name of the table that tells the version of a plugin's tables."""
    return f"alembic_version_{plugin}"


def run_migrations(
    connection: sa.Connection, plugin: str, script: ScriptDirectory, revisions: Iterable[Script]
) -> None:
    """Run the migrations that are missing. Raises PluginError if the tables are of a newer version."""

    def steps(here: tuple[str, ...], _: object) -> list[MigrationStep]:
        if newer := sorted(set(here) - {each.revision for each in revisions}):
            raise PluginError(f"its tables are of a newer version of it ({newer[0]:.20}); install that one")
        missing = [*script.iterate_revisions("heads", here or "base")]
        return [MigrationStep.upgrade_from_script(script.revision_map, each) for each in reversed(missing)]

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, version_table=version_table(plugin))
        environment.run_migrations()


def ownership(connection: sa.Connection, plugin: str, before: Collection[str]) -> Callable[[str], bool]:
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


def foreign(table: str | None, plugin: str) -> str:
    """Return the reason why migrations that change this table are refused."""
    return f"its migrations change {table}, which is not its own; its tables begin with {plugin}_"


def register(
    connection: sa.Connection,
    plugin: str,
    is_own: Callable[[str], bool],
    before: Objects,
    after: Objects,
) -> None:
    """Note the tables that are the plugin's now. Raises PluginError if those of others were changed."""
    for name in sorted({*before, *after}):
        _, table, _ = after.get(name) or before[name]
        if before.get(name) != after.get(name) and not is_own(table):
            raise PluginError(foreign(table, plugin))
    for table in sorted({table for _, table, _ in after.values() if is_own(table)}):
        for key in sa.inspect(connection).get_foreign_keys(table):
            on_delete = str(key["options"].get("ondelete", "")).upper()
            if not is_own(key["referred_table"]) and on_delete not in {"CASCADE", "SET NULL"}:
                raise PluginError(
                    f"the key of its table {table} to {key['referred_table']} would keep files from being "
                    'removed; write ondelete="CASCADE"'
                )
    kept = {table for kind, table, _ in after.values() if kind in {"table", "view"} and is_own(table)}
    connection.execute(sa.delete(plugin_tables).where(plugin_tables.c.plugin == plugin))
    if kept:
        connection.execute(
            sa.insert(plugin_tables), [{"name": name, "plugin": plugin} for name in sorted(kept)]
        )


def in_words(error: BaseException) -> str:
    """Return the class and the beginning of the text of an error."""
    # The text of SQLAlchemy's errors has the statement, too.
    words = str(getattr(error, "orig", None) or error).split()
    return f"{type(error).__name__}: {' '.join(words)[:300]}".rstrip(": ")
