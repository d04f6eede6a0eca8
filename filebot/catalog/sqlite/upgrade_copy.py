"""Copy of the catalog as it was before an upgrade, for a way back to the filebot before.

It stands beside the catalog as ``catalog.sqlite.before-REVISION``, REVISION being the first version of the
tables that it does not have. One generation is kept: the next upgrade replaces it.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from filebot.catalog.sqlite.integrity import reading
from filebot.errors import StorageFull

_MARK: Final = ".before-"
_UNFINISHED: Final = ".new"


def copy_of(path: Path, revision: str) -> Path:
    """Return the place of the copy of a catalog that is about to become one of ``revision``."""
    return path.with_name(f"{path.name}{_MARK}{revision}")


def copy_before_upgrade(path: Path, revision: str) -> None:
    """Copy a catalog, which may be in use, and make the copy durable; then remove the copies before it.

    Raises StorageFull, OSError or sqlite3.Error; what was there of copies is left then.
    """
    with closing(reading(path)) as source:
        _require_space(path, source)
        target = copy_of(path, revision)
        unfinished = target.with_name(target.name + _UNFINISHED)
        unfinished.unlink(missing_ok=True)
        try:
            _copy(source, unfinished)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
    unfinished.replace(target)
    for older in path.parent.glob(f"{_escaped(path.name)}{_MARK}*"):
        if older != target:
            older.unlink(missing_ok=True)
    _sync(path.parent)


def _require_space(path: Path, source: sqlite3.Connection) -> None:
    [(size,)] = source.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    free = shutil.disk_usage(path.parent).free
    if free < size:
        raise StorageFull(
            f"{path} is copied before it is brought up to date, and there is no space for that: "
            f"{size} bytes are needed, {free} are free"
        )


def _copy(source: sqlite3.Connection, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # it is synced as a whole
        connection.execute("PRAGMA journal_mode = OFF")
        source.backup(connection)
    _sync(target)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _escaped(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
