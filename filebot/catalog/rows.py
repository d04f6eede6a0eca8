"""Values to columns and back."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC
from typing import Any, Final

import sqlalchemy as sa

from filebot.catalog.case_folding import fold
from filebot.model import (
    Address,
    AddressKind,
    ArchivePosition,
    BareJid,
    BlobRef,
    Entry,
    HistoryImport,
    Link,
    Method,
    NewEntry,
    QueuedDelivery,
    RoomSettings,
    Scope,
)
from filebot.ports import Released

_PRIVATE_USE: Final = range(0xE000, 0xF900)
"""Code points that no name holds."""


def scope_key(scope: Scope) -> str:
    """The scope as one text."""
    return f"owner:{scope.owner}" if scope.room is None else f"room:{scope.room}"


def scope_mark(key: str) -> str:
    """Three characters, one trigram, for a scope: the full-text index can filter by them.

    Two scopes may share a mark, once in 2.6e11 pairs; queries check the scope itself as well.
    """
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    signs = ""
    for _ in range(3):
        number, sign = divmod(number, len(_PRIVATE_USE))
        signs += chr(_PRIVATE_USE[sign])
    return signs


def entry_columns(new: NewEntry) -> dict[str, Any]:
    """The columns of a row that has no id yet."""
    scope = scope_key(Scope(owner=new.owner) if new.room is None else Scope(room=new.room))
    return {
        "name": new.name,
        "name_key": fold(new.name),
        "caption": new.caption,
        "caption_key": fold(new.caption),
        "owner": new.owner,
        "room": new.room,
        "scope": scope,
        "mark": scope_mark(scope),
        "digest": new.blob.digest,
        "size": new.blob.size,
        "media_type": new.media_type,
        "width": new.width,
        "height": new.height,
        "archived": new.auto_archived,
        "brought_by": new.source_message,
        "created_at": new.created_at,
        "modified_at": new.created_at,
    }


def added_entry(new: NewEntry, entry_id: int) -> Entry:
    """The entry that a reader of the new row gets."""
    created_at = new.created_at.astimezone(UTC)
    return Entry(**_fields(new, NewEntry) | {"created_at": created_at}, id=entry_id, modified_at=created_at)


def private_entry(entry: Entry) -> Entry:
    """The entry of a room as its owner has it when the room is no more."""
    return replace(entry, room=None, auto_archived=False)


def entry_of(row: sa.Row[Any]) -> Entry:
    """The entry of a row of ``entries``."""
    return Entry(
        id=row.id,
        name=row.name,
        owner=row.owner,
        room=row.room,
        caption=row.caption,
        blob=BlobRef(row.digest, row.size),
        media_type=row.media_type,
        created_at=row.created_at,
        modified_at=row.modified_at,
        width=row.width,
        height=row.height,
        auto_archived=row.archived,
        source_message=row.brought_by,
    )


def entries_of(rows: Sequence[sa.Row[Any]]) -> Sequence[Entry]:
    """Return the entries of rows."""
    return [entry_of(row) for row in rows]


def released_of(rows: Sequence[tuple[sa.Row[Any], bool]]) -> Released:
    """Return entries before and after their release, of rows and whether each is still there."""
    return [(before := entry_of(row), private_entry(before) if kept else None) for row, kept in rows]


def history_import_columns(history_import: HistoryImport) -> dict[str, Any]:
    """Return the columns of a row of ``fillings``."""
    address = history_import.address
    return _fields(history_import, HistoryImport) | {
        "address": address.jid,
        "address_kind": address.kind.value,
        "occupant": address.occupant,
    }


def history_import_of(row: sa.Row[Any]) -> HistoryImport:
    """Return the history import in a row of ``fillings``."""
    address = Address(row.address, AddressKind(row.address_kind), row.occupant)
    return HistoryImport(**_fields(row, HistoryImport) | {"address": address})


def room_settings_columns(room: BareJid, settings: RoomSettings) -> dict[str, Any]:
    """Return the columns of a row of ``room_settings``."""
    return {"room": room} | _fields(settings, RoomSettings)


def room_settings_of(row: sa.Row[Any]) -> RoomSettings:
    """Return the settings in a row of ``room_settings``."""
    return RoomSettings(**_fields(row, RoomSettings))


def link_of(row: sa.Row[Any]) -> Link:
    """Return the link in a row of ``links``."""
    return Link(digest=row.digest, name=row.name, url=row.url, created_at=row.created_at)


def position_of(row: sa.Row[Any]) -> ArchivePosition:
    """Return the position in a row of ``marks``."""
    return ArchivePosition(archive=row.archive, last_id=row.last_id, at=row.at, ahead=frozenset(row.ahead))


def delivery_columns(delivery: QueuedDelivery) -> dict[str, Any]:
    """Return the columns of a row of ``parcels``."""
    return _fields(delivery, QueuedDelivery) | {
        "method": delivery.method.value if delivery.method else None
    }


def delivery_of(row: sa.Row[Any]) -> QueuedDelivery:
    """Return the delivery in a row of ``parcels``."""
    return QueuedDelivery(
        **_fields(row, QueuedDelivery) | {"method": Method(row.method) if row.method else None}
    )


def _fields(source: object, kind: type[Any]) -> dict[str, Any]:
    """Return the attributes of a value or row that are named as the fields of a dataclass."""
    return {field.name: getattr(source, field.name) for field in fields(kind)}
