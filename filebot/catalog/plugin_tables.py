"""Implementation of ``PluginTables`` on the catalog's database.

Each plugin has a version table of its own. The table ``plugin_tables`` tells whose a table is: a plugin's
migrations change its own ones only, which is checked before they are committed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog.plugin_migrations import heads, versions_of
from filebot.catalog.writer import Writer
from filebot.concurrency.tasks import settled
from filebot.errors import CatalogDamaged, CatalogUnavailable, PluginError
from filebot.model import EntryFilter

R = TypeVar("R")
Function = Callable[[Any], R]
ReadBy = Callable[[Function[Any]], Awaitable[Any]]
"""Function that calls another with a connection that reads."""


class PluginGuard(Protocol):
    """Keeper of each plugin to its own tables, within a limit of time."""

    def transaction(
        self, connection: sa.Connection, plugin: str, *, may_write: bool
    ) -> AbstractContextManager[Any]:
        """Give a plugin a transaction on a connection. Raises PluginError for what is not allowed."""

    def forget(self) -> None:
        """Look the tables of plugins up anew: a migration changes them."""


class SqlPluginTables:
    """Implements :class:`filebot.ports.PluginTables`."""

    def __init__(
        self, migrate: Callable[[str, Path], None], guard: PluginGuard, read: ReadBy, writer: Writer
    ) -> None:
        """``migrate`` brings the tables of a plugin up to date, or raises PluginError."""
        self._migrate = migrate
        self._guard = guard
        self._read = read
        self._writer = writer

    async def prepare(self, plugin: str, migrations: Path) -> None:
        # Not to be left half way: a cancelled caller waits.
        migrating = asyncio.to_thread(self._migrate, plugin, migrations)
        await settled(asyncio.create_task(migrating, name="plugin-migration"))
        self._guard.forget()

    async def is_current(self, plugin: str, migrations: Path) -> bool:
        wanted = await settled(asyncio.create_task(asyncio.to_thread(heads, migrations)))
        versions: set[str] = await self._read(lambda connection: versions_of(connection, plugin))
        return versions == wanted

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
        with self._guard.transaction(connection, plugin, may_write=may_write) as transaction:
            return function(transaction)
