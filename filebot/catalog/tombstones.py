"""Tombstones: messages whose files were removed, and which the bot may meet again.

Theory of operation. A message is met again if the bot is killed before its position in that message's
archive is saved. An entry that is still there tells that its message was handled. The tombstone of one that
was removed, or given to another owner, does so, and is written by the same transaction.

A saved position never goes back. So a tombstone is needed only while the position of its archive is not
later than the file is old, with ``CLOCKS_DIFFER_BY`` to spare; and not at all for an archive without a
position, whose past is not read. Most removals, those of older files, leave none. Each archive has at most
``MOST_TOMBSTONES_OF_ARCHIVE``, the latest ones; they are gone with the archive's position, and with what is
remembered of its room.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from filebot.catalog import upserts, writes
from filebot.catalog.schema import entries, positions, tombstones
from filebot.catalog.writer import execute_returning
from filebot.model import ArchivePosition, archive_of
from filebot.ports import CLOCKS_DIFFER_BY, MOST_TOMBSTONES_OF_ARCHIVE

Source = tuple[str, str, datetime, int]
"""An owner, a ``source_message`` of theirs, a moment at which that was in its archive, and the id of the
entry of its file.
"""


def is_gone(owner: str, message: str) -> sa.Select[Any]:
    """Select the tombstone of the owner's file from this message, unless that is still theirs."""
    its_entry = sa.exists().where(entries.c.id == tombstones.c.entry_id, entries.c.owner == owner)
    return sa.select(tombstones.c.entry_id).where(tombstones.c.message == _key(owner, message), ~its_entry)


async def remove_entries(connection: AsyncConnection, entry_ids: Sequence[int]) -> list[sa.Row[Any] | None]:
    """Remove entries and return them as they were, None for one that is gone."""
    removed = await execute_returning(connection, [writes.remove(each) for each in entry_ids])
    await _bury(connection, ((row.owner, row) for row in removed if row is not None))
    return removed


async def release(connection: AsyncConnection, wanted: Sequence[tuple[str, int]]) -> list[Any]:
    """Make the oldest entries of rooms, at most so many of each, private ones of their owners."""
    released = [await writes.release(connection, room, limit) for room, limit in wanted]
    removed = (row for each in released for row, is_kept in each if not is_kept)
    await _bury(connection, ((row.owner, row) for row in removed))
    return released


async def hand_over(
    connection: AsyncConnection, wanted: Sequence[tuple[str, str, int]]
) -> list[Sequence[sa.Row[Any]]]:
    """Make the oldest entries of one owner another's, at most so many; return them as they are now."""
    handed = list[Sequence[sa.Row[Any]]]()
    for owner, to, limit in wanted:
        rows = await writes.hand_over(connection, owner, to, limit)
        await _bury(connection, ((owner, row) for row in rows))
        handed.append(rows)
    return handed


async def _bury(connection: AsyncConnection, gone: Iterable[tuple[str, sa.Row[Any]]]) -> None:
    """Keep tombstones of rows that are not these owners' any more, if their messages may be met again."""
    sources = [
        (owner, row.brought_by, row.created_at, row.id) for owner, row in gone if row.brought_by is not None
    ]
    await note_sources(connection, sources)


async def note_sources(connection: AsyncConnection, sources: Sequence[Source]) -> list[None]:
    """Note messages whose files are gone when these entries are not the owners' any more."""
    archives = set[str]()
    for owner, message, at, entry_id in sources:
        archive = archive_of(message)
        may_be_met = sa.exists().where(
            positions.c.archive == archive, positions.c.at <= at + CLOCKS_DIFFER_BY
        )
        columns = {"message": _key(owner, message), "archive": archive, "at": at, "entry_id": entry_id}
        noted = await connection.execute(upserts.save_tombstone(columns, may_be_met))
        if noted.rowcount:
            archives.add(archive)
    for archive in archives:
        here = tombstones.c.archive == archive
        await connection.execute(
            writes.all_but_newest(tombstones, tombstones.c.at, MOST_TOMBSTONES_OF_ARCHIVE, here)
        )
    return [None] * len(sources)


async def save_positions(connection: AsyncConnection, saved: Sequence[ArchivePosition]) -> list[None]:
    """Keep positions, and forget the tombstones of messages that lie behind them."""
    for position in saved:
        await connection.execute(upserts.save_position(position))
        passed = tombstones.c.at < position.at - CLOCKS_DIFFER_BY
        await connection.execute(_of(position.archive).where(passed))
    return [None] * len(saved)


async def forget_positions(connection: AsyncConnection, archives: Sequence[str]) -> list[None]:
    """Forget the positions of archives, whose past is read no more."""
    for archive in archives:
        await connection.execute(sa.delete(positions).where(positions.c.archive == archive))
        await connection.execute(_of(archive))
    return [None] * len(archives)


def _of(archive: str) -> sa.Delete:
    return sa.delete(tombstones).where(tombstones.c.archive == archive)


def _key(owner: str, message: str) -> str:
    """Return a short key: the service of a room may give its messages long ids.

    It may also give one id to messages of several people.
    """
    return hashlib.sha256(f"{owner} {message}".encode()).hexdigest()
