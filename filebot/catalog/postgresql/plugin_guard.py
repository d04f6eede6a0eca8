"""Guard of a plugin's statements: they see and change the plugin's own tables, within a limit of time.

PostgreSQL counts, for each transaction, what was read and changed in which table. The counts are compared
before and after a plugin's function: one that used other tables has its result thrown away and, if it
wrote, its transaction rolled back.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc

from filebot.catalog.plugin_transaction import LIMIT_S, Deadline, SqlTransaction
from filebot.catalog.schema import plugin_tables
from filebot.errors import PluginError

_USES: Final = sa.text(
    "SELECT relname, seq_scan + coalesce(idx_scan, 0) AS reads, n_tup_ins + n_tup_upd + n_tup_del AS writes"
    " FROM pg_stat_xact_user_tables WHERE schemaname = current_schema()"
)
_RELATIONS: Final = sa.text(
    "SELECT virtualtransaction, (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_class"
    " WHERE xmin::text::bigint = pg_current_xact_id_if_assigned()::text::bigint % 4294967296)"
    " FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'virtualxid'"
)
"""The transaction, how many tables and indexes there are, and how many it has made or altered."""

_CANCELLED: Final = "57014"
_OWN_MISTAKES: Final = ("21", "22", "25", "42", "0A")
"""Classes of errors that are no fault of the database: no such table, bad SQL, a wrong value."""

Uses = Mapping[str, tuple[int, int]]
"""Scans and changed rows of each table in this transaction."""


class PostgresGuard:
    """Implements :class:`filebot.catalog.plugin_tables.PluginGuard`."""

    def __init__(self) -> None:
        self._own: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        """Tables of the plugins that have asked, and tables that their keys refer to."""

    def forget(self) -> None:
        self._own.clear()

    @contextmanager
    def transaction(
        self, connection: sa.Connection, plugin: str, *, may_write: bool
    ) -> Iterator[SqlTransaction]:
        if not may_write:
            connection.execution_options(isolation_level="REPEATABLE READ")
        if plugin not in self._own:
            self._own[plugin] = _tables_of(connection, plugin)
        own, referred = self._own[plugin]
        deadline, before, relations = Deadline(plugin), uses(connection), _relations(connection)
        try:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {LIMIT_S * 1000:.0f}")
            yield SqlTransaction(connection, deadline.examine)
            deadline.examine()
            connection.exec_driver_sql("SET LOCAL statement_timeout = DEFAULT")
            after, relations_after = uses(connection), _relations(connection)
        except exc.DBAPIError as error:
            mistake = _mistake(plugin, error, deadline)
            if mistake is None:
                raise
            raise mistake from error
        if relations_after != relations:
            raise PluginError(
                f"plugin {plugin!r} does more in ctx.db than select, insert, update and delete"
            )
        for table, (reads, writes) in used_since(before, after).items():
            if table not in own and (writes or (reads and table not in referred)):
                raise PluginError(f"plugin {plugin!r} uses {table}, which is not a table of its own")


def _relations(connection: sa.Connection) -> tuple[Any, ...]:
    """Return what changes if a statement defines something, or ends the transaction."""
    return tuple(connection.execute(_RELATIONS).one())


def uses(connection: sa.Connection) -> Uses:
    """Return what was done in this transaction so far."""
    return {row.relname: (row.reads, row.writes) for row in connection.execute(_USES)}


def used_since(before: Uses, after: Uses) -> Uses:
    """Return what was done between two looks, for each table that was used."""
    done = {}
    for table, (reads, writes) in after.items():
        reads_before, writes_before = before.get(table, (0, 0))
        if (reads, writes) != (reads_before, writes_before):
            done[table] = reads - reads_before, writes - writes_before
    return done


def _tables_of(connection: sa.Connection, plugin: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tables of a plugin, and those that their keys refer to."""
    own = sa.select(plugin_tables.c.name).where(plugin_tables.c.plugin == plugin)
    names = frozenset(connection.scalars(own))
    inspector = sa.inspect(connection)
    keys = (key for name in names for key in inspector.get_foreign_keys(name))
    return names, frozenset(key["referred_table"] for key in keys)


def _mistake(plugin: str, error: exc.DBAPIError, deadline: Deadline) -> PluginError | None:
    """Return an error that is the plugin's mistake; None for any other."""
    state = str(getattr(error.orig, "sqlstate", ""))
    if state == _CANCELLED or deadline.is_over:
        return deadline.error()
    if not state.startswith(_OWN_MISTAKES):
        return None
    if state.startswith("25006"):
        return PluginError(f"plugin {plugin!r} changes a table in ctx.db.read; write ctx.db.write")
    return PluginError(f"plugin {plugin!r} failed in ctx.db: {error.orig}")
