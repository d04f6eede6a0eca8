"""Examination whether a bot of this version can use a catalog, without touching it.

``check`` may be run by somebody else than the bot, and beside it.
"""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Final

from filebot.catalog.database import known_migrations
from filebot.catalog.sqlite.integrity import reading

_MAGIC: Final = b"SQLite format 3\0"
_HEADER_BYTES: Final = 100
RESTORE: Final = "restore data_dir from a backup, or ask filebot fsck"


def unusable(path: Path) -> str | None:
    """Return why no bot of this version can start with this catalog, with the remedy, or None."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no file; move it away"
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"cannot be read: {error.strerror}; correct its rights"
    return _unusable_content(path, header, size) if header else None


def _unusable_content(path: Path, header: bytes, size: int) -> str | None:
    if not header.startswith(_MAGIC) or len(header) < _HEADER_BYTES:
        return f"is no database; {RESTORE}"
    log = path.with_name(path.name + "-wal")
    has_log = log.exists() and log.stat().st_size > 0
    whole = _whole_bytes(header)
    if not has_log and size < whole:
        return f"is cut off, {size} of {whole} bytes are left; {RESTORE}"
    return _unusable_version(path, has_log=has_log)


def _whole_bytes(header: bytes) -> int:
    """Return the size that the header tells (sqlite.org/fileformat2.html, 1.3); 0 if it does not."""
    page_bytes = int.from_bytes(header[16:18], "big")
    counted = header[24:28] == header[92:96]
    return (65_536 if page_bytes == 1 else page_bytes) * int.from_bytes(header[28:32], "big") * counted


def _unusable_version(path: Path, *, has_log: bool) -> str | None:
    # Without a log there is nothing to wait for, and reading makes no files beside it.
    try:
        with closing(reading(path, immutable=not has_log)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if "alembic_version" not in tables:
                return f"is the database of another program; {RESTORE}" if tables else None
            versions = {version for (version,) in connection.execute("SELECT * FROM alembic_version")}
    except sqlite3.OperationalError:
        return None  # busy, or not to be read just now: that passes
    except sqlite3.DatabaseError as error:
        return f"is damaged: {error}; {RESTORE}"
    known = {script.revision for script in known_migrations().walk_revisions()}
    if newer := sorted(map(str, versions - known)):
        return f"is of a newer filebot (version {newer[0]:.20}); install that one, or {RESTORE}"
    if len(versions) != 1:
        return f"does not tell its version; {RESTORE}"
    return None
