"""A plugin's own tables in the catalog's database."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from filebot.model import EntryFilter
from filebot.plugin.handlers import computing
from filebot.ports import PluginTables

R = TypeVar("R")


class PluginDatabase:
    """The tables of a plugin, for functions that are given a transaction of SQLAlchemy Core.

    They have its ``execute``, ``scalar`` and ``scalars``, are no coroutines, and do nothing but compute and
    execute statements: others wait meanwhile. All methods raise StorageError, and what the function raises;
    PluginError for other tables than the plugin's, for wrong statements, and after five seconds.
    """

    def __init__(self, tables: PluginTables, plugin: str) -> None:
        self._tables = tables
        self._plugin = plugin

    async def read(self, function: Callable[[Any], R]) -> R:
        """Call ``function`` with what was committed last; return what it returns: rows, not a cursor."""
        return await self._tables.read(self._plugin, _plain(function))

    async def write(self, function: Callable[[Any], R], *, urgent: bool = False) -> R:
        """Call ``function`` in a transaction of the catalog; return what it returns, once it is durable.

        If it raises, nothing of it is kept. It may be called a second time, so it changes tables only. An
        ``urgent`` one works on a full disk, too, with space that is reserved for this: for small changes
        after which something is removed, or that people must be able to make at any time.
        """
        return await self._tables.write(self._plugin, _plain(function), urgent=urgent)

    async def having(self, statement: Any) -> EntryFilter:
        """Return a condition for :meth:`Plugin.filter`: entries whose ids are in this SELECT of one column.

        An index on the columns that it asks for, with the id behind them, keeps it quick. Raises
        PluginError for anything else than a SELECT of one column, and what SQLAlchemy raises for a wrong
        one.
        """
        return await self._tables.having(self._plugin, statement)


def _plain(function: Callable[[Any], R]) -> Callable[[Any], R]:
    if inspect.iscoroutinefunction(function):
        raise TypeError("a function that is given a transaction is no coroutine; write def, not async def")
    return computing(function)
