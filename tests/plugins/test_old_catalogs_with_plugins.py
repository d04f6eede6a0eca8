"""Catalogs of earlier versions under a bot with each plugin enabled, disabled, and enabled later.

Tables and newest version are read from the code; the rows are those of tests/support/old_rows.py.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from filebot.catalog import open_catalog
from filebot.catalog.database import known_migrations
from filebot.catalog.schema import ADOPTED
from filebot.localserver.botprocess import write_config
from filebot.plugin_loader import bundled
from filebot.testing import ALICE, ROOM, FakeBot, in_room
from tests.support.command_line import filebot
from tests.support.old_catalogs import all_rows, oldest_and_newest, setting_rows
from tests.support.old_rows import FAR, TEAM, TRIGGERED, Row, make_old_catalog

VERSIONS: Final = ("0003", "0004", "0005", "0006", "0007", "0008", "0009")
HEAD: Final = known_migrations().get_current_head() or ""
BUNDLED: Final = {plugin.name: plugin for plugin in bundled()}
OWNING: Final = sorted(
    {name for name, plugin in BUNDLED.items() if plugin.room_settings or plugin.migrations}
    | {*ADOPTED.values()}
)
"""Plugins with room settings or tables of their own."""
CONSENTING: Final = {
    name for name, plugin in BUNDLED.items() if any(each.consent for each in plugin.room_settings)
}
FORGETS: Final = pytest.mark.xfail(
    BUNDLED["archive"].migrations is None,
    reason="the core goes on with history imports, and ends them, without the plugin",
    strict=False,
)


@dataclass
class World:
    """A catalog of an earlier version, and what its rows should become."""

    path: Path
    before: Mapping[str, Sequence[Row]]
    withdrawn: set[str] = field(default_factory=set)
    """Plugins whose consent has ended, as the bot was started without them."""

    async def start(self, *disabled: str) -> None:
        """Start a bot, look at it and at all rows, and stop it."""
        self.withdrawn |= CONSENTING.intersection(disabled)
        async with open_catalog(self.path) as catalog, FakeBot(catalog=catalog, disabled=disabled) as bot:
            bot.rooms.members[ROOM] = frozenset({ALICE})
            assert "Report.pdf" in (await bot.say("find quarter"))[0]
            in_the_room = "".join(await bot.say("ls", in_room()))
            assert all(name in in_the_room for name in ("Report.pdf", "照片.jpg", "minutes.txt"))
            is_on = "room_settings" in self.before and "archive" not in self.withdrawn
            assert bot.rooms.followed.keys() == ({TEAM, FAR} if is_on else set())
        after = all_rows(self.path)
        for table, rows in self.before.items():
            if table not in TRIGGERED | {"room_settings", "fillings"}:
                assert_kept(table, rows, kept_in(table, after))
        settings = [dict(row) for old in self.before.get("room_settings", ()) for row in setting_rows(old)]
        for row in settings:
            if row["plugin"] in self.withdrawn:
                row["value"] = "false"
        assert_kept("room_settings", settings, after["room_settings"])
        assert sorted(map(by_kind, after["sums"])) == sorted(sums(self.before["entries"]))

    def imports(self) -> Sequence[Row]:
        """Return the history imports that there are now."""
        return kept_in("fillings", all_rows(self.path))


@pytest.fixture(params=oldest_and_newest(VERSIONS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    path = tmp_path / "catalog.sqlite"
    return World(path, make_old_catalog(path, request.param))


def kept_in(table: str, after: Mapping[str, Sequence[Row]]) -> Sequence[Row]:
    """Return the rows of what was this table: a plugin that adopted it may have given it another name."""
    return after.get(f"{ADOPTED.get(table)}_{table}") or after[table]


def assert_kept(table: str, rows: Sequence[Row], after: Sequence[Row]) -> None:
    """Each row is there once with all values that it had, and no other row."""
    for row in rows:
        assert [each for each in after if row.items() <= each.items()], (table, row, after)
    assert len(after) == len(rows), (table, after)


def by_kind(row: Row) -> tuple[Any, ...]:
    return row["kind"], row["key"], row["files"], row["used_bytes"]


def sums(entries: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Return the sums over these entries; the same bytes count once for an owner, a scope, and in all."""
    parts: dict[tuple[str, str], list[Row]] = {}
    for row in entries:
        for part in (("owner", row["owner"]), ("scope", row["scope"]), ("all", "")):
            parts.setdefault(part, []).append(row)
    return [
        (*part, len(rows), sum({row["digest"]: row["size"] for row in rows}.values()))
        for part, rows in parts.items()
    ]


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-*"))


async def test_nothing_is_lost_with_all_plugins_and_the_copy_is_the_old_catalog(world: World) -> None:
    old = all_rows(world.path)
    await world.start()
    [copy] = copies(world.path)
    assert copy.name == f"catalog.sqlite.before-{HEAD}"
    assert all_rows(copy) == old
    modified = copy.stat().st_mtime_ns
    await world.start()
    assert copies(world.path) == [copy]
    assert copy.stat().st_mtime_ns == modified
    assert_kept("fillings", world.before.get("fillings", ()), world.imports())


@pytest.mark.parametrize("plugin", OWNING)
async def test_what_a_plugin_has_stays_while_it_is_disabled_and_comes_back_but_for_consent(
    world: World, plugin: str
) -> None:
    for _ in range(2):
        await world.start(plugin)
    assert len(copies(world.path)) == 1
    for _ in range(2):
        await world.start()


@pytest.mark.parametrize("plugin", OWNING)
async def test_a_plugin_that_is_disabled_later_leaves_everything_there(world: World, plugin: str) -> None:
    await world.start()
    await world.start(plugin)
    await world.start()


async def test_all_plugins_with_data_may_be_disabled_at_once(world: World) -> None:
    await world.start(*OWNING)
    await world.start()


@FORGETS
async def test_a_history_import_stays_while_its_plugin_is_disabled(world: World) -> None:
    for _ in range(2):
        await world.start("archive")
        assert_kept("fillings", world.before.get("fillings", ()), world.imports())


async def test_an_older_filebot_ends_with_one_line_on_a_catalog_of_this_one(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    path = folder / "catalog.sqlite"
    await World(path, make_old_catalog(path, VERSIONS[-1])).start()
    # A filebot that does not know the newest migration finds a version unknown to it.
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'later'")
    rows = all_rows(path)
    tables: dict[str, Any] = {
        "data_dir": str(folder),
        "xmpp": {"jid": "filebot@localhost", "password": "secret", "host": "127.0.0.1", "port": 9},
        "access": {"admins": [ALICE]},
    }
    config = write_config(tmp_path / "config.toml", tables)
    code, said = await filebot("run", "--config", str(config))
    assert code == 2
    [line] = said.splitlines()
    assert "newer filebot" in line
    assert str(path) in line
    assert all_rows(path) == rows


def test_the_rows_are_for_the_room_that_the_bot_is_in() -> None:
    assert TEAM == ROOM
