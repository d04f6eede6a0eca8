"""Contract of what is remembered of removed files: by their messages, which may be met again."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from filebot.model import ArchivePosition, Entry, Scope
from filebot.ports import CLOCKS_DIFFER_BY, Catalog
from tests.contract.catalog.samples import ALICE, NOW, ROOM, a_file

BOT, TEA = "bot@example.org", ROOM.room or ""


@pytest.fixture(autouse=True)
async def positions(catalog: Catalog) -> None:
    """All archives are read up to these files at most."""
    for archive in (BOT, TEA):
        await catalog.save_position(ArchivePosition(archive, "1", NOW))


async def added(
    catalog: Catalog, message: str, *, scope: Scope = ALICE, age: timedelta = timedelta(), name: str = "a"
) -> Entry:
    new = a_file(name, scope=scope)
    return await catalog.add(replace(new, source_message=message, created_at=NOW - age))


async def is_gone(catalog: Catalog, message: str, owner: str = ALICE.owner or "") -> bool:
    return await catalog.is_gone(owner, message)


async def test_a_file_is_gone_when_it_is_removed(catalog: Catalog) -> None:
    message = f"{BOT} 7/0"
    entry = await added(catalog, message)
    assert not await is_gone(catalog, message)
    await catalog.remove(entry.id)
    assert await is_gone(catalog, message)
    assert not await is_gone(catalog, message, "bob@example.org")
    assert not await is_gone(catalog, f"{BOT} 7/1")
    assert not await is_gone(catalog, f"{TEA} 7/0")


async def test_a_file_is_gone_for_whoever_gave_it_away(catalog: Catalog) -> None:
    entry = await added(catalog, f"{TEA} 7/0", scope=ROOM)
    await catalog.hand_over(entry.owner, "dora@example.org", 9)
    assert await is_gone(catalog, f"{TEA} 7/0", entry.owner)
    assert not await is_gone(catalog, f"{TEA} 7/0", "dora@example.org")
    await catalog.remove(entry.id)
    assert await is_gone(catalog, f"{TEA} 7/0", "dora@example.org")


async def test_of_released_files_only_the_removed_copies_are_gone(catalog: Catalog) -> None:
    owner = a_file("a", scope=ROOM).owner
    await catalog.add(replace(a_file("a", scope=ROOM), room=None))
    await added(catalog, f"{TEA} 7/0", scope=ROOM, name="a")
    await added(catalog, f"{TEA} 8/0", scope=ROOM, name="b")
    assert [after is None for _, after in await catalog.release(TEA, 9)] == [True, False]
    assert await is_gone(catalog, f"{TEA} 7/0", owner)
    assert not await is_gone(catalog, f"{TEA} 8/0", owner)


async def test_the_file_of_a_message_that_was_there_already_goes_with_its_entry(catalog: Catalog) -> None:
    first, again = f"{BOT} 7/0", f"{BOT} 8/0"
    entry = await added(catalog, first)
    for _ in range(2):
        await catalog.note_source(entry, again, NOW)
    assert not await is_gone(catalog, again)
    await catalog.remove(entry.id)
    assert await is_gone(catalog, first)
    assert await is_gone(catalog, again)


async def test_a_file_that_no_message_brought_leaves_nothing(catalog: Catalog) -> None:
    entry = await catalog.add(a_file("shared.txt"))
    original = await added(catalog, f"{BOT} 7/0", scope=ROOM)
    assert await catalog.remove(entry.id) == entry
    assert await catalog.find_by_source_message(ROOM, original.owner, f"{BOT} 7/0") == original


async def test_a_message_is_forgotten_when_the_position_has_passed_it(catalog: Catalog) -> None:
    old, new = f"{BOT} 7/0", f"{BOT} 8/0"
    for entry in (await added(catalog, old, age=timedelta(hours=1)), await added(catalog, new)):
        await catalog.remove(entry.id)
    for archive, at in ((BOT, NOW + CLOCKS_DIFFER_BY - timedelta(hours=1)), (TEA, NOW + timedelta(days=9))):
        await catalog.save_position(ArchivePosition(archive, "2", at))
        assert await is_gone(catalog, old)
    later = NOW + CLOCKS_DIFFER_BY - timedelta(minutes=30)
    await catalog.save_position(ArchivePosition(BOT, "3", later))
    assert not await is_gone(catalog, old)
    assert await is_gone(catalog, new)


async def test_nothing_is_remembered_of_what_is_older_than_the_position(catalog: Catalog) -> None:
    entry = await added(catalog, f"{BOT} 7/0", age=CLOCKS_DIFFER_BY + timedelta(seconds=1))
    await catalog.remove(entry.id)
    assert not await is_gone(catalog, f"{BOT} 7/0")


async def test_nothing_is_remembered_of_an_archive_without_a_position(catalog: Catalog) -> None:
    entry = await added(catalog, "other@rooms.example.org 7/0")
    await catalog.remove(entry.id)
    assert not await is_gone(catalog, "other@rooms.example.org 7/0")


@pytest.mark.parametrize("forget", [Catalog.forget_position, Catalog.clear_room])
async def test_it_is_forgotten_with_the_position_and_with_the_room(
    catalog: Catalog, forget: Callable[[Catalog, str], Awaitable[None]]
) -> None:
    for message in (f"{TEA} 7/0", f"{BOT} 7/0"):
        await catalog.remove((await added(catalog, message)).id)
    await getattr(catalog, forget.__name__)(TEA)
    assert not await is_gone(catalog, f"{TEA} 7/0")
    assert await is_gone(catalog, f"{BOT} 7/0")


async def test_of_each_archive_the_latest_are_remembered(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("filebot.catalog.tombstones", "filebot.testing.catalog"):
        monkeypatch.setattr(f"{module}.MOST_TOMBSTONES_OF_ARCHIVE", 2)
    for hours in (3, 1, 2):
        for archive in (BOT, TEA) if hours == 1 else (BOT,):
            entry = await added(catalog, f"{archive} {hours}/0", age=timedelta(hours=hours))
            await catalog.remove(entry.id)
    assert [await is_gone(catalog, f"{BOT} {hours}/0") for hours in (3, 2, 1)] == [False, True, True]
    assert await is_gone(catalog, f"{TEA} 1/0")
