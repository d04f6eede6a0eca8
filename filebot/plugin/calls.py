"""Calls of the functions of plugins: commands, and listeners of events."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from filebot.errors import UnknownCommand
from filebot.events.facts import Event
from filebot.jobs.payloads import OnBehalfOf
from filebot.model import Address, Sender
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.commands import CommandList
from filebot.plugin.context import (
    BackgroundContext,
    Channel,
    Context,
    Conversation,
    Factories,
    errors_in_words,
)
from filebot.plugin.listeners import PluginListener

log = logging.getLogger(__name__)

LISTENER_LIMIT_S: Final = 60.0
_NOBODY: Final = Sender(Address(""), None)


class PluginCalls:
    """Calls the functions of plugins: commands, and listeners of events."""

    def __init__(
        self,
        channel: Channel,
        commands: CommandList,
        listeners: Sequence[PluginListener],
        settings: Mapping[str, object],
        factories: Factories,
    ) -> None:
        """``settings`` has the settings of each plugin by name."""
        self._channel = channel
        self._commands = commands
        self._listeners = listeners
        self._settings = settings
        self._factories = factories
        self.at_once = CallsAtOnce()

    async def context(self, plugin: str, by: OnBehalfOf | None) -> Context[Any]:
        """Return a context for what a plugin does later on behalf of somebody, or of nobody."""
        if by is not None:
            return self._context(plugin, await self._channel.conversation(by.sender, by.language))
        nobody = await self._channel.conversation(_NOBODY, None)
        return self._context(plugin, nobody, by_nobody=True)

    async def run_command(self, conversation: Conversation, text: str) -> None:
        """Run the command in ``text``. Errors are answered, not raised."""
        async with errors_in_words(conversation):
            word, rest = (*text.split(maxsplit=1), "", "")[:2]
            command = self._commands.named(word)
            if command is None:
                raise UnknownCommand(word[:40], suggestions=self._commands.nearest(word))
            conversation.action = command.name
            usage, values = command.match(rest)
            await command.handler(self._context(command.plugin, conversation, usage), **values)

    async def tell(self, event: Event) -> None:
        """Call the listeners of an event: some at once, then the others one after the other.

        One that fails does not stop the rest.
        """
        listeners = [each for each in self._listeners if isinstance(event, each.event)]
        if not listeners:
            return
        conversation = await self._channel.conversation(event.sender, event.language)
        for each in listeners:
            if each.at_once:
                call = partial(self._call, each, conversation, event)
                self.at_once.start(each.plugin, call, f"listener of {type(event).__name__}")
        for each in listeners:
            if not each.at_once:
                await self._call(each, conversation, event)

    async def _call(self, listener: PluginListener, conversation: Conversation, event: Event) -> None:
        try:
            # The limit outside: within, its error would be told to the person as one of the bot's.
            async with asyncio.timeout(LISTENER_LIMIT_S), errors_in_words(conversation):
                await listener.handler(self._context(listener.plugin, conversation), event)
        except TimeoutError:
            log.error(
                "plugin %s took over %s s for %s", listener.plugin, LISTENER_LIMIT_S, type(event).__name__
            )

    def _context(
        self, plugin: str, conversation: Conversation, usage: str = "", *, by_nobody: bool = False
    ) -> Context[Any]:
        kind = BackgroundContext if by_nobody else Context
        return kind(
            self._channel,
            conversation,
            plugin=plugin,
            usage=usage,
            settings=self._settings[plugin],
            commands=self._commands,
            factories=self._factories,
            by=None if by_nobody else OnBehalfOf(conversation.sender, conversation.language),
        )
