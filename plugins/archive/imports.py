"""Imports of rooms' histories that are under way, as rows: how far each has come, and for whom it is."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from filebot.plugin import Address, AddressKind, HistoryImport, PluginDatabase

from .tables import imports


@dataclass(frozen=True, slots=True)
class Progress:
    """An import with the number of the job that goes on with it."""

    history_import: HistoryImport
    turn: int


async def import_of(db: PluginDatabase, room: str) -> Progress | None:
    """Return the import of a room's history that is under way."""
    query = sa.select(imports).where(imports.c.room == room)
    row = await db.read(lambda found: found.execute(query).one_or_none())
    return None if row is None else _progress(row)


async def turns(db: PluginDatabase) -> list[tuple[str, int]]:
    """Return all rooms with an import under way, each with the number of its job."""
    query = sa.select(imports.c.room, imports.c.turn).order_by(imports.c.room)
    return [(row.room, row.turn) for row in await db.read(lambda found: found.execute(query).all())]


async def begin(db: PluginDatabase, new: Progress) -> bool:
    """Note an import; return False if one of that room is under way."""
    row = insert(imports).values(**_columns(new.history_import), turn=new.turn).on_conflict_do_nothing()
    return await db.write(lambda found: bool(found.execute(row).rowcount))


async def save(db: PluginDatabase, progress: Progress) -> bool:
    """Note how far an import has come; return False if it was stopped."""
    return await _update(db, progress, _columns(progress.history_import))


async def pass_on(db: PluginDatabase, progress: Progress) -> bool:
    """Leave an import to the next job; return False if it was stopped."""
    return await _update(db, progress, {"turn": progress.turn + 1})


async def forget(db: PluginDatabase, room: str) -> HistoryImport | None:
    """Forget an import for good; return how far it has come, or None if there is none."""
    gone = sa.delete(imports).where(imports.c.room == room).returning(imports)
    row = await db.write(lambda found: found.execute(gone).one_or_none(), urgent=True)
    return None if row is None else _progress(row).history_import


async def _update(db: PluginDatabase, progress: Progress, columns: dict[str, Any]) -> bool:
    room = progress.history_import.room
    change = (
        sa.update(imports).where(imports.c.room == room, imports.c.turn == progress.turn).values(columns)
    )
    return await db.write(lambda found: bool(found.execute(change).rowcount))


def _columns(history_import: HistoryImport) -> dict[str, Any]:
    address = history_import.address
    values = {each.name: getattr(history_import, each.name) for each in fields(HistoryImport)}
    return values | {
        "address": address.jid,
        "address_kind": address.kind.value,
        "occupant": address.occupant,
        "since": _plain(history_import.since),
        "until": _plain(history_import.until),
    }


def _progress(row: Any) -> Progress:
    values = {each.name: getattr(row, each.name) for each in fields(HistoryImport)}
    values |= {
        "address": Address(row.address, AddressKind(row.address_kind), row.occupant),
        "since": row.since.replace(tzinfo=UTC),
        "until": row.until.replace(tzinfo=UTC),
    }
    return Progress(HistoryImport(**values), row.turn)


def _plain(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
