"""Calls of the functions of plugins: commands, and listeners of events."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

from filebot.checks.acts import Act, CommandCalled
from filebot.checks.checks import Checks
from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.errors import CheckFailed, CommandTimeout, PluginError, UnknownCommand, UserError, WrongPlace
from filebot.events.facts import Event, RoomFilePosted
from filebot.failures import Origin, blame, origin_of, report
from filebot.jobs.payloads import OnBehalfOf
from filebot.model import Address, BareJid, Entry, Sender
from filebot.plugin.asking import PluginCheck
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.authorization import Authorization
from filebot.plugin.commands import Command, CommandList
from filebot.plugin.context import BackgroundContext, Context, Factories
from filebot.plugin.conversation import Channel, Conversation, errors_in_words
from filebot.plugin.declare_entry_lines import EntryLinesSpec
from filebot.plugin.declare_rooms import RoomLineSpec
from filebot.plugin.entry_lines import LINES_LIMIT_S, lines_about
from filebot.plugin.handlers import CallsUnderWay, call_limited, called, examine_nothing
from filebot.plugin.listeners import PluginListener, SettingOf
from filebot.plugin.needs import Grants
from filebot.plugin.resolving import ArgumentResolver
from filebot.plugin.rooms import RoomLine

log = logging.getLogger(__name__)

T = TypeVar("T")

LISTENER_LIMIT_S: Final = 60.0
ROOM_LINE_LIMIT_S: Final = 2.0
HELP: Final = "help"
"""Command that no check refuses."""

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
        *,
        grants: Mapping[str, Grants],
        authorization: Authorization,
        checks: Checks,
        clock: Callable[[], datetime],
        consent: Callable[[BareJid], Collection[str]],
        room_lines: Sequence[RoomLineSpec] = (),
        room_setting_of: SettingOf,
        entry_lines: Sequence[EntryLinesSpec] = (),
        at_once: CallsAtOnce | None = None,
    ) -> None:
        """``settings`` and ``grants`` have those of each plugin by its name; ``clock`` gives the present in
        UTC, and ``consent`` the plugins that a room lets know what is posted there. ``at_once`` has the
        calls that plugins loaded earlier have under way.
        """
        self._channel = channel
        self._commands = commands
        self._listeners = listeners
        self._settings = settings
        self._factories = factories
        self._grants = grants
        self._authorization = authorization
        self._checks = checks
        self._clock = clock
        self._consent = consent
        self._room_lines = room_lines
        self._room_setting_of = room_setting_of
        self._entry_lines = entry_lines
        self.at_once = at_once or CallsAtOnce()
        self.under_way = CallsUnderWay()

    async def context(self, plugin: str, hook: str, by: OnBehalfOf | None) -> Context[Any]:
        """Return a context for what a plugin does later on behalf of somebody, or of nobody."""
        if by is not None:
            sender = self._authorization.at_present(by.sender)
            return self._context(plugin, hook, await self._channel.conversation(sender, by.language))
        nobody = await self._channel.conversation(_NOBODY, None)
        return self._context(plugin, hook, nobody, by_nobody=True)

    async def call(
        self,
        plugin: str,
        hook: str,
        sender: Sender | None,
        language: str | None,
        function: Callable[[Any], Awaitable[object]],
        limit_s: float,
    ) -> object:
        """Call a function with a context of a plugin, for a sender or for nobody; return its result.

        Raises TimeLimitExceeded, PluginError, and what the function raises.
        """
        by = None if sender is None else OnBehalfOf(sender, language)
        context = await self.context(plugin, hook, by)
        return await self._counted(plugin, hook, function(context), limit_s)

    async def run_command(self, conversation: Conversation, text: str) -> None:
        """Run the command in ``text``. Errors are answered, not raised."""
        word, rest = (*text.split(maxsplit=1), "", "")[:2]
        command = self._commands.named(word)
        async with errors_in_words(conversation, plugin="" if command is None else command.plugin):
            if command is None:
                suggestions = self._usable(conversation.sender).nearest(word)
                raise UnknownCommand(word[:40], suggestions=suggestions)
            conversation.action = command.name
            await self._run(command, conversation, rest)

    async def _run(self, command: Command, conversation: Conversation, text: str) -> None:
        """Run a command with what follows its name, if the sender may."""
        try:
            if command.is_restricted:
                self._authorization.check(command, conversation.sender)
        except WrongPlace:
            if not command.elsewhere:
                raise
            await conversation.reply(command.elsewhere)
            return
        found = command.match(text, self._clock(), is_reply=bool(conversation.replies_to))
        arguments = dict[str, object]()
        if command.parameters:
            arguments = await self._resolver(command.plugin, conversation).resolve(command, found.values)
            self._authorization.check_arguments(command, conversation.sender, arguments)
        if CommandCalled in self._checks.by_act:
            await self._check(command, conversation, arguments)
        context = self._context(command.plugin, command.hook, conversation, found.usage)
        work = command.handler(context, **arguments)
        try:
            returned = await self._counted(command.plugin, command.hook, work, command.limit_s)
        except TimeLimitExceeded as error:
            report(error, with_traceback=False)
            raise CommandTimeout(command=command.name, limit_s=command.limit_s) from error
        examine_nothing(returned, self.origin(command.plugin, command.hook, work))

    async def _check(
        self, command: Command, conversation: Conversation, arguments: dict[str, object]
    ) -> None:
        """Ask the checks of commands. Nobody is kept from reading the help, nor those who run the bot from
        anything: they have to be able to mend it.
        """
        sender, language = conversation.sender, conversation.language
        if command.name == HELP:
            return
        try:
            await self._checks.passed(
                CommandCalled(sender, language, command.plugin, command.name, MappingProxyType(arguments))
            )
        except (UserError, CheckFailed):
            if not self._authorization.is_admin(sender):
                raise
            log.info("%s is refused to nobody who runs the bot", command.name)
            return
        # Rights may be gone: a check takes its time.
        if command.is_restricted:
            self._authorization.check(command, sender)
        self._authorization.check_arguments(command, sender, arguments)

    async def ask(self, check: PluginCheck, act: Act) -> object:
        """Call a check of a plugin, and return what it returns."""
        conversation = await self._channel.conversation(act.sender, act.language)
        context = self._context(check.plugin, check.hook, conversation)
        return await self._counted(check.plugin, check.hook, check.handler(context, act))

    async def tell(self, event: Event) -> None:
        """Call the listeners of an event: some at once, then the others one after the other.

        One that fails does not stop the rest.
        """
        self._channel.chat_state.shown_files.note(event)
        listeners = [
            each
            for each in self._listeners
            if each.hears(event, self._room_setting_of) and self._may_hear(each, event)
        ]
        if not listeners:
            return
        conversation = await self._channel.conversation(event.sender, event.language)
        for each in listeners:
            if each.at_once:
                call = partial(self._call, each, conversation, event)
                self._start(each.plugin, call, f"listener of {type(event).__name__}")
        answering = [each for each in listeners if not each.at_once]
        with ExitStack() as under_way:
            for each in answering:
                under_way.enter_context(self.under_way.counted(each.plugin))
            for each in answering:
                await self._call(each, conversation, event)

    def _may_hear(self, listener: PluginListener, event: Event) -> bool:
        """Tell whether what is said in a room for its people is this plugin's business."""
        room = event.sender.room
        return not isinstance(event, RoomFilePosted) or (
            room is not None and listener.plugin in self._consent(room)
        )

    async def room_lines(self, sender: Sender, room: BareJid) -> list[RoomLine]:
        """Return what plugins add to the state of a room; one that fails adds nothing, which is logged."""
        if not self._room_lines:
            return []
        conversation = await self._channel.conversation(sender, None)
        lines = [await self._room_line(each, conversation, room) for each in self._room_lines]
        return [line for line in lines if line is not None]

    async def _room_line(
        self, line: RoomLineSpec, conversation: Conversation, room: BareJid
    ) -> RoomLine | None:
        context = self._context(line.plugin, line.hook, conversation)
        try:
            asked = line.handler(context, room)
            value = await self._counted(line.plugin, line.hook, asked, ROOM_LINE_LIMIT_S)
            if value is not None:
                # Tried here, so that words that fail do not spoil the whole answer.
                replies = self._channel.reply_sender.replies
                replies.render(line.template, conversation.language, value=value, prefix="")
        except Exception as error:  # noqa: BLE001 - a plugin must not leave anybody without an answer
            report(blame(error, self.origin(line.plugin, line.hook, line.handler)))
            return None
        return None if value is None else RoomLine(line.template, value)

    async def _counted(
        self, plugin: str, hook: str, function: Awaitable[T], limit_s: float | None = None
    ) -> T:
        """Await a function of a plugin in a task of its own: one that ignores its cancellation must not
        hold the stop up. Raises as :func:`call_limited`.
        """
        with self.under_way.counted(plugin):
            return await call_limited(function, self.origin(plugin, hook, function), limit_s)

    def origin(self, plugin: str, hook: str, function: object) -> Origin:
        """Return whose the errors of a function are, to be noted."""
        return origin_of(plugin, hook, function, self._settings[plugin])

    def _start(self, plugin: str, call: Callable[[], Awaitable[None]], name: str) -> None:
        """Make a call at once; it counts as under way also while it waits for a place."""

        async def counted() -> None:
            try:
                await call()
            finally:
                self.under_way.end(plugin)

        self.under_way.begin(plugin)
        if not self.at_once.start(plugin, counted, name):
            self.under_way.end(plugin)

    async def _call(self, listener: PluginListener, conversation: Conversation, event: Event) -> None:
        origin = self.origin(listener.plugin, listener.hook, listener.handler)
        try:
            # The limit outside: within, its error would be told to the person as one of the bot's.
            hearing = self._hear(listener, conversation, event)
            await call_limited(hearing, origin, LISTENER_LIMIT_S, about=f", for {type(event).__name__},")
        except (TimeLimitExceeded, PluginError) as error:
            report(error, with_traceback=False)

    async def _hear(self, listener: PluginListener, conversation: Conversation, event: Event) -> None:
        async with errors_in_words(conversation, plugin=listener.plugin):
            context = self._context(listener.plugin, listener.hook, conversation)
            origin = self.origin(listener.plugin, listener.hook, listener.handler)
            examine_nothing(await called(listener.handler(context, event), origin), origin)

    async def _lines_about(self, conversation: Conversation, entry: Entry) -> list[str]:
        async def ask(spec: EntryLinesSpec) -> str | None:
            context = self._context(spec.plugin, spec.hook, conversation)
            asked = spec.handler(context, entry)
            return await self._counted(spec.plugin, spec.hook, asked, LINES_LIMIT_S)

        return await lines_about(self._entry_lines, ask)

    def _usable(self, sender: Sender) -> CommandList:
        return self._commands.usable(lambda command: self._authorization.may_use(command, sender))

    def _resolver(self, plugin: str, conversation: Conversation) -> ArgumentResolver:
        sender = conversation.sender
        return ArgumentResolver(
            self._factories.files(sender, conversation.language, plugin),
            self._factories.rooms(sender),
            self._channel.chat_state.shown_files.replied_to(sender, conversation.replies_to),
        )

    def _context(
        self,
        plugin: str,
        hook: str,
        conversation: Conversation,
        usage: str = "",
        *,
        by_nobody: bool = False,
    ) -> Context[Any]:
        kind = BackgroundContext if by_nobody else Context
        return kind(
            self._channel,
            conversation,
            usage=usage,
            settings=self._settings[plugin],
            commands=self._usable,
            lines_about=partial(self._lines_about, conversation),
            factories=self._factories,
            by=None if by_nobody else OnBehalfOf(conversation.sender, conversation.language),
            grants=replace(self._grants[plugin], hook=hook),
        )
