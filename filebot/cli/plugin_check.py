"""Command ``filebot plugin check``: everything that a bot would refuse in a plugin, and what it would not
miss: functions that fail when they run, unused templates, and translations that are not there.

Nothing of a running bot is touched: migrations are tried on a catalog in a folder for the time being.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filebot.catalog import open_catalog
from filebot.cli.bounded_load import LIMIT_S, Place, call_bounded, load_bounded, place_of, told_at
from filebot.cli.plugin_source import PluginSource, sources_at
from filebot.cli.plugin_uses import mistakes_in_uses
from filebot.cli.plugin_words import PluginTexts, declared_at, place_of_template, texts_in, unused_templates
from filebot.errors import ConfigError, FilebotError, PluginError
from filebot.failures import shown
from filebot.plugin import Plugin
from filebot.plugin.examine import mistakes_of
from filebot.plugin_loader import RAISED_BY_PLUGINS, load_declared, migrations_of
from filebot.replies import Replies
from filebot.replies.messages import FoundMessage, messages_in, untranslated, update_catalogues

MIGRATIONS_LIMIT_S: Final = 60.0
"""Time for the migrations of one plugin."""

_MOST_SHOWN: Final = 60
"""Characters of a message that a line shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to change."""

    place: Place | None
    text: str

    def __str__(self) -> str:
        return told_at(self.place, self.text)


def findings_at(path: Path, limit_s: float = LIMIT_S) -> list[Finding]:
    """Return what is to be changed in the plugins at a path. Raises PluginError if there is none."""
    return [finding for source in sources_at(path) for finding in _findings(source, limit_s)]


def _findings(source: PluginSource, limit_s: float) -> Iterator[Finding]:
    try:
        plugin = load_bounded(source.load, limit_s)
    except RAISED_BY_PLUGINS as error:
        yield Finding(place_of(error) or (str(source.path), 1), shown(error))
        return
    yield from _mistakes(plugin)
    try:
        texts = texts_in(source.modules())
        uses = [Finding(place, text) for place, text in mistakes_in_uses(plugin, source.modules())]
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        yield Finding(place_of(error), shown(error))
        return
    yield from uses
    yield from _findings_in_words(plugin, source.path if source.path.is_dir() else source.root, texts)
    if plugin.migrations is not None:
        yield from _findings_in_migrations(plugin)


def _mistakes(plugin: Plugin[Any]) -> Iterator[Finding]:
    """Yield what a bot with the bundled plugins refuses."""
    place, has_any = declared_at(plugin), False
    for mistake in mistakes_of(plugin, Replies().has):
        has_any = True
        yield Finding(place, shown(mistake))
    if has_any:
        return  # loading would tell the first of these again
    try:
        load_declared([plugin], {}, Replies())
    except ConfigError as error:
        yield from (Finding(place, f"its settings: {mistake}") for mistake in error.mistakes)
    except FilebotError as error:
        yield Finding(place, shown(error))


def _findings_in_words(plugin: Plugin[Any], folder: Path, texts: PluginTexts) -> Iterator[Finding]:
    """Yield templates that nothing uses, and messages that a catalogue does not have."""
    for name in unused_templates(plugin, texts):
        place = place_of_template(plugin, name, folder, texts)
        yield Finding(place, f"nothing uses the template '{plugin.name}/{name}'; remove it")
    if plugin.locale is None:
        return
    places = _messages_of(plugin, folder, texts)
    try:
        for each in untranslated(plugin.locale, plugin.name, places):
            if each.is_unused:
                place, text = (str(each.file), each.line), "nothing has the message {}; remove it"
            else:
                place = next(found for message, found in places.items() if message.words == each.words)
                text = f"no translation into {each.language} of {{}}; add it to {each.file}"
                text += f", line {each.line}" if each.line else ""
            yield Finding(place, text.format(_shown(each.words)))
    except PluginError as error:
        yield Finding(declared_at(plugin), shown(error))


def _messages_of(plugin: Plugin[Any], folder: Path, texts: PluginTexts) -> dict[FoundMessage, Place]:
    """Return the messages of a plugin's templates and of the help of its commands."""
    places: dict[FoundMessage, Place] = {}
    for name, text in plugin.templates.items():
        file, line = place_of_template(plugin, name, folder, texts)
        for message in messages_in(text):
            places[message] = (file, line + message.line - 1)
    for command in plugin.commands:
        code = command.handler.__code__
        for words in (command.summary, command.help):
            places.setdefault(FoundMessage(words, None, 0), (code.co_filename, code.co_firstlineno))
    return places


def catalogues_updated(path: Path) -> list[Path]:
    """Bring the catalogues of the plugins at a path up to date; return those that changed.

    Raises PluginError, what a plugin's module raises, OSError, SyntaxError or UnicodeDecodeError.
    """
    changed: list[Path] = []
    for source in sources_at(path):
        plugin = load_bounded(source.load)
        if plugin.locale is not None:
            folder = source.path if source.path.is_dir() else source.root
            messages = _messages_of(plugin, folder, texts_in(source.modules()))
            changed += update_catalogues(plugin.locale, plugin.name, messages)
    return changed


def _shown(words: str | tuple[str, ...]) -> str:
    text = words if isinstance(words, str) else words[0]
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")


def _findings_in_migrations(plugin: Plugin[Any]) -> Iterator[Finding]:
    """Make the plugin's tables in a new catalog, which is thrown away."""

    async def make_tables(folder: Path) -> None:
        async with open_catalog(folder / "catalog.sqlite") as catalog:
            await catalog.plugin_tables.prepare(plugin.name, migrations_of(plugin))

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            call_bounded(
                lambda: asyncio.run(make_tables(Path(folder))), "its migrations", MIGRATIONS_LIMIT_S
            )
        except FilebotError as error:
            yield Finding(declared_at(plugin), shown(error))
