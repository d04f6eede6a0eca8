"""Opening of a catalog in PostgreSQL: look at the server, make the tables, connect."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from filebot.catalog.catalog import SqlCatalog
from filebot.catalog.database import known_migrations, upgrade
from filebot.catalog.mapping import translated
from filebot.catalog.plugin_tables import SqlPluginTables
from filebot.catalog.postgresql import engines, tables
from filebot.catalog.postgresql.plugin_guard import PostgresGuard
from filebot.catalog.postgresql.plugin_migrations import migrate_plugin
from filebot.catalog.writer import Writer
from filebot.errors import CatalogUnavailable
from filebot.ports import Catalog

OLDEST_SERVER: Final = 13
"""Major version; pg_trgm is trusted since then, so that no superuser is needed."""

_LOCK: Final = 0x66696C65626F74
"""Key of the advisory lock that makes a second process wait for the tables."""


@asynccontextmanager
async def open_postgresql(url: sa.URL) -> AsyncIterator[Catalog]:
    """Open the catalog in a database, whose tables are made or brought up to date first.

    Raises CatalogUnavailable if the server or the database is not fit for it. Leaving the context waits for
    what is queued.
    """
    async with AsyncExitStack() as stack:
        writing = engines.writing_engine(url)
        stack.push_async_callback(writing.dispose)
        readers = engines.reading_engine(url)
        stack.push_async_callback(readers.dispose)
        with translated():
            async with writing.begin() as connection:
                await connection.run_sync(_prepare)
        writer = Writer(writing)
        of_plugins = partial(SqlPluginTables, partial(migrate_plugin, url), PostgresGuard(), writer=writer)
        catalog = SqlCatalog(readers, writer, of_plugins, _no_damage)
        stack.push_async_callback(catalog.close)
        yield catalog


def _prepare(connection: sa.Connection) -> None:
    """Make the tables, or bring them up to date. Raises CatalogUnavailable."""
    _examine(connection)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    if sa.inspect(connection).has_table("alembic_version"):
        upgrade(connection)
        return
    tables.create(connection)
    MigrationContext.configure(connection).stamp(known_migrations(), "head")


def _examine(connection: sa.Connection) -> None:
    """Raise CatalogUnavailable if the server is too old, or the database cannot hold all texts."""
    version = int(connection.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000
    if version < OLDEST_SERVER:
        raise CatalogUnavailable(
            f"PostgreSQL {version} is too old: version {OLDEST_SERVER} or newer is needed"
        )
    encoding = connection.scalar(sa.text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise CatalogUnavailable(
            f"the database has the encoding {encoding}; make one with: CREATE DATABASE ... "
            "ENCODING 'UTF8' TEMPLATE template0"
        )


async def _no_damage() -> None:
    """Return no damage: PostgreSQL examines its pages itself, and refuses those that are wrong."""
