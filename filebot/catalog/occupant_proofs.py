"""People who have shown which occupants of rooms they are."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog.mapping import fields_of
from filebot.catalog.queries import Read
from filebot.catalog.schema import proven_occupants
from filebot.catalog.writer import Writer, execute
from filebot.catalog.writes import all_but_newest
from filebot.model import BareJid, ProvenOccupant
from filebot.ports import MOST_PROVEN

_table: Final = proven_occupants.c


class SqlOccupantProofs:
    """Implements :class:`filebot.ports.OccupantProofs`."""

    def __init__(self, read: Read, writer: Writer) -> None:
        self._read = read
        self._writer = writer

    async def all(self) -> Sequence[ProvenOccupant]:
        rows = await self._read(sa.select(proven_occupants).order_by(_table.proven_at))
        return [ProvenOccupant(**fields_of(row, ProvenOccupant)) for row in rows]

    async def add(self, proven: ProvenOccupant) -> None:
        await self._writer.run(_add, fields_of(proven, ProvenOccupant))

    async def forget_person(self, person: BareJid) -> None:
        theirs = sa.delete(proven_occupants).where(_table.person == person)
        await self._writer.run(execute, theirs, urgent=True)


async def _add(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> list[None]:
    for columns in rows:
        before = sa.and_(_table.person == columns["person"], _table.room == columns["room"])
        await connection.execute(sa.delete(proven_occupants).where(before))
        await connection.execute(sa.insert(proven_occupants).values(columns))
    await connection.execute(all_but_newest(proven_occupants, _table.proven_at, MOST_PROVEN))
    return [None] * len(rows)
