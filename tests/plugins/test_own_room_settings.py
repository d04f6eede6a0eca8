"""Room settings that a plugin declares, from its declaration to the answer of ``room``."""

import logging
from pathlib import Path
from typing import Any

import pytest

from filebot.plugin import Choice, Context, Number, Plugin, RoomAccess, deprecated
from filebot.plugin_loader import load
from filebot.replies import Replies
from filebot.testing import ALICE, ROOM, FakeBot, in_room
from tests.support.manual import example

ANNA = in_room(ALICE, "anna")


async def test_the_example_of_a_room_setting_works() -> None:
    async with FakeBot(example("thanks").plugin) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.drop("a.txt", b"a", ANNA)
        assert "Thank you!" not in await bot.say("keep", ANNA)
        assert "thanks off: I do not thank for files." in (await bot.say("room", ANNA))[0]
        assert "thanks on: I thank for files." in (await bot.say("room set thanks on", ANNA))[0]
        await bot.drop("b.txt", b"b", ANNA)
        assert "Thank you!" in await bot.say("keep", ANNA)
        assert "room set thanks on|off" in (await bot.say("room set thanks very", ANNA))[0]
        await bot.destroy(ROOM)
        assert await bot.catalog.room_settings() == []


def plugin_with_settings() -> Plugin[None]:
    plugin = Plugin[None](
        "tone", api=1, needs={"rooms"}, templates={"changed": "{{ state.settings['tone'] }} from now on"}
    )
    tone = plugin.room_setting("tone", Choice("loud", "quiet"), default="quiet", told="tone/changed")
    often = plugin.room_setting("every", Number("hour", most=24), default=None)

    @plugin.command("tone", usage="tone")
    async def show(ctx: Context[None]) -> None:
        """Show the tone."""
        values = (ctx.rooms.setting(tone), ctx.rooms.setting(often), *ctx.rooms.rooms_with(often))
        await ctx.reply("tone/said", values=values)

    plugin.templates["said"] = "{{ values|join(' ') }}"
    return plugin


async def test_a_setting_without_words_is_shown_and_everybody_is_told_of_a_change() -> None:
    async with FakeBot(plugin_with_settings()) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        [shown] = await bot.say("room", ANNA)
        assert "tone: quiet" in shown
        assert "every off" in shown
        assert await bot.say("tone", ALICE) == ["quiet None"]
        assert await bot.say("room set tone loud", ANNA) == ["loud from now on"]
        await bot.say("room set every 12 hours", ANNA)
        assert await bot.say("tone", ANNA) == [f"loud 12 {ROOM}"]


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        (
            "'retention', bool, default=False",
            "'retention' and 'odd' both have a room setting 'retention'",
        ),
        (
            "'odd', bool, default=False, told='odd/nope'",
            "room setting 'odd' of plugin 'odd': there is no template 'odd/nope'",
        ),
        (
            "'odd', bool, default=False, words='{{ nope }}'",
            "room setting 'odd' of plugin 'odd': its words fail: line 1: 'nope' is undefined",
        ),
    ],
)
def test_a_plugin_with_a_setting_that_cannot_be_is_left_out(
    tmp_path: Path, setting: str, reason: str
) -> None:
    (tmp_path / "odd.py").write_text(
        "from filebot.plugin import Plugin\n"
        "plugin = Plugin('odd', api=1)\n"
        f"plugin.room_setting({setting})\n"
    )
    told = list[str]()
    loaded = load({}, Replies(), paths=[tmp_path], left_out=told.append)
    assert "retention" in {each.plugin.name for each in loaded}
    assert "odd" not in {each.plugin.name for each in loaded}
    assert reason in told[0]


async def test_old_attributes_of_the_settings_work_with_one_warning(
    bot: FakeBot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set who-may-get members", ANNA)
    deprecated._warned.clear()
    settings: Any = (await RoomAccess(bot._services.rooms, ANNA).state()).settings
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        assert (settings.members_only, settings.max_size, settings.archive) == (True, None, False)
    assert len([each for each in caplog.messages if "RoomState.settings.members_only" in each]) == 1
    with pytest.raises(AttributeError):
        _ = settings.nothing
