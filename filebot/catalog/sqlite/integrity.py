"""Integrity checks of a database file, indexes included.

They use a connection of their own that cannot write: others read and write meanwhile.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CODE: Final = 0xFF
"""The part of an extended error code that is the code."""

_HEADING: Final = "*** in database main ***\n"
"""Before the first fault that SQLite finds."""

BUSY_TIMEOUT_S: Final = 10.0
"""Wait for the write lock, which another process may hold, such as a backup."""


def reading(path: Path, *, any_thread: bool = False, immutable: bool = False) -> sqlite3.Connection:
    """Open a database that is there, to read only. Raises sqlite3.Error.

    ``immutable``: nobody writes to it meanwhile; so neither locks nor files beside it are needed.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' * immutable}"
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=not any_thread
    )


def versions(connection: sqlite3.Connection, table: str = "alembic_version") -> set[str]:
    """Return the versions of the tables that ``table`` tells; none if there is no such table."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is None:
        return set()
    return {version for (version,) in connection.execute(f'SELECT version_num FROM "{table}"')}  # noqa: S608


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file is to blame, not a lock or a full disk."""
    return (getattr(error, "sqlite_errorcode", 0) & _CODE) in _DAMAGED


def holds_nothing(path: Path) -> bool:
    """Tell whether a file is missing, empty, or a database without a table. Changes nothing."""
    try:
        if path.stat().st_size == 0:
            return True
    except FileNotFoundError:
        return True
    try:
        with closing(reading(path)) as connection:
            return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
    except sqlite3.Error:
        return False  # whatever it is, there is something


class IntegrityCheck:
    """Check of a whole database in the caller's thread, which another thread can stop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._stopped = False

    def run(self) -> str | None:
        """Return the first fault, or None. Raises sqlite3.Error if the database cannot be examined."""
        with self._opened() as connection:
            found = damage(connection, 1)
        return found[0] if found else None

    def stop(self) -> None:
        """Make :meth:`run` end soon, with an error."""
        self._stopped = True
        connection = self._connection
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.interrupt()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(reading(self._path, any_thread=True)) as connection:
            self._connection = connection
            # ``interrupt`` is lost if nothing runs yet; this is asked all the time.
            connection.set_progress_handler(lambda: self._stopped, 100_000)
            yield connection


def damage(connection: sqlite3.Connection, most: int) -> list[str]:
    """Return what SQLite finds wrong, at most so many faults. Raises sqlite3.Error."""
    try:
        rows = connection.execute(f"PRAGMA integrity_check({most})").fetchall()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return [str(error)]
    return [row[0].removeprefix(_HEADING) for row in rows if row[0] != "ok"]
