"""Opening of a catalog: create the file, migrate it, connect."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine

from filebot.catalog.catalog import SqlCatalog
from filebot.catalog.mapping import translated
from filebot.catalog.plugin_migrations import one_migration
from filebot.catalog.plugin_tables import SqlPluginTables
from filebot.catalog.reserve import STEP_BYTES, DiskReserve
from filebot.catalog.sqlite import engines
from filebot.catalog.sqlite.integrity import IntegrityCheck, reading, versions
from filebot.catalog.sqlite.plugin_guard import SqliteGuard
from filebot.catalog.sqlite.plugin_migrations import migrate_plugin
from filebot.catalog.sqlite.upgrade_copy import copy_before_upgrade
from filebot.catalog.writer import Writer
from filebot.errors import CatalogUnavailable, StorageFull
from filebot.ports import Catalog

MIGRATIONS: Final = Path(__file__).parent / "migrations"

T = TypeVar("T")


@asynccontextmanager
async def open_catalog(path: Path, reserve_bytes: int = 0) -> AsyncIterator[Catalog]:
    """Open the catalog in the file at ``path``, which is made or brought up to date first.

    ``reserve_bytes`` of the disk are held in reserve for when it is full.

    Raises CatalogUnavailable if the file cannot be used, and StorageFull. Leaving the context waits for
    what is queued.
    """
    reserve = DiskReserve(path.with_suffix(".reserve"), reserve_bytes)
    await asyncio.to_thread(migrate, path, reserve)
    async with AsyncExitStack() as stack:
        readers = engines.reading_engine(path)
        stack.push_async_callback(readers.dispose)
        writing = engines.writing_engine(path)
        stack.push_async_callback(writing.dispose)
        with translated():
            await _connect(readers, engines.READERS)
            await _connect(writing, 1)
            # Its files beside the database take what they need first.
            await asyncio.to_thread(reserve.fill)
        writer = Writer(writing, reserve)
        tables = partial(SqlPluginTables, partial(migrate_plugin, path), SqliteGuard(), writer=writer)
        catalog = SqlCatalog(readers, writer, tables, partial(_damage, path))
        stack.push_async_callback(catalog.close)
        yield catalog


async def _damage(path: Path) -> str | None:
    """Return a damage of the file in words, or None."""
    examination = IntegrityCheck(path)
    try:
        with translated():
            return await asyncio.to_thread(examination.run)
    except asyncio.CancelledError:
        examination.stop()
        raise


async def _connect(engine: AsyncEngine, count: int) -> None:
    """Open all connections of a pool: later there may be no file descriptor left for one."""
    async with AsyncExitStack() as opened:
        for _ in range(count):
            await opened.enter_async_context(engine.connect())


def migrate(path: Path, reserve: DiskReserve | None = None) -> None:
    """Make the catalog, or copy it and bring it up to date, on a full disk with what the reserve has.

    A copy gets nothing of the reserve. Raises CatalogUnavailable if it is of a newer filebot, and
    StorageFull.
    """
    head = _with_reserve(reserve, lambda: _upgraded_to(path))
    if head is not None:
        with translated():
            copy_before_upgrade(path, head)
    _with_reserve(reserve, lambda: _upgrade(path))


def known_migrations() -> ScriptDirectory:
    """Return the migrations that this filebot has."""
    return ScriptDirectory.from_config(_alembic())


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _with_reserve(reserve: DiskReserve | None, work: Callable[[], T]) -> T:
    """Do some work on the catalog, again with more of the reserve as long as the disk is full."""
    step = STEP_BYTES
    while True:
        try:
            with translated():
                return work()
        except StorageFull:
            if reserve is None or not reserve.give_up(step):
                raise
            step *= 2


def _upgraded_to(path: Path) -> str | None:
    """Return the version that an older catalog is going to have, or None.

    An empty file is made if there is none. Even reading takes space, for files beside the database.
    """
    engines.create_file(path)
    script = known_migrations()
    head, older = script.get_current_head(), {each.revision for each in script.walk_revisions()}
    with closing(reading(path)) as connection:
        here = versions(connection)
    return head if head is not None and here and here <= older - {head} else None


def _upgrade(path: Path) -> None:
    with engines.migrating_engine(path).begin() as connection:
        upgrade(connection)


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables up to date, in the transaction of the connection: all of it or nothing.

    Raises CatalogUnavailable if they are of a newer filebot.
    """
    config = _alembic()
    config.attributes["connection"] = connection
    with one_migration:
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise CatalogUnavailable(f"the catalog is of a newer filebot: {error}") from error
