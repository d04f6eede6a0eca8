"""Implementation of ``FileMessages`` on the catalog's database."""

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog import upserts
from filebot.catalog.queries import Read
from filebot.catalog.schema import file_messages
from filebot.catalog.writer import Writer
from filebot.catalog.writes import all_but_newest
from filebot.model import FileMessage
from filebot.ports import MOST_FILE_MESSAGES, MOST_FILE_MESSAGES_OF_PLACE

_table = file_messages.c


class SqlFileMessages:
    """Implements :class:`filebot.ports.FileMessages`."""

    def __init__(self, read: Read, writer: Writer) -> None:
        self._read = read
        self._writer = writer

    async def all(self) -> Sequence[FileMessage]:
        rows = await self._read(sa.select(file_messages).order_by(_table.number))
        return [FileMessage(row.place, row.key, row.entry_id, row.message, row.author) for row in rows]

    async def add(self, messages: Sequence[FileMessage]) -> None:
        if messages:
            await self._writer.run(_add, tuple(messages))

    async def forget(self, messages: Sequence[FileMessage]) -> None:
        if messages:
            await self._writer.run(_forget, tuple(messages), urgent=True)


async def _add(connection: AsyncConnection, wanted: Sequence[tuple[FileMessage, ...]]) -> list[None]:
    places = set[str]()
    for each in (each for messages in wanted for each in messages):
        await connection.execute(upserts.save_file_message(asdict(each)))
        places.add(each.place)
    for place in places:
        here = _table.place == place
        await connection.execute(
            all_but_newest(file_messages, _table.number, MOST_FILE_MESSAGES_OF_PLACE, here)
        )
    await connection.execute(all_but_newest(file_messages, _table.number, MOST_FILE_MESSAGES))
    return [None] * len(wanted)


async def _forget(connection: AsyncConnection, wanted: Sequence[tuple[FileMessage, ...]]) -> list[None]:
    for each in (each for messages in wanted for each in messages):
        this = sa.and_(_table.key == each.key, _table.entry_id == each.entry_id)
        await connection.execute(sa.delete(file_messages).where(this))
    return [None] * len(wanted)
