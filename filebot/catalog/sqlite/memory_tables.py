"""Tables of plugins in memory, for tests of plugins: real SQLite, real migrations, and no file.

The catalog around them is another fake, so that a key to ``entries`` finds no rows there.
"""

import sqlite3
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from filebot.catalog.database import migrate
from filebot.catalog.sqlite import engines, statements
from filebot.catalog.sqlite.plugin_guard import OwnTables, guarded
from filebot.catalog.sqlite.plugin_migrations import migrate_plugin
from filebot.errors import PluginError
from filebot.model import EntryFilter

R = TypeVar("R")

_State = tuple[tuple[str, Path, tuple[float, ...]], ...]
"""Plugins that have migrated an empty database, each with its folder and the times of its migrations."""

_images: Final[dict[_State, bytes]] = {}
MOST_IMAGES: Final = 50
"""Each has some hundred kB."""


class MemoryPluginTables:
    """Implements :class:`filebot.ports.PluginTables`."""

    def __init__(self) -> None:
        self._state: _State = ()
        self._engine: sa.Engine | None = None

    async def prepare(self, plugin: str, migrations: Path) -> None:
        this = (plugin, migrations, _times(migrations))
        if this in self._state:
            return
        state = (*self._state, this)
        if self._engine is not None:
            _load(self._engine, _migrated(_dump(self._engine), plugin, migrations))
        elif state not in _images:
            image = _migrated(_images.get(self._state), plugin, migrations)
            if len(_images) < MOST_IMAGES:
                _images[state] = image
            else:
                self._open(image)
        self._state = state

    async def is_current(self, plugin: str, migrations: Path) -> bool:
        return (plugin, migrations, _times(migrations)) in self._state

    async def read(self, plugin: str, function: Callable[[Any], R]) -> R:
        with self._opened().connect() as connection:
            try:
                return _call(connection, plugin, function, may_write=False)
            finally:
                connection.rollback()

    async def write(self, plugin: str, function: Callable[[Any], R], *, urgent: bool = False) -> R:
        with self._opened().begin() as connection:
            return _call(connection, plugin, function, may_write=True)

    async def having(self, plugin: str, statement: Any) -> EntryFilter:
        raise PluginError(
            f"plugin {plugin!r} finds entries by its tables: give FakeBot a catalog that "
            "open_catalog(file) opens"
        )

    def clear_room(self, room: str) -> None:
        """Remove the rows of a room."""
        if self._engine is None:
            return
        with self._engine.begin() as connection:
            for name in connection.scalars(statements.tables_of_rooms()).all():
                table = sa.table(name, sa.column("room"))
                connection.execute(sa.delete(table).where(table.c.room == room))

    def _opened(self) -> sa.Engine:
        if self._engine is None:
            self._open(_images.get(self._state) or _migrated(None))
        assert self._engine is not None  # noqa: S101 - for mypy
        return self._engine

    def _open(self, image: bytes) -> None:
        self._engine = engines.memory_engine(StaticPool)
        weakref.finalize(self, self._engine.dispose)
        _load(self._engine, image)


def _call(connection: sa.Connection, plugin: str, function: Callable[[Any], R], *, may_write: bool) -> R:
    own = OwnTables.of(connection, plugin)
    with guarded(connection, plugin, own, may_write=may_write) as transaction:
        return function(transaction)


def _migrated(image: bytes | None, plugin: str = "", migrations: Path | None = None) -> bytes:
    """Return a database, or a new one, with the tables of one more plugin. Raises PluginError."""
    with TemporaryDirectory(prefix="filebot") as folder:
        path = Path(folder) / "catalog.sqlite"
        if image is None:
            migrate(path)
        else:
            path.write_bytes(image)
        if migrations is not None:
            migrate_plugin(path, plugin, migrations)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # memory has no write-ahead log
        return path.read_bytes()


def _times(migrations: Path) -> tuple[float, ...]:
    return tuple(each.stat().st_mtime for each in sorted(migrations.glob("*.py")))


def _dump(engine: sa.Engine) -> bytes:
    return _driver(engine).serialize()


def _load(engine: sa.Engine, image: bytes) -> None:
    _driver(engine).deserialize(image)


def _driver(engine: sa.Engine) -> sqlite3.Connection:
    pooled = engine.raw_connection()
    driver = pooled.driver_connection
    pooled.close()  # the pool keeps its one connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine is SQLite's
    return driver
