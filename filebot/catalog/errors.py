"""Mapping of the errors of SQLAlchemy, SQLite and the system to ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from filebot.catalog.integrity import is_damage
from filebot.errors import CatalogDamaged, CatalogUnavailable, StorageFull

# Mistakes of our own, not of the database: they stay as they are, to be found.
_BUGS: Final = (exc.ProgrammingError, exc.IntegrityError, exc.InterfaceError, exc.DataError)


# The index of the WAL is a file of its own that may find no space.
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


@contextmanager
def translated() -> Iterator[None]:
    """Raise StorageFull, CatalogDamaged or CatalogUnavailable where the database cannot be used."""
    try:
        yield
    except _BUGS:
        raise
    except exc.DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise _ours(error.orig) from error
        raise CatalogUnavailable(str(error.orig)) from error
    except sqlite3.Error as error:
        raise _ours(error) from error
    except (exc.TimeoutError, OSError) as error:
        raise CatalogUnavailable(str(error)) from error


def _ours(error: sqlite3.Error) -> StorageFull | CatalogUnavailable:
    # Some errors are raised by the sqlite3 module itself and carry no code.
    if getattr(error, "sqlite_errorcode", None) in _FULL:
        return StorageFull(str(error))
    return CatalogDamaged(str(error)) if is_damage(error) else CatalogUnavailable(str(error))
