"""Catalog of files, rooms and people: SQLAlchemy Core on SQLite, through aiosqlite.

``schema`` has the tables, ``queries``, ``writes`` and ``upserts`` the statements, ``mapping`` what rows and
errors mean to us; ``writer`` is the one task that changes anything, and ``catalog`` puts them together as
the ``Catalog`` port. ``database`` opens and migrates the file, ``reserve`` keeps space for a full disk.

``sqlite`` has what only SQLite knows: its file, its full-text search, and examinations of it as a whole.
"""

from filebot.catalog.database import open_catalog
from filebot.catalog.reserve import RESERVE_BYTES

__all__ = ["RESERVE_BYTES", "open_catalog"]
