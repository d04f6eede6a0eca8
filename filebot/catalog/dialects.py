"""Databases on which the catalog runs."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from filebot.catalog.dialect import Dialect
from filebot.catalog.postgresql import full_text as postgresql_full_text
from filebot.catalog.postgresql import statements as postgresql_statements
from filebot.catalog.sqlite import full_text as sqlite_full_text
from filebot.catalog.sqlite import statements as sqlite_statements

_DIALECTS: Final[Mapping[str, Dialect]] = {
    "sqlite": Dialect(sqlite_full_text, sqlite_statements),
    "postgresql": Dialect(postgresql_full_text, postgresql_statements),
}
"""By the name that SQLAlchemy has for them."""


def dialect_of(database: AsyncConnection | AsyncEngine) -> Dialect:
    """Return the way of the database that is connected."""
    return _DIALECTS[database.dialect.name]
