"""Implementation of ``Attachments`` on the catalog's database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog.queries import Read, one
from filebot.catalog.schema import attachments, entries, freed_blobs
from filebot.catalog.writer import Writer, execute
from filebot.errors import NoSuchEntry, PluginStoreFull
from filebot.model import Attachment, BlobRef, Digest
from filebot.ports import MOST_ATTACHED_BYTES, MOST_ATTACHMENTS

_table = attachments.c


class SqlAttachments:
    """Implements :class:`filebot.ports.Attachments`."""

    def __init__(self, read: Read, writer: Writer) -> None:
        self._read = read
        self._writer = writer

    async def attach(self, new: Attachment) -> None:
        await self._writer.run(_attach, new)

    async def attachment(self, entry_id: int, plugin: str, name: str) -> Attachment | None:
        rows = await self._read(sa.select(attachments).where(_at(entry_id, plugin, name)))
        return _attachment_of(rows[0]) if rows else None

    async def detach(self, entry_id: int, plugin: str, name: str) -> None:
        await self._writer.run(
            execute, sa.delete(attachments).where(_at(entry_id, plugin, name)), urgent=True
        )

    async def freed(self, limit: int) -> Sequence[Digest]:
        return [row.digest for row in await self._read(sa.select(freed_blobs).limit(limit))]

    async def settle(self, digests: Sequence[Digest]) -> None:
        settled = sa.delete(freed_blobs).where(freed_blobs.c.digest.in_(digests))
        await self._writer.run(execute, settled, urgent=True)


async def _attach(connection: AsyncConnection, wanted: Sequence[Attachment]) -> list[None]:
    for new in wanted:
        await _attach_one(connection, new)
    return [None] * len(wanted)


async def _attach_one(connection: AsyncConnection, new: Attachment) -> None:
    if (await connection.execute(sa.select(entries.c.id).where(one(new.entry_id)))).one_or_none() is None:
        raise NoSuchEntry(f"#{new.entry_id}")
    here = sa.and_(_table.entry_id == new.entry_id, _table.plugin == new.plugin)
    others = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_table.size), 0)).where(
        here, _table.name != new.name
    )
    count, size = (await connection.execute(others)).one()
    if count >= MOST_ATTACHMENTS or size + new.blob.size > MOST_ATTACHED_BYTES:
        raise PluginStoreFull(new.plugin)
    # Not an upsert: the triggers tell what becomes of the bytes of the one before.
    await connection.execute(sa.delete(attachments).where(here, _table.name == new.name))
    await connection.execute(
        sa.insert(attachments).values(
            entry_id=new.entry_id,
            plugin=new.plugin,
            name=new.name,
            digest=new.blob.digest,
            size=new.blob.size,
            media_type=new.media_type,
        )
    )


def _at(entry_id: int, plugin: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(_table.entry_id == entry_id, _table.plugin == plugin, _table.name == name)


def _attachment_of(row: sa.Row[Any]) -> Attachment:
    return Attachment(row.entry_id, row.plugin, row.name, BlobRef(row.digest, row.size), row.media_type)
