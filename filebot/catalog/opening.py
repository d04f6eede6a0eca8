"""From a path to an open catalog: create the file, migrate it, connect."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine

from filebot.catalog import sqlite
from filebot.catalog.failures import translated
from filebot.catalog.sql import SqlCatalog
from filebot.catalog.writer import Writer
from filebot.errors import CatalogUnavailable
from filebot.ports import Catalog

MIGRATIONS: Final = Path(__file__).parent / "migrations"

# Alembic keeps the migration at work in a module's globals.
_one_migration = threading.Lock()


@asynccontextmanager
async def open_catalog(path: Path) -> AsyncIterator[Catalog]:
    """The catalog in the file at ``path``, made or brought up to date first.

    Raises CatalogUnavailable if the file cannot be used. Leaving the context waits for what is queued.
    """
    with translated():
        await asyncio.to_thread(_prepare, path)
    async with AsyncExitStack() as stack:
        readers = sqlite.reading_engine(path)
        stack.push_async_callback(readers.dispose)
        writing = sqlite.writing_engine(path)
        stack.push_async_callback(writing.dispose)
        with translated():
            await _connect(readers, sqlite.READERS)
            await _connect(writing, 1)
        catalog = SqlCatalog(readers, Writer(writing))
        stack.push_async_callback(catalog.close)
        yield catalog


async def _connect(engine: AsyncEngine, count: int) -> None:
    """Open all connections of a pool: later there may be no file descriptor left for one."""
    async with AsyncExitStack() as opened:
        for _ in range(count):
            await opened.enter_async_context(engine.connect())


def _prepare(path: Path) -> None:
    sqlite.create_file(path)
    engine = sqlite.migrating_engine(path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    # One transaction around it all: a migration that fails leaves the database as it was.
    with _one_migration, engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise CatalogUnavailable(f"the catalog is of a newer filebot: {error}") from error
