"""Messages by which files were sent, for the day in which they may come back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog.mapping import fields_of
from filebot.catalog.queries import Read, one
from filebot.catalog.schema import sent_files
from filebot.catalog.writer import Writer, execute_returning
from filebot.catalog.writes import all_but_newest
from filebot.model import BareJid, SentFile
from filebot.ports import MOST_SENT

_table: Final = sent_files.c


class SqlSentFiles:
    """Implements :class:`filebot.ports.SentFiles`."""

    def __init__(self, read: Read, writer: Writer) -> None:
        self._read = read
        self._writer = writer

    async def add(self, sent: SentFile) -> None:
        await self._writer.run(_add, fields_of(sent, SentFile))

    async def find(self, message_id: str) -> SentFile | None:
        return await self._first(sa.select(sent_files).where(_table.message_id == message_id))

    async def take(self, message_id: str) -> SentFile | None:
        this = sa.delete(sent_files).where(_table.message_id == message_id).returning(sent_files)
        row = await self._writer.run(execute_returning, this, urgent=True)
        return None if row is None else SentFile(**fields_of(row, SentFile))

    async def latest(self, recipient: BareJid, since: datetime) -> SentFile | None:
        to_them = sa.and_(_table.recipient == recipient, _table.sent_at >= since)
        newest_first = sa.select(sent_files).where(to_them).order_by(_table.sent_at.desc())
        return await self._first(newest_first.limit(1))

    async def _first(self, statement: sa.Select[Any]) -> SentFile | None:
        rows = await self._read(statement)
        return SentFile(**fields_of(rows[0], SentFile)) if rows else None


async def _add(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> list[None]:
    for columns in rows:
        values = [sa.literal(value, _table[name].type) for name, value in columns.items()]
        row = sa.select(*values).where(sa.exists().where(one(columns["entry_id"])))
        await connection.execute(sa.insert(sent_files).from_select(list(columns), row))
    await connection.execute(all_but_newest(sent_files, _table.sent_at, MOST_SENT))
    return [None] * len(rows)
