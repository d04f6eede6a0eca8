"""Room settings of catalogs of earlier versions, with plugins enabled, disabled, and enabled later."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from filebot.catalog import open_catalog
from filebot.testing import ROOM, FakeBot
from tests.support.old_catalogs import make_filled_catalog, oldest_and_newest

OTHER: Final = "other@muc.example.org"
PLUGINS: Final = ("announce", "archive", "retention")


def old_catalog(path: Path, version: str) -> None:
    """Make a catalog of this version, in which a room has every setting, and another one none."""
    make_filled_catalog(path, version)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM room_settings")
        connection.executemany(
            "INSERT INTO room_settings VALUES (?, ?, ?, ?, ?, ?)",
            [(ROOM, 1, 1, 1, 20_000_000, 90), (OTHER, 0, 0, 0, None, None)],
        )


async def settings(path: Path, disabled: Collection[str] = ()) -> dict[str, Any]:
    """Start a bot with this catalog; return what holds in the room."""
    async with open_catalog(path) as catalog, FakeBot(catalog=catalog, disabled=disabled) as bot:
        other = bot._services.room_settings.of(OTHER)
        assert not any(value not in {None, False, "present"} for value in other.values())
        assert bot.rooms.followed.keys() == (
            {ROOM} if bot._services.room_settings.of(ROOM).get("archive") else set()
        )
        return dict(bot._services.room_settings.of(ROOM))


ALL: Final = {
    "archive": True,
    "announce": True,
    "who-may-get": "members",
    "max-size": 20_000_000,
    "retention": 90,
}


@pytest.mark.parametrize("version", oldest_and_newest(["0004", "0005", "0006", "0007", "0009"]))
async def test_settings_of_an_old_catalog_hold(tmp_path: Path, version: str) -> None:
    path = tmp_path / "catalog.sqlite"
    old_catalog(path, version)
    for _ in range(2):
        assert await settings(path) == ALL


@pytest.mark.parametrize("version", oldest_and_newest(["0004", "0007", "0009"]))
async def test_settings_come_back_with_their_plugin_but_for_consent(tmp_path: Path, version: str) -> None:
    path = tmp_path / "catalog.sqlite"
    old_catalog(path, version)
    core = {name: value for name, value in ALL.items() if name not in PLUGINS}
    assert await settings(path, PLUGINS) == core
    assert await settings(path, ["room"]) == core
    assert await settings(path) == ALL | {"archive": False}


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_one_plugin_that_is_disabled_concerns_no_other(tmp_path: Path, plugin: str) -> None:
    path = tmp_path / "catalog.sqlite"
    old_catalog(path, "0007")
    left = {name: value for name, value in ALL.items() if name != plugin}
    assert await settings(path, [plugin]) == left
    assert await settings(path) == ALL | ({"archive": False} if plugin == "archive" else {})
