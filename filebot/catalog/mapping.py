"""Mapping between the database and us: columns and values, moments, texts, and errors."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc

from filebot.catalog.sqlite.integrity import is_damage
from filebot.errors import CatalogDamaged, CatalogUnavailable, StorageFull
from filebot.filenames import comparison_key
from filebot.model import (
    MACROS_PARAMETER,
    ArchivePosition,
    BlobRef,
    Entry,
    Link,
    Method,
    NewEntry,
    QueuedDelivery,
    SavedRoomSetting,
    Scope,
    SettingKey,
)
from filebot.ports import Released

# A database may not keep or compare these as they are: NUL, which ends a text in C; lone surrogates, which
# have no UTF-8; the non-characters that FTS5 reads as U+FFFD; and the last code point, which marks the
# end of a range of names (see ``queries.find_by_prefix``).
_UNFIT: Final = re.compile("[\0\ud800-\udfff\ufffe\uffff\U0010ffff]")

_PRIVATE_USE: Final = range(0xE000, 0xF900)
"""Code points that hardly any name holds."""

# Mistakes of our own, not of the database: they stay as they are, to be found.
_BUGS: Final = (exc.ProgrammingError, exc.IntegrityError, exc.InterfaceError, exc.DataError)

# The index of the WAL is a file of its own that may find no space.
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


# --- errors -----------------------------------------------------------------------------------------


@contextmanager
def translated() -> Iterator[None]:
    """Raise StorageFull, CatalogDamaged or CatalogUnavailable where the database cannot be used."""
    try:
        yield
    except _BUGS:
        raise
    except exc.DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise _ours(error.orig) from error
        raise CatalogUnavailable(str(error.orig)) from error
    except sqlite3.Error as error:
        raise _ours(error) from error
    except (exc.TimeoutError, OSError) as error:
        raise CatalogUnavailable(str(error)) from error


def _ours(error: sqlite3.Error) -> StorageFull | CatalogUnavailable:
    # Some errors are raised by the sqlite3 module itself and carry no code.
    if getattr(error, "sqlite_errorcode", None) in _FULL:
        return StorageFull(str(error))
    return CatalogDamaged(str(error)) if is_damage(error) else CatalogUnavailable(str(error))


# --- texts ------------------------------------------------------------------------------------


def fold(text: str) -> str:
    """Return the comparison key of a text, such that equal names are equal strings in any database."""
    return _UNFIT.sub("\ufffd", comparison_key(text))


# --- values -----------------------------------------------------------------------------------------


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
        "media_type": new.described_type,
        "width": new.width,
        "height": new.height,
        "archived": new.auto_archived,
        "brought_by": new.source_message,
        "shared_by": new.shared_by,
        "created_at": new.created_at,
        "modified_at": new.created_at,
    }


def added_entry(new: NewEntry, entry_id: int) -> Entry:
    """The entry that a reader of the new row gets."""
    created_at = new.created_at.astimezone(UTC)
    return Entry(
        **fields_of(new, NewEntry) | {"created_at": created_at}, id=entry_id, modified_at=created_at
    )


def private_entry(entry: Entry) -> Entry:
    """The entry of a room as its owner has it when the room is no more."""
    return replace(entry, room=None, auto_archived=False, shared_by="")


def entry_of(row: sa.Row[Any]) -> Entry:
    """The entry of a row of ``entries``."""
    return Entry(
        id=row.id,
        name=row.name,
        owner=row.owner,
        room=row.room,
        caption=row.caption,
        blob=BlobRef(row.digest, row.size),
        media_type=row.media_type.removesuffix(MACROS_PARAMETER),
        created_at=row.created_at,
        modified_at=row.modified_at,
        width=row.width,
        height=row.height,
        auto_archived=row.archived,
        source_message=row.brought_by,
        has_macros=row.media_type.endswith(MACROS_PARAMETER),
        shared_by=row.shared_by,
    )


def entries_of(rows: Sequence[sa.Row[Any]]) -> Sequence[Entry]:
    """Return the entries of rows of ``entries``."""
    return [entry_of(row) for row in rows]


def released_of(rows: Sequence[tuple[sa.Row[Any], bool]]) -> Released:
    """Return entries before and after their release, given their rows and whether each is kept."""
    return [(before := entry_of(row), private_entry(before) if kept else None) for row, kept in rows]


def room_setting_columns(setting: SavedRoomSetting) -> dict[str, Any]:
    """Return the columns of a row of ``room_settings``."""
    plugin, name = setting.key
    return {
        "room": setting.room,
        "plugin": plugin,
        "key": name,
        "value": setting.value,
        "consent": setting.consent,
    }


def room_setting_of(row: sa.Row[Any]) -> SavedRoomSetting:
    """Return the setting in a row of ``room_settings``."""
    return SavedRoomSetting(row.room, SettingKey(row.plugin, row.key), row.value, row.consent)


def link_of(row: sa.Row[Any]) -> Link:
    """Return the link in a row of ``links``."""
    return Link(digest=row.digest, name=row.name, url=row.url, created_at=row.created_at)


def position_of(row: sa.Row[Any]) -> ArchivePosition:
    """Return the position in a row of ``marks``."""
    return ArchivePosition(archive=row.archive, last_id=row.last_id, at=row.at, ahead=frozenset(row.ahead))


def delivery_columns(delivery: QueuedDelivery) -> dict[str, Any]:
    """Return the columns of a row of ``parcels``."""
    return fields_of(delivery, QueuedDelivery) | {
        "method": delivery.method.value if delivery.method else None
    }


def delivery_of(row: sa.Row[Any]) -> QueuedDelivery:
    """Return the delivery in a row of ``parcels``."""
    return QueuedDelivery(
        **fields_of(row, QueuedDelivery) | {"method": Method(row.method) if row.method else None}
    )


def fields_of(source: object, kind: type[Any]) -> dict[str, Any]:
    """Return the attributes of a value or row that are named as the fields of a dataclass."""
    return {field.name: getattr(source, field.name) for field in fields(kind)}
