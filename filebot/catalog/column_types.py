"""Types of columns, as each database has them."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

ID: Final = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
"""Number of a row; SQLite has one kind of integers, of 64 bits."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """Column of a moment, kept in UTC without its zone and returned with it."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Convert to UTC. A naive value is a mistake of the caller: its moment is unknown."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return the stored moment with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)
