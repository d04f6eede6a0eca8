"""Room settings: what their admins write, and what plugins declare."""

from typing import Any

import pytest

from filebot.errors import BadRoomSetting, PluginError
from filebot.model import SavedRoomSetting, SettingKey
from filebot.plugin import ByteSize, Choice, Number, Plugin
from filebot.plugin_loader import bundled
from filebot.rooms.setting_types import OnOff, RoomSetting, RoomSettingTable
from filebot.rooms.settings import RoomSettingsStore
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.xmpp import FixedRooms

ROOM = "team@muc.example.org"
NOTES = {SettingKey("archive", "archive"): "I keep what is posted."}


@pytest.fixture
def table() -> RoomSettingTable:
    return RoomSettingTable([each for plugin in bundled() for each in plugin.room_settings])


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ("archive on", "archive", True),
        ("ARCHIVE  On", "archive", True),
        ("archive off", "archive", False),
        ("announce yes", "announce", True),
        ("announce no", "announce", False),
        ("who-may-get members", "who-may-get", "members"),
        ("who may get present", "who-may-get", "present"),
        ("max-size 20 MB", "max-size", 20_000_000),
        ("max size 20MiB", "max-size", 20 * 2**20),
        ("max-size 1", "max-size", 1),
        ("max-size off", "max-size", None),
        ("retention 90 days", "retention", 90),
        ("retention 1 day", "retention", 1),
        ("retention 30d", "retention", 30),
        ("retention 36500", "retention", 36500),
        ("retention never", "retention", None),
    ],
)
def test_a_setting_is_read_as_people_write_it(
    table: RoomSettingTable, written: str, name: str, value: object
) -> None:
    setting, read = table.parse(written)
    assert (setting.name, read) == (name, value)
    assert setting.read(read) == value


@pytest.mark.parametrize(
    "written",
    [
        "",
        "archive",
        "archive on off",
        "volume 11",
        "who-may-get everybody",
        "who-may-get off",
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
def test_what_makes_no_sense_changes_nothing(table: RoomSettingTable, written: str) -> None:
    with pytest.raises(BadRoomSetting):
        table.parse(written)


def test_settings_are_listed_by_consent_kind_and_name(table: RoomSettingTable) -> None:
    assert [(each.name, each.form) for each in table.all()] == [
        ("archive", "on|off"),
        ("announce", "on|off"),
        ("who-may-get", "present|members"),
        ("max-size", "20 MB|off"),
        ("retention", "90 days|off"),
    ]


@pytest.mark.parametrize(
    ("arguments", "named", "words"),
    [
        (("Loud", OnOff(), False), {}, "single hyphens only"),
        (("very loud", OnOff(), False), {}, "single hyphens only"),
        (("loud", OnOff(), True), {"consent": True}, "off by default"),
        (("loud", ByteSize(), 1), {"consent": True}, "off by default"),
        (("loud", OnOff(), False), {"consent": True}, 'write consent=True, presence="..."'),
        (("loud", OnOff(), False), {"presence": "noisy/on"}, 'write consent=True, presence="..."'),
        (("loud", OnOff(), 1), {}, "1 is no value for on|off"),
        (("loud", Choice("a", "b"), "c"), {}, "'c' is no value for a|b"),
        (("loud", Number("day", most=5), 6), {}, "6 is no value for 10 days"),
        (("loud", Number("day", most=5), True), {}, "True is no value"),
    ],
)
def test_what_can_be_no_setting_is_refused_at_its_declaration(
    arguments: tuple[Any, ...], named: dict[str, Any], words: str
) -> None:
    with pytest.raises(PluginError) as refused:
        RoomSetting("noisy", *arguments, **named)
    assert words in str(refused.value)


def test_two_settings_of_one_name_are_refused() -> None:
    plugin = Plugin[None]("noisy", api=1)
    plugin.room_setting("max-size", bool, default=False)
    with pytest.raises(PluginError, match="'filebot' and 'noisy' both have a room setting 'max-size'"):
        RoomSettingTable(plugin.room_settings)
    with pytest.raises(PluginError, match="two room settings 'max-size'"):
        plugin.room_setting("max-size", bool, default=False)


async def test_a_saved_value_that_is_none_any_more_is_as_by_default(
    table: RoomSettingTable, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = MemoryCatalog()
    for name, value in (("retention", "ten"), ("announce", True)):
        await catalog.save_room_setting(SavedRoomSetting(ROOM, SettingKey(name, name), value))
    store = RoomSettingsStore(catalog, FixedRooms({}), table, NOTES)
    await store.open()
    assert (store.of(ROOM)["retention"], store.of(ROOM)["announce"]) == (None, True)
    assert "retention of team@muc.example.org cannot be 'ten'; it is as by default" in caplog.text


async def test_consent_ends_with_its_plugin_and_other_settings_come_back(table: RoomSettingTable) -> None:
    catalog, rooms = MemoryCatalog(), FixedRooms({})
    first = RoomSettingsStore(catalog, rooms, table, NOTES)
    for text in ("archive on", "announce on"):
        await first.change(ROOM, text)
    assert rooms.followed.keys() == {ROOM}
    await RoomSettingsStore(catalog, rooms, RoomSettingTable(), {}).open()
    assert rooms.followed == {}
    again = RoomSettingsStore(catalog, rooms, table, NOTES)
    await again.open()
    assert (again.of(ROOM)["archive"], again.of(ROOM)["announce"]) == (False, True)
    assert rooms.followed == {}
