"""Rows of one plugin in the catalog, loaded or not: to count them, and to remove them, without asyncio."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filebot.catalog.mapping import translated
from filebot.catalog.plugin_migrations import version_table
from filebot.catalog.schema import ADOPTED, REFUSALS
from filebot.catalog.sqlite.inspection import writing
from filebot.catalog.sqlite.integrity import reading, versions
from filebot.errors import PluginError

_VERSION_TABLE: Final = version_table("")
_BY_PLUGIN: Final = ("plugin_data", "room_settings", "attachments", "jobs")
"""Tables of the core with a column ``plugin``."""

_IS_DETAILS: Final = "owner_kind = 'entry' AND key = 'details'"

_CONSENTED: Final = (
    "SELECT room FROM room_settings AS own WHERE plugin = ? AND consent AND value = 'true' AND NOT EXISTS"
    " (SELECT 1 FROM room_settings AS other WHERE other.room = own.room AND other.plugin <> own.plugin"
    " AND other.consent AND other.value = 'true')"
)
"""Rooms whose history is read by the consent to this plugin alone."""


@dataclass(frozen=True, slots=True)
class PluginHoldings:
    """Counts of what the catalog holds of a plugin."""

    values: Mapping[str, int]
    """Values by key, by the kind of their owner."""
    details: int
    """Values that are details of files, for all plugins to read."""
    value_bytes: int
    room_settings: int
    jobs: int
    attachments: int
    attached_bytes: int
    tables: Mapping[str, int]
    """Rows of its own tables."""
    refusals: Mapping[str, int]
    """Rows of its tables that a purge leaves."""
    version: str
    """That of its migrations; empty if none has run."""

    @property
    def is_empty(self) -> bool:
        """Whether a purge would change nothing."""
        if self.values or self.room_settings or self.jobs or self.attachments:
            return False
        return not any(self.tables.values()) if self.refusals else not (self.tables or self.version)


def plugins_in(path: Path) -> list[str]:
    """Return the names of all plugins of which a catalog holds something. Raises StorageError."""
    with _reading(path) as connection:
        tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = [name for (name,) in connection.execute(tables)]
        found = {name.removeprefix(_VERSION_TABLE) for name in names if name.startswith(_VERSION_TABLE)}
        for table in (*_BY_PLUGIN, "plugin_tables"):
            found |= {name for (name,) in connection.execute(f"SELECT DISTINCT plugin FROM {table}")}  # noqa: S608 - ours
        found |= {
            plugin for _, groups in _outbox(connection) for *_, kinds in groups for plugin, *_ in kinds
        }
    return sorted(found - {""})


def holdings(path: Path, plugin: str) -> PluginHoldings:
    """Count what a catalog holds of a plugin. Raises StorageError."""
    with _reading(path) as connection:
        return _holdings(connection, plugin)


def _holdings(connection: sqlite3.Connection, plugin: str) -> PluginHoldings:
    def one(statement: str) -> tuple[int, ...]:
        row: tuple[int, ...] = connection.execute(statement, (plugin,)).fetchone()
        return row

    kinds = "SELECT owner_kind, count(*) FROM plugin_data WHERE plugin = ? GROUP BY owner_kind"
    waiting = sum(
        kind[0] == plugin for _, groups in _outbox(connection) for *_, all_ in groups for kind in all_
    )
    attachments, attached = one("SELECT count(*), coalesce(sum(size), 0) FROM attachments WHERE plugin = ?")
    rows = {name: _count(connection, name) for name in _tables(connection, plugin)}
    return PluginHoldings(
        values=dict(connection.execute(kinds, (plugin,)).fetchall()),
        details=one(f"SELECT count(*) FROM plugin_data WHERE plugin = ? AND {_IS_DETAILS}")[0],  # noqa: S608
        value_bytes=one("SELECT coalesce(sum(size), 0) FROM plugin_data WHERE plugin = ?")[0],
        room_settings=one("SELECT count(*) FROM room_settings WHERE plugin = ?")[0],
        jobs=one("SELECT count(*) FROM jobs WHERE plugin = ?")[0] + waiting,
        attachments=attachments,
        attached_bytes=attached,
        tables={name: count for name, count in rows.items() if name not in REFUSALS},
        refusals={name: count for name, count in rows.items() if name in REFUSALS},
        version=", ".join(sorted(versions(connection, version_table(plugin)))),
    )


def purge(path: Path, plugin: str) -> None:
    """Remove all that a catalog holds of a plugin, but what people refused, in one transaction.

    Tables that were the core's once are emptied and stay. Bytes of attachments are noted as freed. Nothing
    else uses the catalog meanwhile. Raises StorageError, and PluginError if tables of another plugin need
    these.
    """
    with translated(), closing(writing(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            _purge(connection, plugin)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _purge(connection: sqlite3.Connection, plugin: str) -> None:
    # A consent that ends takes along what is known of the room's history: so does a start without the
    # plugin.
    for (room,) in connection.execute(_CONSENTED, (plugin,)).fetchall():
        connection.execute("DELETE FROM marks WHERE archive = ?", (room,))
        connection.execute("DELETE FROM tombstones WHERE archive = ?", (room,))
    for table in _BY_PLUGIN:
        connection.execute(f"DELETE FROM {table} WHERE plugin = ?", (plugin,))  # noqa: S608 - ours
    _purge_outbox(connection, plugin)
    tables = _tables(connection, plugin)
    if any(name in ADOPTED for name in tables):
        # The core and the plugin's migrations go on with them.
        for name in tables:
            if name not in REFUSALS:
                connection.execute(f"DELETE FROM {_quoted(name)}")  # noqa: S608 - quoted
        return
    _examine_references(connection, plugin, tables)
    _drop(connection, [*tables, version_table(plugin)])
    connection.execute("DELETE FROM plugin_tables WHERE plugin = ?", (plugin,))


def _purge_outbox(connection: sqlite3.Connection, plugin: str) -> None:
    for number, groups in _outbox(connection):
        left = [
            [*shared, rest]
            for *shared, kinds in groups
            if (rest := [kind for kind in kinds if kind[0] != plugin])
        ]
        if not left:
            connection.execute("DELETE FROM outbox WHERE number = ?", (number,))
        elif left != groups:
            text = json.dumps(left, separators=(",", ":"), ensure_ascii=False)
            connection.execute("UPDATE outbox SET jobs = ? WHERE number = ?", (text, number))


def _outbox(connection: sqlite3.Connection) -> list[tuple[int, list[list[Any]]]]:
    """Return the rows of the outbox; what they have is described where they are written."""
    rows = connection.execute("SELECT number, jobs FROM outbox")
    return [(number, json.loads(text)) for number, text in rows.fetchall()]


def _tables(connection: sqlite3.Connection, plugin: str) -> list[str]:
    """Return a plugin's tables and views that are there, without that of its version."""
    rows = connection.execute("SELECT name FROM plugin_tables WHERE plugin = ?", (plugin,))
    own = {name for (name,) in rows} | {name for name, owner in ADOPTED.items() if owner == plugin}
    there = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    return sorted({name for (name,) in there} & own - {version_table(plugin)})


def _examine_references(connection: sqlite3.Connection, plugin: str, tables: list[str]) -> None:
    """Raise PluginError if a table of another plugin refers to one of these."""
    others = connection.execute("SELECT name, plugin FROM plugin_tables WHERE plugin <> ?", (plugin,))
    for name, owner in others.fetchall():
        keys = connection.execute(f"PRAGMA foreign_key_list({_quoted(name)})").fetchall()
        if needed := {key[2] for key in keys} & set(tables):
            raise PluginError(
                f"table {name} of the plugin {owner} refers to {needed.pop()}; purge {owner} first"
            )


def _drop(connection: sqlite3.Connection, names: list[str]) -> None:
    """Drop tables and views: views first, and virtual tables before those that are parts of them."""

    def order(name: str) -> int:
        row = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        if row is None or row[0] == "view":
            return 0
        return 1 if "VIRTUAL" in str(row[1]).upper().split()[:2] else 2

    for name in sorted(names, key=order):
        row = connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        if row is not None:
            connection.execute(f"DROP {'VIEW' if row[0] == 'view' else 'TABLE'} {_quoted(name)}")


def _count(connection: sqlite3.Connection, table: str) -> int:
    [(number,)] = connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchall()  # noqa: S608 - quoted
    return int(number)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with translated(), closing(reading(path)) as connection:
        connection.execute("BEGIN")
        yield connection
