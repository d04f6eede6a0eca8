"""A bot without one of the bundled plugins lacks what that plugin declares, and nothing else."""

import asyncio
import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import pytest

from filebot.app import Bot, assembled
from filebot.config.load import load
from filebot.model import Invitation
from filebot.plugin import Plugin
from filebot.plugin_loader import bundled
from filebot.testing import ADMIN, ALICE, ROOM, FakeBot, in_room
from filebot.testing.messenger import Said
from tests.support.reachable import functions_reached

PLUGINS: Final[Mapping[str, Plugin[Any]]] = {plugin.name: plugin for plugin in bundled()}
CORE_SETTINGS: Final = {"who-may-get", "max-size"}
NUMBERED: Final = re.compile(r"\d+")

each_plugin = pytest.mark.parametrize("name", PLUGINS)


@dataclass(frozen=True)
class Snapshot:
    """Names of all that a bot has, by kind."""

    words: frozenset[str]
    """Commands and their other names."""
    listeners: frozenset[tuple[str, str]]
    """Listeners in the process, each with its plugin."""
    jobs: frozenset[tuple[str, str]]
    """Kinds of jobs in the queue: jobs, schedules, and listeners that are called by jobs."""
    tasks: frozenset[str]
    features: frozenset[str]
    """Features that the bot names to others (XEP-0030)."""
    room_settings: frozenset[str]
    settings: frozenset[str]
    """Plugins that are given settings."""
    templates: frozenset[str]
    """Templates beside those of the core."""
    tables: frozenset[str]

    def without(self, other: "Snapshot") -> "Snapshot":
        """Return what is here and not in another one."""
        return Snapshot(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))


NOTHING: Final = Snapshot(*(frozenset() for _ in fields(Snapshot)))


def snapshot(bot: Bot, folder: Path) -> Snapshot:
    """Look into a running bot."""
    calls, channel = bot.dispatcher._texts._plugins, bot.dispatcher._channel
    commands = calls._commands.all()
    recorder: Any = channel.events.recorder
    durable = [] if recorder is None else recorder._listeners
    kinds = {(kind.plugin, kind.name) for kind in bot.jobs._works}
    assert kinds >= {(each.plugin, each.job) for each in durable}
    with closing(sqlite3.connect(folder / "data/catalog.sqlite")) as catalog:
        tables = {name for (name,) in catalog.execute("SELECT name FROM plugin_tables")}
    return Snapshot(
        words=frozenset(word for each in commands for word in (each.name, *each.aliases)),
        listeners=frozenset((each.plugin, each.hook) for each in calls.listeners._listeners),
        jobs=frozenset(kinds),
        tasks=frozenset(NUMBERED.sub("N", each.get_name()) for each in asyncio.all_tasks()),
        features=bot.session._features,
        room_settings=frozenset(each.name for each in bot.dispatcher._room_settings._table.all()),
        settings=frozenset(calls._settings),
        templates=frozenset(channel.reply_sender.replies._inline),
        tables=frozenset(tables),
    )


def declared(plugin: Plugin[Any]) -> Snapshot:
    """Return what a plugin says that it has."""
    settings = {each.name for each in plugin.room_settings}
    if any(command.name == "room" for command in plugin.commands):
        # Without that command nobody could see or change a setting, so there are none.
        settings |= {each.name for other in PLUGINS.values() for each in other.room_settings}
    return Snapshot(
        words=frozenset(word for each in plugin.commands for word in (each.name, *each.aliases)),
        listeners=frozenset((plugin.name, each.hook) for each in plugin.listeners),
        jobs=frozenset(
            (plugin.name, name)
            for name in (
                *plugin.jobs,
                *(each.job for each in plugin.durable_listeners),
                *(f"schedule {each}" for each in plugin.schedules),
            )
        ),
        tasks=frozenset(),
        features=frozenset(),
        room_settings=frozenset(settings),
        settings=frozenset({plugin.name}),
        templates=frozenset(f"{plugin.name}/{name}.txt" for name in plugin.templates),
        tables=frozenset(),
    )


def config(folder: Path, disabled: Iterable[str] = ()) -> Path:
    """Write the config of a bot that connects to nobody."""
    names = ", ".join(f'"{name}"' for name in disabled)
    file = folder / "config.toml"
    file.write_text(
        f'[xmpp]\njid = "bot@example.org"\npassword = "hunter2"\n[plugins]\ndisabled = [{names}]\n'
    )
    file.chmod(0o600)
    return file


async def look(folder: Path, *disabled: str) -> tuple[Snapshot, set[object]]:
    """Start a bot and return its snapshot, and all functions that it could call."""
    file = config(folder, disabled)
    async with assembled(load(file, {}), lambda: load(file, {})) as bot:
        try:
            return snapshot(bot, folder), {*functions_reached(bot)}
        finally:
            await bot.session.stop()


@pytest.fixture(scope="module")
def whole_bot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, set[object]]:
    return asyncio.run(look(tmp_path_factory.mktemp("whole")))


@each_plugin
async def test_a_running_bot_without_a_plugin_lacks_what_it_declares_and_nothing_else(
    tmp_path: Path, whole_bot: tuple[Snapshot, set[object]], name: str
) -> None:
    plugin, hooks = PLUGINS[name], {handler for _, handler in PLUGINS[name].hooks()}
    whole, called = whole_bot
    assert hooks <= called
    less, called = await look(tmp_path, name)
    assert less.without(whole) == NOTHING
    expected, lacking = declared(plugin), whole.without(less)
    for each in fields(Snapshot):
        if each.name != "tables":
            assert getattr(lacking, each.name) == getattr(expected, each.name), each.name
    assert bool(lacking.tables) == (plugin.migrations is not None)
    assert not hooks & called  # nor by a kind of hook that this module knows nothing of


@each_plugin
async def test_the_help_without_a_plugin_lacks_its_commands_and_nothing_else(name: str) -> None:
    plugin, askers = PLUGINS[name], (ALICE, ADMIN, in_room(), in_room(ADMIN, "admin"))
    async with FakeBot() as whole, FakeBot(disabled=[name]) as less:
        for bot in (whole, less):
            bot.rooms.occupants[ROOM] |= {ADMIN}
            bot.rooms.managers[ROOM] = frozenset({ADMIN})
        for asker in askers:
            if name == "help":
                assert "I do not understand" in (await less.say("help", asker))[0]
                continue
            [there], [here] = await whole.say("help all", asker), await less.say("help all", asker)
            commands = {each.usage[0] for each in plugin.commands}
            gone = [line for line in there.splitlines() if line not in here.splitlines()]
            gone = [line for line in gone if line and not line.endswith(":")]  # headings of empty groups
            assert {line.partition(": ")[0] for line in gone} <= commands
            assert set(here.splitlines()) <= set(there.splitlines())
            assert not any(
                line.startswith(f"{usage}: ") for line in here.splitlines() for usage in commands
            )


@each_plugin
async def test_the_words_of_a_plugin_that_is_disabled_are_unknown(name: str) -> None:
    async with FakeBot(disabled=[name]) as bot:
        for command in PLUGINS[name].commands:
            for word in (command.name, *command.aliases):
                for asker in (ALICE, in_room()):
                    assert all("I do not understand" in each for each in await bot.say(word, asker)), word


HINT: Final = re.compile(r"(?:type: |请输入：)!?(\w+)")
"""Command at the end of a line, see docs/style.md."""


async def talk(bot: FakeBot, language: str) -> None:
    """Say and do what is answered with hints at commands."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.catalog.set_language(ALICE, language)
    for asker in (ALICE, in_room()):
        for text in ("ls", "find nothing", "more", "keep", "nonsense", "get nothing", "cancel 7", "room"):
            await bot.say(text, asker)
        await bot.say("archive history off", asker)
        await bot.say("archive history of 3 days", asker)
        await bot.say("room set archive on", asker)
    for _ in range(2):
        await bot.drop("plan.pdf", b"plan")
    await bot.say("https://elsewhere.example.net/a.pdf")
    await bot.say("send plan.pdf to nobody@rooms.example.org")
    await bot.invite(Invitation("other@conference.example.org", ALICE))


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@each_plugin
async def test_no_reply_names_a_command_that_is_not_there(name: str, language: str) -> None:
    gone = {word for each in PLUGINS[name].commands for word in (each.name, *each.aliases)}
    async with FakeBot() as whole, FakeBot(disabled=[name]) as less:
        for bot in (whole, less):
            await talk(bot, language)
    there, here = (
        {word for said in bot.messenger.sent if isinstance(said, Said) for word in HINT.findall(said.text)}
        for bot in (whole, less)
    )
    assert here <= there - gone
    assert len(there) >= 8


def room_settings_shown(answers: Iterable[str]) -> set[str]:
    """Return the settings that the answer to ``room`` has."""
    names = [
        *CORE_SETTINGS,
        *(each.name for plugin in PLUGINS.values() for each in plugin.room_settings),
    ]
    return {name for name in names for answer in answers if f"\n{name}" in answer}


@pytest.mark.parametrize("name", [name for name, plugin in PLUGINS.items() if plugin.room_settings])
async def test_a_room_setting_of_a_plugin_that_is_disabled_is_neither_shown_nor_set(name: str) -> None:
    own = {each.name for each in PLUGINS[name].room_settings}
    async with FakeBot() as whole, FakeBot(disabled=[name]) as less:
        there, here = await whole.say("room", in_room()), await less.say("room", in_room())
        assert room_settings_shown(there) - room_settings_shown(here) == own
        assert room_settings_shown(here) >= CORE_SETTINGS
        less.rooms.managers[ROOM] = frozenset({ALICE})
        for each in PLUGINS[name].room_settings:
            value = each.kind.form.partition("|")[0]
            [refused] = await less.say(f"room set {each.name} {value}", in_room())
            assert f'My operator has turned "{each.name}" off' in refused
            assert less.rooms.followed == {}
