"""Contract of ``RoomStore``."""

from dataclasses import replace
from datetime import timedelta

import pytest

from filebot.model import Address, AddressKind, HistoryImport, RememberedRoom, RoomSettings, Scope
from filebot.ports import Catalog
from tests.contract.catalog.samples import NOW, ROOM, a_file, names


async def test_release_makes_a_rooms_entries_private(catalog: Catalog) -> None:
    assert ROOM.room is not None
    mine = await catalog.add(a_file("both.txt", blob=1, size=10))
    for shared in (a_file("both.txt", scope=ROOM, blob=1, size=10), a_file("only.txt", scope=ROOM, blob=2)):
        await catalog.add(replace(shared, owner=mine.owner, auto_archived=True))
    await catalog.add(replace(a_file("theirs.txt", scope=ROOM, blob=1), owner="bob@example.org"))
    await catalog.add(a_file("elsewhere.txt", scope=Scope(room="other@muc.example.org"), blob=3))
    for room in (ROOM.room, "other@muc.example.org"):
        await catalog.save_room_settings(room, RoomSettings(archive=True))
        await catalog.set_opted_out(room, mine.owner, out=True)
    assert set(await catalog.release(ROOM.room)) == {mine.owner, "bob@example.org"}
    assert await catalog.count(ROOM) == 0
    private = Scope(owner=mine.owner)
    assert names(await catalog.page(private, limit=9)) == ["only.txt", "both.txt"]
    assert [each.id for each in await catalog.search(private, ["both"], limit=9)] == [mine.id]
    (only,) = await catalog.search(private, ["only"], limit=9)
    assert (only.room, only.auto_archived) == (None, False)
    assert names(await catalog.page(Scope(owner="bob@example.org"), limit=9)) == ["theirs.txt"]
    assert await catalog.search(ROOM, ["only"], limit=9) == []
    assert set(await catalog.room_settings()) == {"other@muc.example.org"}
    assert not await catalog.has_opted_out(ROOM.room, mine.owner)
    assert await catalog.has_opted_out("other@muc.example.org", mine.owner)
    assert await catalog.count(Scope(room="other@muc.example.org")) == 1
    assert await catalog.release(ROOM.room) == []


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
    await catalog.release(room)
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


async def test_settings_of_a_room_are_replaced_as_a_whole(catalog: Catalog) -> None:
    assert await catalog.room_settings() == {}
    await catalog.save_room_settings("a@muc.example.org", RoomSettings(archive=True))
    await catalog.save_room_settings("b@muc.example.org", RoomSettings(archive=True))
    given = RoomSettings(announce=True, members_only=True, max_size=2**40, retention_days=90)
    await catalog.save_room_settings("b@muc.example.org", given)
    assert await catalog.room_settings() == {
        "a@muc.example.org": RoomSettings(archive=True),
        "b@muc.example.org": given,
    }


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
