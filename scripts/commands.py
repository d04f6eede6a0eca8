"""Write docs/commands.md: all bundled commands, from the declarations in the plugins.

``python scripts/commands.py`` writes it anew. ``--check`` changes nothing and exits 1 if it is out of date.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from filebot.plugin import CommandGroup, RoomSetting
from filebot.plugin.arguments import Kind
from filebot.plugin.declarations import ArgumentDeclaration, CommandDeclaration, declarations
from filebot.plugin.declare import LoadedPlugin, commands_of
from filebot.plugin.permissions import Permission, Place
from filebot.plugin_loader import bundled
from filebot.rooms.setting_types import RoomSettingTable

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "commands.md"

GROUPS: Final = {
    CommandGroup.FILES: "Files",
    CommandGroup.SHARING: "Getting and sharing",
    CommandGroup.ROOMS: "Rooms",
    CommandGroup.TRANSFERS: "Transfers",
    CommandGroup.SETTINGS: "Settings and help",
    CommandGroup.MORE: "Others",
}
"""Headings of the groups that commands declare."""

KINDS: Final = {
    Kind.TEXT: "a text",
    Kind.WORDS: "a text: all that follows",
    Kind.LINK: "a link, such as `https://example.org/report.pdf`",
    Kind.NUMBER: "a number, such as `12`",
    Kind.SIZE: "a size, such as `500 MB` or `1.5 GiB`",
    Kind.DURATION: "a length of time, such as `90 s`, `1 h 30 min` or `2 weeks`",
    Kind.WHEN: "a moment, such as `tomorrow 08:00`, `in 2 hours` or `2026-12-24 18:30`",
    Kind.SWITCH: "`on` or `off`",
    Kind.JID: "the address of a person, such as `bob@example.org`",
    Kind.ROOM: "the name or the address of a room",
    Kind.FILE: "a file: its name, the beginning of its name, or its number, such as `#12`",
    Kind.FILES: "files: a name or its beginning, a number such as `#12`, a pattern such as `*.pdf`, "
    "or several names or numbers",
}
"""Values that can be typed for an argument; a choice has its own words."""
EXACT: Final = "a file: its whole name, or its number, such as `#12`"

PERMISSIONS: Final = {
    Permission.EVERYONE: "everybody whom I answer",
    Permission.SERVED: "people for whom I keep files",
    Permission.OWNER: "people for whom I keep files, and everybody in rooms",
    Permission.ROOM_MEMBER: "members, admins and owners of the room",
    Permission.ROOM_ADMIN: "admins and owners of the room",
    Permission.ADMIN: "admins of the bot",
}
OWNER_OF_FILE: Final = "the owner of the file; in a room, also the room's admins and owners"
"""Permission ``OWNER`` of a command with files."""

PLACES: Final = {
    Place.PRIVATE: "in a private chat",
    Place.ROOM: "in a room, or in a private message through it",
    Place.BOTH: "in a private chat, and in rooms",
}

HEAD: Final = """\
<!-- written by scripts/commands.py; do not edit -->

# Commands

All commands that come with filebot. `help all` shows the same in the chat, and only those that you may use.

* In a private chat, type the command. In a room, put `!` or the bot's name before it: `!ls`, `filebot: ls`.
* Words in small letters are typed as they are. For a word in CAPITALS type a value.
* A word in [brackets] may be left out.
* Put a value in quotes if it has blanks and something follows it: `rename "old name.txt" new.txt`.
* In a reply to a message that shows one file, leave the file's name out.
* In a private chat your own files are meant, in a room the room's files.
* An admin of the bot may use every command, for all files.
"""


def loaded() -> list[LoadedPlugin]:
    """Return the bundled plugins."""
    return [LoadedPlugin(plugin, None) for plugin in bundled()]


def document() -> str:
    """Return the text of docs/commands.md."""
    plugins = loaded()
    commands = declarations(commands_of(plugins))
    settings = RoomSettingTable(each for one in plugins for each in one.plugin.room_settings).all()
    groups = {
        title: [each for each in commands if each.group == group.value] for group, title in GROUPS.items()
    }
    return "\n".join(
        [
            HEAD,
            *index({title: found for title, found in groups.items() if found}),
            *(line for title, found in groups.items() if found for line in section(title, found)),
            *setting_lines(settings),
        ]
    )


def index(groups: dict[str, list[CommandDeclaration]]) -> Iterator[str]:
    """Yield a table of all commands."""
    yield from ("| command | does |", "|---|---|")
    for title, commands in groups.items():
        yield f"| **{title}** | |"
        for command in commands:
            yield f"| [`{command.name}`](#{command.name}) | {cell(command.summary)} |"
    yield ""


def section(title: str, commands: Iterable[CommandDeclaration]) -> Iterator[str]:
    """Yield the lines about the commands of one group."""
    yield from (f"## {title}", "")
    for command in commands:
        yield from (f"### {command.name}", "", "```", *command.usages, "```", "")
        for paragraph in command.help.splitlines():
            yield from (plain(paragraph), "")
        if command.aliases:
            yield f"* **Other names**: {', '.join(f'`{each}`' for each in command.aliases)}"
        yield f"* **For**: {people(command)}"
        yield f"* **Where**: {PLACES[Place(command.place)]}"
        for argument in command.arguments:
            yield f"* **{argument.word}**: {value_of(argument)}"
        yield ""


def people(command: CommandDeclaration) -> str:
    """Return who may use a command."""
    permission = Permission(command.permission)
    has_files = any(Kind(each.kind).is_file for each in command.arguments)
    return OWNER_OF_FILE if permission is Permission.OWNER and has_files else PERMISSIONS[permission]


def value_of(argument: ArgumentDeclaration) -> str:
    """Return what people can type for an argument."""
    kind = Kind(argument.kind)
    if kind is Kind.CHOICE:
        text = ", ".join(f"`{each}`" for each in argument.choices[:-1])
        text = f"{text} or `{argument.choices[-1]}`" if text else f"`{argument.choices[0]}`"
    elif argument.is_exact:
        text = EXACT
    elif argument.lowest is not None:
        text = f"a number from {argument.lowest} to {argument.highest}"
    else:
        text = KINDS[kind]
    return text if argument.is_required else f"{text}; may be left out"


def setting_lines(settings: Iterable[RoomSetting[Any]]) -> Iterator[str]:
    """Yield a table of the settings that ``room set`` changes."""
    yield from (
        "## Settings of a room",
        "",
        "For `room set SETTING`:",
        "",
        "| type | until then |",
        "|---|---|",
    )
    for each in settings:
        shown = {None: "off", False: "off", True: "on"}.get(each.default, each.default)
        yield f"| `{each.name}` {' or '.join(f'`{form}`' for form in each.form.split('|'))} | `{shown}` |"
    yield ""


def plain(text: str) -> str:
    """Return a text of which Markdown changes nothing."""
    return text.replace("*", r"\*").replace("_", r"\_")


def cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return plain(text).replace("|", r"\|")


def main() -> int:
    """Write the document, or only check it; 1 if it is out of date."""
    text = document()
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(text, encoding="utf-8")
    elif not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
        sys.stderr.write("docs/commands.md is out of date; run: python scripts/commands.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
