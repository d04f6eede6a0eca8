"""What is known of each file: the ``Catalog`` port on SQLAlchemy Core, in SQLite through aiosqlite.

``schema`` has the tables, ``queries`` the questions, ``writer`` the one task that changes anything, ``sql``
puts them together, ``reserve`` keeps space for a full disk, ``opening`` makes and migrates the database,
``examination`` tells beforehand whether it can be used, ``integrity`` whether all of it holds,
``sqlite`` has all that is SQLite's own.
"""

from filebot.catalog.database import open_catalog
from filebot.catalog.reserve import RESERVE_BYTES

__all__ = ["RESERVE_BYTES", "open_catalog"]
