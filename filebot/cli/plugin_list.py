"""Command ``filebot plugin list``: a table of all plugins."""

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from filebot.cli.common import printable
from filebot.cli.plugin_survey import State, Survey, SurveyedPlugin
from filebot.plugin import Plugin

_COLUMNS: Final = ("name", "version", "from", "state", "api", "needs", "commands", "also")
_SHORT: Final = frozenset({"version", "state", "api"})
_WIDTHS: Final = {"name": 8, "needs": 15, "commands": 9}
_PLAIN_WIDTH: Final = 2_000
_COLOURS: Final[dict[State, str]] = {"enabled": "green", "disabled": "dim", "failed": "red"}


def show(found: Survey) -> None:
    """Print a table of all plugins, and every problem below it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH  # a line for each plugin
    table = Table(box=None, pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name in _SHORT, overflow="fold", min_width=_WIDTHS.get(name))
    for each in found.plugins:
        cells = [Text(printable(cell)) for cell in _row(each)]
        cells[_COLUMNS.index("state")].stylize(_COLOURS[each.state])
        table.add_row(*cells)
    console.print(table)
    for each in found.plugins:
        if each.problem:
            text = f"{each.name} ({each.origin}): {each.problem}"
            console.print(Text("✗ ", "red") + Text(printable(text)), soft_wrap=True)
    for mistake in found.mistakes:
        console.print(Text("✗ ", "red") + Text(printable(mistake)), soft_wrap=True)


def _row(found: SurveyedPlugin) -> tuple[str, ...]:
    plugin = found.plugin
    known = ("", "", "", "") if plugin is None else _declared(plugin)
    return (found.name, found.version or "-", found.origin, found.state, *known)


def _declared(plugin: Plugin[Any]) -> tuple[str, str, str, str]:
    """Return the API, the needs, the commands, and what else a plugin declares."""
    return (
        "" if plugin.api is None else str(plugin.api),
        ", ".join(sorted(plugin.needs)),
        ", ".join(command.name for command in plugin.commands),
        ", ".join(_others(plugin)),
    )


def _others(plugin: Plugin[Any]) -> Iterator[str]:
    counts = {
        "listener": len(plugin.listeners) + len(plugin.durable_listeners),
        "check": len(plugin.checks),
        "job": len(plugin.jobs),
        "schedule": len(plugin.schedules),
        "filter": len(plugin.filters),
        "resolver": len(plugin.resolvers),
        "line": len(plugin.entry_lines_specs) + len(plugin.room_lines),
        "room setting": len(plugin.room_settings),
    }
    for word, count in counts.items():
        if count:
            yield f"1 {word}" if count == 1 else f"{count} {word}s"
    if plugin.lives is not None:
        yield "lifespan"
    if plugin.migrations is not None:
        yield "tables"
    if plugin.settings is not None:
        yield "settings"
