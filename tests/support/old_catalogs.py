"""Catalogs of earlier versions, with rows in every table, and the newest one.

Each is made once in a process, and written as often as it is wanted.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from alembic import command
from alembic.config import Config

from filebot.catalog.database import MIGRATIONS
from filebot.catalog.sqlite import engines

FIXED: Final = {"method": "ibb", "address_kind": "chat", "attached_bytes": 0}
"""Columns that have certain values only; the last is for triggers to fill."""


def oldest_and_newest(versions: Sequence[str]) -> list[object]:
    """Return parameters of which those between the ends are marked ``thorough``.

    An upgrade from the oldest runs every later migration, too.
    """
    between = {*versions[1:-1]}
    return [
        pytest.param(each, marks=[pytest.mark.thorough] if each in between else []) for each in versions
    ]


def make_catalog(path: Path, revision: str = "head") -> None:
    """Make an empty catalog as it was with this migration."""
    put(path, _empty(revision))


def make_filled_catalog(path: Path, revision: str) -> dict[str, list[Any]]:
    """Make a catalog of this migration with three rows in each table; return all rows by table."""
    put(path, _filled(revision))
    return all_rows(path)


def put(path: Path, image: bytes) -> None:
    """Write a database that :func:`image_of` read, private to the bot."""
    path.touch(mode=0o600)
    path.write_bytes(image)


def image_of(make: Callable[[Path], object]) -> bytes:
    """Return the database that ``make`` makes, to be written many times."""
    with TemporaryDirectory() as folder:
        make(path := Path(folder) / "catalog.sqlite")
        with closing(sqlite3.connect(path)) as connection:
            return connection.serialize()


@cache
def _empty(revision: str) -> bytes:
    def make(path: Path) -> None:
        engines.create_file(path)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engines.migrating_engine(path).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    return image_of(make)


@cache
def _filled(revision: str) -> bytes:
    def make(path: Path) -> None:
        make_catalog(path, revision)
        with closing(sqlite3.connect(path)) as connection, connection:
            others = tables(connection) - {"entries", "sums", "totals", "job_sums"}  # triggers fill sums
            for table in ("entries", *sorted(others)):
                fill(connection, table)

    return image_of(make)


def all_rows(path: Path) -> dict[str, list[Any]]:
    """Return the rows of each table, as a mapping of columns each."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {table: rows(connection, table) for table in tables(connection)}


def tables(connection: sqlite3.Connection) -> set[str]:
    """Return the names of all tables but those of SQLite and Alembic."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {
        name
        for (name,) in found
        if name not in {"alembic_version", "entries_fts_config"} and not name.startswith("sqlite_")
    }


def rows(connection: sqlite3.Connection, table: str) -> list[Any]:
    """Return all rows of a table in an order of their own."""
    found = [dict(row) for row in connection.execute(f"SELECT * FROM {table}").fetchall()]
    return sorted(found, key=repr)


def fill(connection: sqlite3.Connection, table: str) -> None:
    """Put in three rows of values that fit their columns."""
    if table.startswith("entries_fts"):
        return  # its triggers do it
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    for number in range(1, 4):
        values = [
            FIXED[name] if name in FIXED else _value(kind, f"{name}-{number}", number)
            for _, name, kind, *_ in columns
        ]
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)


def _value(kind: str, text: str, number: int) -> object:
    return {
        "INTEGER": number,
        "BIGINT": number * 2**40,
        "BOOLEAN": number % 2,
        "DATETIME": f"2026-01-0{number} 01:02:03.000004",
        "JSON": f'["{text}"]',
    }.get(kind, text)


def setting_rows(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the settings that a room had in one row of five columns, unless as by default."""
    for column, plugin, key, value in (
        ("members_only", "", "who-may-get", '"members"'),
        ("max_size", "", "max-size", row["max_size"]),
        ("announce", "announce", "announce", "true"),
        ("archive", "archive", "archive", "true"),
        ("retention_days", "retention", "retention", row["retention_days"]),
    ):
        if row[column]:
            consent = int(key == "archive")
            yield {"room": row["room"], "plugin": plugin, "key": key, "value": value, "consent": consent}
