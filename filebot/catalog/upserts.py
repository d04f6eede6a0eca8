"""INSERT statements for rows that may be there already.

SQLite has ON CONFLICT as PostgreSQL has it, so the form that SQLAlchemy has for that one is for both.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from filebot.catalog.schema import (
    destroyed_rooms,
    entries,
    file_messages,
    links,
    people,
    plugin_data,
    positions,
    room_settings,
    rooms,
    subscriptions,
    tombstones,
)
from filebot.model import ArchivePosition, Link, RememberedRoom


def save_link(link: Link, name_key: str) -> sa.Insert:
    """Keep the link unless a newer one is there."""
    statement = insert(links).values(
        digest=link.digest, name_key=name_key, name=link.name, url=link.url, created_at=link.created_at
    )
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[links.c.digest, links.c.name_key],
        set_={"name": new.name, "url": new.url, "created_at": new.created_at},
        where=links.c.created_at <= new.created_at,
    )


def save_language(jid: str, language: str, at: datetime) -> sa.Insert:
    """Keep the language that a person chose, in place of one before, and when they first chose one."""
    statement = insert(people).values(jid=jid, language=language, first_chosen_at=at)
    return statement.on_conflict_do_update(
        index_elements=[people.c.jid], set_={"language": statement.excluded.language}
    )


def save_room(room: RememberedRoom) -> sa.Insert:
    """Keep a room, in place of one of the same address."""
    columns = {"jid": room.jid, "password": room.password, "invited_by": room.invited_by}
    return _put(rooms, rooms.c.jid, columns)


def note_destroyed_room(room: str) -> sa.Insert:
    """Keep that a room was destroyed."""
    return insert(destroyed_rooms).values(room=room).on_conflict_do_nothing()


def save_position(position: ArchivePosition) -> sa.Insert:
    """Keep a position, in place of the archive's one before."""
    columns = {"archive": position.archive, "last_id": position.last_id, "at": position.at}
    return _put(positions, positions.c.archive, columns | {"ahead": sorted(position.ahead)})


def save_tombstone(columns: dict[str, Any], where: sa.ColumnElement[bool]) -> sa.Insert:
    """Keep a tombstone, in place of the message's one before, if this holds."""
    values = [sa.literal(value, tombstones.c[name].type) for name, value in columns.items()]
    statement = insert(tombstones).from_select(list(columns), sa.select(*values).where(where))
    new = {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=[tombstones.c.message], set_=new)


def save_file_message(columns: dict[str, Any]) -> sa.Insert:
    """Keep a message of a file in place of the same one, if the entry is there."""
    values = [sa.literal(value, file_messages.c[name].type) for name, value in columns.items()]
    is_there = sa.exists().where(entries.c.id == columns["entry_id"])
    statement = insert(file_messages).from_select(list(columns), sa.select(*values).where(is_there))
    same = [file_messages.c.key, file_messages.c.entry_id]
    new = {name: statement.excluded[name] for name in ("author", "message")}
    return statement.on_conflict_do_update(index_elements=same, set_=new)


def save_subscription(person: str, own: str) -> sa.Insert:
    """Keep a subscription; one that is known stays in its place."""
    return insert(subscriptions).values(person=person, own=own).on_conflict_do_nothing()


def save_room_setting(columns: dict[str, Any]) -> sa.Insert:
    """Keep a setting of a room, in place of the one of the same key."""
    return _put(room_settings, tuple(room_settings.primary_key), columns)


def save_plugin_value(columns: dict[str, Any]) -> sa.Insert:
    """Keep a value of a plugin, in place of the one of the same key."""
    return _put(plugin_data, tuple(plugin_data.primary_key), columns)


def insert_unless_there(table: sa.Table) -> Insert:
    """Insert rows, but for those that break a unique index."""
    return insert(table).on_conflict_do_nothing()


def _put(
    table: sa.Table, key: sa.Column[Any] | Sequence[sa.Column[Any]], columns: dict[str, Any]
) -> sa.Insert:
    """Write a whole row, in place of one of the same key."""
    statement = insert(table).values(columns)
    return statement.on_conflict_do_update(
        index_elements=[key] if isinstance(key, sa.Column) else key,
        set_={name: statement.excluded[name] for name in columns},
    )
