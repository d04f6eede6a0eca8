"""What is known of each file: the ``Catalog`` port on SQLAlchemy Core, in SQLite through aiosqlite.

``schema`` has the tables, ``queries`` the questions, ``writer`` the one task that changes anything, ``sql``
puts them together, ``opening`` makes and migrates the database, ``examination`` tells beforehand whether it
can be used, ``sqlite`` has all that is SQLite's own.
"""

from filebot.catalog.opening import open_catalog

__all__ = ["open_catalog"]
