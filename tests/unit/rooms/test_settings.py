"""Parsing of the settings that a room's admins write."""

import pytest

from filebot.errors import BadRoomSetting
from filebot.model import RoomSettings
from filebot.rooms.settings import changed

NOTHING = RoomSettings()
ALL = RoomSettings(archive=True, announce=True, members_only=True, max_size=5, retention_days=5)


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        ("archive on", RoomSettings(archive=True)),
        ("ARCHIVE  On", RoomSettings(archive=True)),
        ("announce yes", RoomSettings(announce=True)),
        ("who-may-get members", RoomSettings(members_only=True)),
        ("max-size 20 MB", RoomSettings(max_size=20_000_000)),
        ("max size 20MiB", RoomSettings(max_size=20 * 2**20)),
        ("max-size 1", RoomSettings(max_size=1)),
        ("retention 90 days", RoomSettings(retention_days=90)),
        ("retention 1 day", RoomSettings(retention_days=1)),
        ("retention 30d", RoomSettings(retention_days=30)),
        ("retention 36500", RoomSettings(retention_days=36500)),
    ],
)
def test_a_setting_is_changed_alone(written: str, settings: RoomSettings) -> None:
    assert changed(NOTHING, written) == settings


def test_every_setting_can_be_undone() -> None:
    settings = ALL
    for written in ("archive off", "announce no", "who-may-get present", "max-size off", "retention never"):
        settings = changed(settings, written)
    assert settings == NOTHING


@pytest.mark.parametrize(
    "written",
    [
        "",
        "archive",
        "archive on off",
        "volume 11",
        "who-may-get everybody",
        "max-size 0",
        "max-size -5 MB",
        "max-size much",
        "max-size nan",
        "max-size 1e400",
        "max-size 1,5 GB",
        "max-size 100%",
        "max-size 20 MB or so",
        "max-size 20 MB" + " " * 100 + "or so",
        "retention 1,5 days",
        "retention 90 days or so",
        "retention 0",
        "retention 36501",
        "retention 99999999999",
        "retention a while",
        "retention ٣",
        "x" * 100_000,
    ],
)
def test_what_makes_no_sense_changes_nothing(written: str) -> None:
    with pytest.raises(BadRoomSetting):
        changed(NOTHING, written)
