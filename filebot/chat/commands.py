"""Text -> command -> call -> reply: the table of commands, and the plugins' listeners."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz import fuzz, process

from filebot.chat.conversation import errors_in_words
from filebot.errors import BadCommand, PluginError, UnknownCommand
from filebot.events.facts import Event
from filebot.model import Sender
from filebot.plugin.context import Channel, Context, Conversation
from filebot.plugin.declare import CommandSpec, Plugin
from filebot.plugin.files import Files
from filebot.plugin.own_data import OwnData
from filebot.plugin.rooms import RoomAccess

log = logging.getLogger(__name__)

LISTENER_LIMIT_S: Final = 60.0
SUGGESTION_SCORE: Final = 60.0
"""Lowest similarity, of 100, at which one word is suggested for another."""


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin with its settings checked."""

    plugin: Plugin[Any]
    settings: object


class CommandTable:
    """Commands by name and alias."""

    def __init__(self, plugins: Iterable[LoadedPlugin]) -> None:
        self._commands: list[CommandSpec] = []
        self._settings: dict[str, object] = {}
        self._by_word: dict[str, CommandSpec] = {}
        for loaded in plugins:
            self._settings[loaded.plugin.name] = loaded.settings
            for command in loaded.plugin.commands:
                self._add(command)

    def _add(self, command: CommandSpec) -> None:
        self._commands.append(command)
        for word in (command.name, *command.aliases):
            if word in self._by_word:
                other = self._by_word[word].plugin
                raise PluginError(f"both plugins {other!r} and {command.plugin!r} have a command {word!r}")
            self._by_word[word] = command

    def all(self) -> Sequence[CommandSpec]:
        return sorted(self._commands, key=lambda command: command.name)

    def named(self, name: str) -> CommandSpec | None:
        return self._by_word.get(name.casefold().removeprefix("!"))

    def nearest(self, word: str) -> tuple[str, ...]:
        names = [command.name for command in self._commands]
        found = process.extract(
            word.casefold()[:40], names, scorer=fuzz.ratio, limit=2, score_cutoff=SUGGESTION_SCORE
        )
        return tuple(name for name, _, _ in found)

    def settings_of(self, plugin: str) -> object:
        """Return the checked settings of a plugin."""
        return self._settings[plugin]


class Commands:
    """Runs commands, and calls the listeners of events."""

    def __init__(
        self,
        plugins: Sequence[LoadedPlugin],
        channel: Channel,
        files_of: Callable[[Sender, str], Files],
        rooms_of: Callable[[Sender], RoomAccess],
        own_data_of: Callable[[str], OwnData],
    ) -> None:
        """``files_of`` and ``rooms_of`` give what a sender sees; files speak the language given.
        ``own_data_of`` gives what the plugin of this name keeps.
        """
        self.table = CommandTable(plugins)
        self._channel = channel
        self._files_of = files_of
        self._rooms_of = rooms_of
        self._own_data = {loaded.plugin.name: own_data_of(loaded.plugin.name) for loaded in plugins}
        self._listeners = [
            (loaded.plugin.name, kind, listener)
            for loaded in plugins
            for kind, listener in loaded.plugin.listeners
        ]
        channel.events.listen(self.notify)

    async def conversation(
        self, sender: Sender, client_language: str | None, *, replies_to: str = "", action: str = ""
    ) -> Conversation:
        """Begin to answer somebody; ``replies_to`` is the id of the message that theirs is a reply to."""
        language = await self._channel.reply_sender.language_of(sender.identity, client_language)
        return Conversation(self._channel, sender, language, replies_to=replies_to, action=action)

    async def run(self, conversation: Conversation, text: str) -> None:
        """Run the command that ``text`` is. Every mistake is answered; nothing is raised."""
        async with errors_in_words(conversation):
            word, rest = (*text.split(maxsplit=1), "", "")[:2]
            command = self.table.named(word)
            if command is None:
                raise UnknownCommand(word[:40], suggestions=self.table.nearest(word))
            conversation.action = command.name
            usage, values = _matched(command, rest)
            await command.handler(self._context(command.plugin, conversation, usage), **values)

    async def notify(self, event: Event) -> None:
        """Call each listener of the event, one after the other. A failing one does not stop the rest."""
        conversation = await self.conversation(event.sender, event.language)
        for plugin, kind, listener in self._listeners:
            if isinstance(event, kind):
                await self._notify(plugin, conversation, listener, event)

    async def _notify(
        self,
        plugin: str,
        conversation: Conversation,
        listener: Callable[[Context[Any], Any], Awaitable[None]],
        event: Event,
    ) -> None:
        try:
            # The limit outside: within, its error would be told to the person as one of the bot's.
            async with asyncio.timeout(LISTENER_LIMIT_S), errors_in_words(conversation):
                await listener(self._context(plugin, conversation), event)
        except TimeoutError:
            log.error("plugin %s took over %s s for %s", plugin, LISTENER_LIMIT_S, type(event).__name__)

    def _context(self, plugin: str, conversation: Conversation, usage: str = "") -> Context[Any]:
        sender, language = conversation.sender, conversation.language
        return Context(
            self._channel,
            sender,
            language,
            replies_to=conversation.replies_to,
            action=conversation.action,
            usage=usage,
            settings=self.table.settings_of(plugin),
            files=self._files_of(sender, language),
            rooms=self._rooms_of(sender),
            commands=self.table,
            own_data=self._own_data[plugin],
        )


def _matched(command: CommandSpec, text: str) -> tuple[str, dict[str, str]]:
    """Return the usage line that fits, and the values of all lines, some empty. Raises BadCommand."""
    names = {name for usage in command.usages for name in usage.parameters}
    for usage in command.usages:
        values = usage.match(text)
        if values is not None:
            return usage.line, dict.fromkeys(names, "") | values
    raise BadCommand(command=command.name, usage=command.usage, missing=not text.strip())
