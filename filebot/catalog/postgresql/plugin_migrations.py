"""Migrations of plugins in PostgreSQL: what they changed is compared before it is committed."""

import asyncio
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
from filebot.catalog.postgresql import engines
from filebot.catalog.postgresql.plugin_guard import used_since, uses
from filebot.errors import PluginError

_TABLES: Final = """
SELECT c.relname AS name, 'table' AS kind, c.relname AS of_table,
    string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum) AS definition
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = current_schema()::regnamespace
GROUP BY c.relname
"""
_INDEXES: Final = """
SELECT indexname, 'index', tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()
"""
_CONSTRAINTS: Final = """
SELECT 'constraint ' || c.conname || ' of ' || t.relname, 'constraint', t.relname,
    pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
WHERE c.connamespace = current_schema()::regnamespace
"""
_TRIGGERS: Final = """
SELECT 'trigger ' || g.tgname || ' of ' || t.relname, 'trigger', t.relname, pg_get_triggerdef(g.oid)
FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
WHERE NOT g.tgisinternal AND t.relnamespace = current_schema()::regnamespace
"""


def migrate_plugin(url: sa.URL, plugin: str, migrations: Path) -> None:
    """Bring the tables of a plugin up to date, or change nothing and raise PluginError. For a thread."""
    scripts_in(migrations)
    try:
        with translated(), one_migration:
            asyncio.run(_migrate(url, plugin, migrations))
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"its tables cannot be brought up to date: {in_words(error)}") from error


async def _migrate(url: sa.URL, plugin: str, migrations: Path) -> None:
    engine = engines.writing_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_examined, plugin, migrations)
    finally:
        await engine.dispose()


def _examined(connection: sa.Connection, plugin: str, migrations: Path) -> None:
    """Run the migrations. Raises PluginError if they did more than they may."""

    def refuse(_: sa.Connection) -> None:
        raise PluginError(ENDED)

    before, done = _objects(connection), uses(connection)
    is_own = ownership(connection, plugin, before)
    this = connection.scalar(sa.text("SELECT pg_current_xact_id()::text"))
    for name in ("commit", "rollback"):
        sa.event.listen(connection, name, refuse)
    try:
        run_migrations(connection, plugin, *scripts_in(migrations))
    finally:
        for name in ("commit", "rollback"):
            sa.event.remove(connection, name, refuse)
    if connection.scalar(sa.text("SELECT pg_current_xact_id()::text")) != this:
        raise PluginError(ENDED)
    for table, (_, writes) in used_since(done, uses(connection)).items():
        if writes and not is_own(table):
            raise PluginError(foreign(table, plugin))
    register(connection, plugin, is_own, before, _objects(connection))


def _objects(connection: sa.Connection) -> Objects:
    """Return kind, table and definition of each object of the schema, by name."""
    found: dict[str, tuple[str, str, str]] = {}
    for statement in (_TABLES, _INDEXES, _CONSTRAINTS, _TRIGGERS):
        for name, kind, table, definition in connection.exec_driver_sql(statement):
            found[name] = (kind, table, definition)
    return found
