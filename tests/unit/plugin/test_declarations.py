"""Declarations of commands as data, and what is made of the same declarations."""

import json
from dataclasses import asdict

from filebot.plugin.declarations import CommandDeclaration, declarations
from filebot.plugin.declare import LoadedPlugin, commands_of
from filebot.plugin_loader import bundled
from filebot.testing import FakeBot


def bundled_declarations() -> dict[str, CommandDeclaration]:
    commands = commands_of([LoadedPlugin(plugin, None) for plugin in bundled()])
    return {each.name: each for each in declarations(commands)}


def test_a_declaration_has_all_that_a_form_needs() -> None:
    found = bundled_declarations()
    assert asdict(found["get"]) | {"help": ""} == {
        "plugin": "delivery",
        "name": "get",
        "aliases": ("download", "获取", "下载"),
        "usages": ("get NAME", "get NAME by METHOD"),
        "summary": "Get a file back, or several.",
        "help": "",
        "arguments": (
            {
                "name": "name",
                "word": "NAME",
                "kind": "files",
                "is_required": True,
                "is_exact": False,
                "choices": (),
                "lowest": None,
                "highest": None,
            },
            {
                "name": "method",
                "word": "METHOD",
                "kind": "choice",
                "is_required": False,
                "is_exact": False,
                "choices": ("http", "socks5", "ibb"),
                "lowest": None,
                "highest": None,
            },
        ),
        "permission": "everyone",
        "place": "both",
        "group": "sharing",
    }
    [days] = found["archive"].arguments
    assert (days.kind, days.lowest, days.highest, days.is_required) == ("number", 1, 99_999, False)
    assert (found["archive"].place, found["doctor"].place) == ("room", "private")
    [name] = found["rm"].arguments
    assert (name.kind, name.is_exact, found["rm"].permission) == ("files", True, "owner")
    assert not any(argument.is_required for argument in found["help"].arguments)


def test_declarations_are_plain_data() -> None:
    for each in bundled_declarations().values():
        assert json.loads(json.dumps(asdict(each)))["name"] == each.name


async def test_the_help_says_what_is_declared() -> None:
    async with FakeBot() as bot:
        for name, declared in bundled_declarations().items():
            [said] = await bot.say(f"help {name}")
            assert said.splitlines()[: len(declared.usages)] == list(declared.usages)
            assert declared.help.splitlines()[0] in said
