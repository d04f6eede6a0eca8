"""Tables of the room archives: they were the core's, and are their plugin's with all their rows."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from filebot.catalog import open_catalog
from filebot.model import Address, AddressKind, HistoryImport, Scope
from filebot.plugin import PluginDatabase
from filebot.plugin_loader import bundled, load, migrations_of, with_tables
from filebot.ports import Catalog
from filebot.replies import Replies
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room
from filebot.testing.catalog import MemoryCatalog
from plugins.archive import imports, wishes
from tests.support.old_catalogs import all_rows, make_filled_catalog

ADOPTED: Final = ("opt_outs", "unwanted", "fillings")
NOW: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def start(path: Path, *disabled: str) -> None:
    """Start and end a bot with this catalog."""
    async with open_catalog(path) as catalog, FakeBot(catalog=catalog, disabled=disabled):
        pass


@pytest.mark.parametrize("version", ["0003", "0004", "0007", "0009", "0013"])
@pytest.mark.parametrize("course", ["enabled", "disabled", "enabled later"])
async def test_no_row_is_lost_whether_the_plugin_is_there_or_not(
    tmp_path: Path, version: str, course: str
) -> None:
    path = tmp_path / "catalog.sqlite"
    before = make_filled_catalog(path, version)
    if course != "enabled":
        await start(path, "archive")
        between = all_rows(path)
        for table in ADOPTED:
            assert between[table] == before.get(table, [])
        assert "alembic_version_archive" not in between
    if course != "disabled":
        for _ in range(2):
            await start(path)
        after = all_rows(path)
        for table in ADOPTED[:2]:
            assert after[table] == before.get(table, [])
        assert after["fillings"] == [row | {"turn": 0} for row in before.get("fillings", [])]
        owned = {row["name"] for row in after["plugin_tables"] if row["plugin"] == "archive"}
        assert owned == {*ADOPTED, "alembic_version_archive"}
        await start(path, "archive")
        again = all_rows(path)
        assert [again[table] for table in ADOPTED] == [after[table] for table in ADOPTED]


async def test_tables_of_a_newer_version_leave_the_archive_out_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    await start(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version_archive SET version_num = '9999'")
    told = list[str]()
    async with open_catalog(path) as catalog:
        left = await with_tables(load({}, Replies()), catalog.plugin_tables, told.append)
    assert "archive" not in {each.plugin.name for each in left}
    [line] = told
    assert line.startswith("plugin archive cannot be used: its tables are of a newer version")
    assert "\n" not in line


@pytest.fixture(params=["database", "memory"])
async def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    [plugin] = [each for each in bundled() if each.name == "archive"]
    if request.param == "memory":
        memory = MemoryCatalog()
        await memory.plugin_tables.prepare("archive", migrations_of(plugin))
        yield memory
        return
    async with open_catalog(tmp_path / "catalog.sqlite") as opened:
        await opened.plugin_tables.prepare("archive", migrations_of(plugin))
        yield opened


async def test_imports_are_kept_one_for_each_room(catalog: Catalog) -> None:
    db = PluginDatabase(catalog.plugin_tables, "archive")
    address = Address("a@muc.example.org/anna", AddressKind.ROOM_PRIVATE, "a@muc.example.org/1d")
    day = timedelta(days=1)
    first = HistoryImport("b@muc.example.org", ALICE, address, "de", NOW, NOW + day, "id", 50, 2, 1)
    second = HistoryImport("a@muc.example.org", "", Address(ALICE), None, NOW, NOW)
    assert await imports.begin(db, imports.Progress(replace(first, last_id="", messages=0), 5))
    assert not await imports.begin(db, imports.Progress(first, 6))
    assert await imports.begin(db, imports.Progress(second, 7))
    assert not await imports.save(db, imports.Progress(first, 4))
    assert await imports.save(db, imports.Progress(first, 5))
    assert await imports.pass_on(db, imports.Progress(first, 5))
    assert not await imports.pass_on(db, imports.Progress(first, 5))
    assert await imports.import_of(db, first.room) == imports.Progress(first, 6)
    assert await imports.turns(db) == [(second.room, 7), (first.room, 6)]
    assert await imports.forget(db, second.room) == second
    assert await imports.forget(db, second.room) is None
    await catalog.clear_room(first.room)
    assert await imports.turns(db) == []


async def test_of_each_room_the_latest_unwanted_bytes_are_kept(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishes, "MOST_UNWANTED", 2)
    async with FakeBot(catalog=catalog) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("room set archive on", in_room(ALICE))
        for name in "abc":
            await bot.drop(f"{name}.txt", name.encode(), in_room(BOB))
        await bot.say("archive off for me", in_room(BOB))
        for name in "abc":
            await bot.drop(f"{name}.txt", name.encode(), in_room(ALICE))
        assert await catalog.count(Scope(room=ROOM)) == 1
        await bot.say("archive on for me", in_room(BOB))
        await bot.drop("d.txt", b"d", in_room(BOB))
        await bot.drop("c.txt", b"c", in_room(ALICE))
        await bot.drop("b.txt", b"b", in_room(ALICE))
        assert await catalog.count(Scope(room=ROOM)) == 3
