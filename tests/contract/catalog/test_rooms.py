"""Contract of ``RoomStore``."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from filebot.model import ArchivePosition, RememberedRoom, SavedRoomSetting, SettingKey
from filebot.ports import Catalog
from plugins import archive
from tests.contract.catalog.samples import NOW, ROOM, put

ARCHIVE = SettingKey("archive", "archive")
OPT_OUTS = sa.table("opt_outs", sa.column("room", sa.Text), sa.column("person", sa.Text))
"""A table of a plugin."""
MIGRATIONS = Path(archive.__file__).with_name("migrations")


def note(db: Any, room: str) -> None:
    db.execute(sa.insert(OPT_OUTS).values(room=room, person="alice@example.org"))


async def test_a_cleared_room_has_its_entries_and_nothing_else(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "kept.txt", scope=ROOM)
    await catalog.plugin_tables.prepare("archive", MIGRATIONS)
    for room in (entry.room or "", "other@muc.example.org"):
        await catalog.save_room_setting(SavedRoomSetting(room, ARCHIVE, True))
        await catalog.plugin_tables.write("archive", partial(note, room=room))
    await catalog.clear_room(entry.room or "")
    assert [each.room for each in await catalog.room_settings()] == ["other@muc.example.org"]
    rooms = sa.select(OPT_OUTS.c.room)
    left = await catalog.plugin_tables.read("archive", lambda db: db.scalars(rooms).all())
    assert left == ["other@muc.example.org"]
    assert await catalog.page(ROOM, limit=9) == [entry]


async def test_settings_are_kept_for_each_room_plugin_and_name(catalog: Catalog) -> None:
    first, second = "a@muc.example.org", "b@muc.example.org"
    assert await catalog.room_settings() == []
    kept = [
        SavedRoomSetting(first, ARCHIVE, True, consent=True),
        SavedRoomSetting(second, SettingKey("", "max-size"), 2**40),
        SavedRoomSetting(second, SettingKey("notes", "max-size"), None),
        SavedRoomSetting(second, SettingKey("notes", "words"), ["a", {"b": 1.5}]),
    ]
    for setting in (replace(kept[0], value=False, consent=False), *reversed(kept)):
        await catalog.save_room_setting(setting)
    assert await catalog.room_settings() == kept


async def test_rooms_are_kept_once_each_until_forgotten(catalog: Catalog) -> None:
    den = RememberedRoom("den@muc.example.org", "open sesame", "anna@example.org")
    team = RememberedRoom("team@muc.example.org")
    assert await catalog.rooms() == []
    await catalog.remember_room(team)
    await catalog.remember_room(RememberedRoom(den.jid, "old"))
    await catalog.remember_room(den)
    assert await catalog.rooms() == [den, team]
    await catalog.forget_room(team.jid)
    await catalog.forget_room("nobody@muc.example.org")
    assert await catalog.rooms() == [den]


async def test_destroyed_rooms_are_noted_until_they_are_forgotten_with_all_that_was_theirs(
    catalog: Catalog,
) -> None:
    den, team = "den@muc.example.org", "team@muc.example.org"
    assert await catalog.destroyed_rooms() == []
    for room in (team, den, den):
        await catalog.remember_room(RememberedRoom(room))
        await catalog.save_position(ArchivePosition(room, "1", NOW))
        await catalog.note_destroyed_room(room)
    await catalog.forget_room(team)
    assert await catalog.destroyed_rooms() == [den, team]
    await catalog.remember_room(RememberedRoom(team))
    await catalog.forget_destroyed_room(den)
    await catalog.forget_destroyed_room("nobody@muc.example.org")
    assert await catalog.destroyed_rooms() == [team]
    assert await catalog.rooms() == [RememberedRoom(team)]
    assert await catalog.position(den) is None
    assert await catalog.position(team) is not None
