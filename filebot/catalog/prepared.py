"""Statements that are executed for many rows at a time, in the fastest way that a database has."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog.sqlite.prepared import PreparedStatement


class Prepared:
    """Statement that is prepared once."""

    def __init__(self, statement: sa.Select[Any] | sa.Insert, parameters: Sequence[str] = ()) -> None:
        """``parameters`` are those of each row; the statement has the others."""
        self._statement = statement
        self._of_sqlite = PreparedStatement(statement, parameters)

    async def all(self, connection: AsyncConnection) -> list[tuple[Any, ...]]:
        """Execute it once and return the rows."""
        if connection.dialect.name == "sqlite":
            return await self._of_sqlite.all(connection)
        return [tuple(row) for row in await connection.execute(self._statement)]

    async def execute(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it for each of these parameters."""
        if connection.dialect.name == "sqlite":
            await self._of_sqlite.changed(connection, rows)
        else:
            await connection.execute(self._statement, rows)

    async def changes(self, connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
        """Execute it with these parameters; tell whether that changed a row."""
        if connection.dialect.name == "sqlite":
            return await self._of_sqlite.changed(connection, [row]) > 0
        return (await connection.execute(self._statement, row)).rowcount > 0
