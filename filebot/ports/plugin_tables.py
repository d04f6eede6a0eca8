"""Tables of plugins in the catalog."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from filebot.model import EntryFilter

R = TypeVar("R")

Transaction = Any
"""Has ``execute``, ``scalar`` and ``scalars`` of SQLAlchemy's Connection."""


class PluginTables(Protocol):
    """Tables that plugins have in the catalog's database, made by their own migrations.

    Keeps and raises as :class:`Catalog`; what SQLAlchemy raises for a wrong statement stays as it is.
    """

    async def prepare(self, plugin: str, migrations: Path) -> None:
        """Bring the tables of a plugin up to date, by the Alembic migrations in a folder.

        All of them are one transaction. Raises PluginError if they cannot be used: they fail, touch a table
        that is not the plugin's, or the tables are of a newer version of it. Nothing is changed then.
        """

    async def is_current(self, plugin: str, migrations: Path) -> bool:
        """Return whether no migration of a folder is left to run. Raises PluginError if there are none."""

    async def read(self, plugin: str, function: Callable[[Transaction], R]) -> R:
        """Call ``function`` with the last commit, and return what it returns.

        It sees the tables of its plugin alone. Raises PluginError, which names the plugin, for any other
        table, a wrong statement, and a function that takes longer than a few seconds.
        """

    async def write(self, plugin: str, function: Callable[[Transaction], R], *, urgent: bool = False) -> R:
        """Call ``function`` in a transaction, and return what it returns, once that is durable.

        Nothing of it is kept if it raises. It may be called more than once. An ``urgent`` one may use the
        space that is reserved for a full disk. Raises as :meth:`read`.
        """

    async def having(self, plugin: str, statement: Any) -> EntryFilter:
        """Return a condition: the ids of entries are among those that a SELECT of one column selects.

        Raises PluginError if it is none, or cannot be executed.
        """
