"""Contract of ``RoomStore``."""

from dataclasses import replace
from datetime import timedelta

import pytest

from filebot.model import (
    Address,
    AddressKind,
    ArchivePosition,
    HistoryImport,
    RememberedRoom,
    SavedRoomSetting,
    SettingKey,
)
from filebot.ports import Catalog
from tests.contract.catalog.samples import NOW, ROOM, put

ARCHIVE = SettingKey("archive", "archive")


async def test_a_cleared_room_has_its_entries_and_nothing_else(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "kept.txt", scope=ROOM)
    for room in (entry.room or "", "other@muc.example.org"):
        await catalog.save_room_setting(SavedRoomSetting(room, ARCHIVE, True))
        await catalog.set_opted_out(room, entry.owner, out=True)
    await catalog.clear_room(entry.room or "")
    assert [each.room for each in await catalog.room_settings()] == ["other@muc.example.org"]
    assert not await catalog.has_opted_out(entry.room or "", entry.owner)
    assert await catalog.has_opted_out("other@muc.example.org", entry.owner)
    assert await catalog.page(ROOM, limit=9) == [entry]


async def test_opt_outs_are_kept_for_each_room_and_person(catalog: Catalog) -> None:
    for _ in range(2):
        await catalog.set_opted_out("a@muc.example.org", "alice@example.org", out=True)
    assert await catalog.has_opted_out("a@muc.example.org", "alice@example.org")
    assert not await catalog.has_opted_out("b@muc.example.org", "alice@example.org")
    assert not await catalog.has_opted_out("a@muc.example.org", "bob@example.org")
    assert await catalog.count_opted_out("a@muc.example.org") == 1
    assert await catalog.count_opted_out("b@muc.example.org") == 0
    for _ in range(2):
        await catalog.set_opted_out("a@muc.example.org", "alice@example.org", out=False)
    assert not await catalog.has_opted_out("a@muc.example.org", "alice@example.org")


async def test_unwanted_bytes_are_kept_for_each_room_and_person(catalog: Catalog) -> None:
    room, digest = "a@muc.example.org", "ab" * 32
    assert not await catalog.is_unwanted(room, digest)
    for who in ("alice@example.org", "bob@example.org", "bob@example.org"):
        await catalog.add_unwanted(room, digest, who)
    assert await catalog.is_unwanted(room, digest)
    assert not await catalog.is_unwanted("b@muc.example.org", digest)
    assert not await catalog.is_unwanted(room, "cd" * 32)
    await catalog.forget_unwanted(room, "bob@example.org")
    assert await catalog.is_unwanted(room, digest)
    await catalog.forget_unwanted(room, "alice@example.org")
    assert not await catalog.is_unwanted(room, digest)
    await catalog.add_unwanted(room, digest, "alice@example.org")
    await catalog.clear_room(room)
    assert not await catalog.is_unwanted(room, digest)


async def test_of_each_room_the_latest_unwanted_bytes_are_kept(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("filebot.catalog.writes", "filebot.testing.catalog"):
        monkeypatch.setattr(f"{module}.MOST_UNWANTED_OF_ROOM", 2)
    digests = [f"{number:064}" for number in range(3)]
    for room in ("a@muc.example.org", "b@muc.example.org"):
        for digest in digests[: 3 if room[0] == "a" else 1]:
            await catalog.add_unwanted(room, digest, "alice@example.org")
    assert [await catalog.is_unwanted("a@muc.example.org", each) for each in digests] == [False, True, True]
    assert await catalog.is_unwanted("b@muc.example.org", digests[0])


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


async def test_history_imports_are_kept_one_for_each_room(catalog: Catalog) -> None:
    address = Address("a@muc.example.org/anna", AddressKind.ROOM_PRIVATE, "a@muc.example.org/1d")
    first = HistoryImport(
        "b@muc.example.org",
        "alice@example.org",
        address,
        "de",
        NOW,
        NOW + timedelta(days=1),
        "id",
        50,
        2,
        1,
    )
    second = HistoryImport("a@muc.example.org", "", Address("alice@example.org"), None, NOW, NOW)
    for history_import in (replace(first, last_id="", messages=0), first, second):
        await catalog.save_history_import(history_import)
    assert await catalog.history_imports() == [second, first]
    await catalog.forget_history_import(second.room)
    await catalog.forget_history_import("nobody@muc.example.org")
    assert await catalog.history_imports() == [first]


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
