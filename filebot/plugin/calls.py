"""Calls of the functions of plugins: commands, checks and lines; listeners are called by a part of it."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

from filebot.checks.acts import Act, CommandCalled, FileReceived
from filebot.checks.checks import Checks
from filebot.concurrency.bounded_call import TimeLimitExceeded
from filebot.errors import (
    CheckFailed,
    CommandTimeout,
    NothingToConfirm,
    PluginError,
    UserError,
)
from filebot.failures import Origin, blame, origin_of, report
from filebot.jobs.payloads import OnBehalfOf
from filebot.model import Address, BareJid, Entry, Sender
from filebot.plugin.asking import PluginCheck
from filebot.plugin.at_once import CallsAtOnce
from filebot.plugin.authorization import Authorization
from filebot.plugin.commands import Command, CommandList
from filebot.plugin.confirmation import ConfirmationNeeded, Confirmations, Question
from filebot.plugin.context import BackgroundContext, Context, Factories
from filebot.plugin.conversation import Channel, Conversation
from filebot.plugin.declare_entry_lines import EntryLinesSpec
from filebot.plugin.declare_rooms import RoomLineSpec
from filebot.plugin.entry_lines import LINES_LIMIT_S, lines_about
from filebot.plugin.handlers import CallsUnderWay, call_limited, examine_nothing
from filebot.plugin.listener_calls import ListenerCalls
from filebot.plugin.listeners import PluginListener, SettingOf
from filebot.plugin.needs import Grants
from filebot.plugin.resolving import ArgumentResolver, pinned
from filebot.plugin.room_lines import ROOM_LINE_LIMIT_S, lines_of_room
from filebot.plugin.rooms import RoomLine

log = logging.getLogger(__name__)

T = TypeVar("T")

HELP: Final = "help"
"""Command that no check refuses."""

_NOBODY: Final = Sender(Address(""), None)


class PluginCalls:
    """Calls the functions of plugins, each with a context of its own."""

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
        self._settings = settings
        self._factories = factories
        self._grants = grants
        self._authorization = authorization
        self._checks = checks
        self._clock = clock
        self._room_lines = room_lines
        self._entry_lines = entry_lines
        self.under_way = CallsUnderWay()
        self.listeners = ListenerCalls(
            channel,
            listeners,
            self._context,
            self.origin,
            self.under_way,
            at_once or CallsAtOnce(),
            consent=consent,
            room_setting_of=room_setting_of,
        )

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

    def check_rights(self, command: Command, sender: Sender) -> None:
        """Raise NotAllowed or WrongPlace if somebody may not use a command where they are."""
        if command.is_restricted:
            self._authorization.check(command, sender)

    async def run(
        self, command: Command, conversation: Conversation, values: Mapping[str, object], *, usage: str
    ) -> Question | None:
        """Run a command with values, if the sender may use it so; return the question that it asks back.

        ``values`` are those of a ``Match``. Whoever says yes to the question goes on by :meth:`go_on`.
        Raises what looking the values up raises, NotAllowed, and what the command's function raises.
        """
        conversation.action = command.name
        arguments = dict[str, object]()
        if command.parameters:
            arguments = await self.resolver(command.plugin, conversation).resolve(command, values)
        return await self.run_resolved(command, conversation, arguments, usage, Confirmations())

    async def go_on(self, question: Question, conversation: Conversation) -> Question | None:
        """Run a command again after a yes, with the same arguments; return what it asks back next.

        Files and rights are looked up again. Raises as :meth:`run`, and NothingToConfirm if there is no
        such command any more.
        """
        command = question.command
        if self._commands.named(command.name) is not command:
            raise NothingToConfirm
        conversation.action, conversation.replies_to = command.name, question.replies_to
        if command.is_restricted:
            self._authorization.check(command, conversation.sender)
        arguments = await self.resolver(command.plugin, conversation).resolve_again(
            command, question.arguments
        )
        changed = pinned(arguments) != question.arguments
        given = Confirmations(question.confirmed, files_changed=changed, named=question.named)
        return await self.run_resolved(command, conversation, arguments, question.usage, given)

    async def run_resolved(
        self,
        command: Command,
        conversation: Conversation,
        arguments: Mapping[str, object],
        usage: str,
        confirmations: Confirmations,
    ) -> Question | None:
        """Run a command with arguments that were looked up, as :meth:`run`."""
        conversation.action = command.name
        if command.parameters:
            self._authorization.check_arguments(command, conversation.sender, arguments)
        if CommandCalled in self._checks.by_act:
            await self._check(command, conversation, arguments)
        context = self._context(
            command.plugin, command.hook, conversation, usage, confirmations=confirmations
        )
        work = command.handler(context, **arguments)
        try:
            returned = await self._counted(command.plugin, command.hook, work, command.limit_s)
        except TimeLimitExceeded as error:
            report(error, with_traceback=False)
            raise CommandTimeout(command=command.name, limit_s=command.limit_s) from error
        except ConfirmationNeeded as needed:
            return Question(
                command,
                usage,
                pinned(arguments),
                needed.confirmed,
                conversation.replies_to,
                named=confirmations.named,
            )
        origin = self.origin(command.plugin, command.hook, work)
        if confirmations.is_refused:
            raise blame(PluginError("its function catches what ctx.confirm raises"), origin)
        examine_nothing(returned, origin)
        return None

    async def _check(
        self, command: Command, conversation: Conversation, arguments: Mapping[str, object]
    ) -> None:
        """Ask the checks of commands. Nobody is kept from reading the help, nor those who run the bot from
        anything: they have to be able to mend it.
        """
        sender, language = conversation.sender, conversation.language
        if command.name == HELP:
            return
        try:
            await self._checks.passed(
                CommandCalled(
                    sender, language, command.plugin, command.name, MappingProxyType(dict(arguments))
                )
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
        answer = await self._counted(check.plugin, check.hook, check.handler(context, act))
        if isinstance(answer, FileReceived) and answer.annotations:
            grants = replace(self._grants[check.plugin], hook=check.hook)
            if "files.annotate" not in grants.needs:
                raise PluginError(grants.missing("annotations", "files.annotate"))
        return answer

    async def room_lines(self, sender: Sender, room: BareJid) -> list[RoomLine]:
        """Return what plugins add to the state of a room; one that fails adds nothing, which is logged."""
        if not self._room_lines:
            return []
        conversation = await self._channel.conversation(sender, None)

        async def ask(spec: RoomLineSpec) -> object:
            asked = spec.handler(self._context(spec.plugin, spec.hook, conversation), room)
            return await self._counted(spec.plugin, spec.hook, asked, ROOM_LINE_LIMIT_S)

        def render(line: RoomLine) -> str:
            replies = self._channel.reply_sender.replies
            return replies.render(line.template, conversation.language, value=line.value, prefix="")

        return await lines_of_room(self._room_lines, ask, render)

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

    async def _lines_about(self, conversation: Conversation, entry: Entry) -> list[str]:
        async def ask(spec: EntryLinesSpec) -> str | None:
            context = self._context(spec.plugin, spec.hook, conversation)
            asked = spec.handler(context, entry)
            return await self._counted(spec.plugin, spec.hook, asked, LINES_LIMIT_S)

        return await lines_about(self._entry_lines, ask)

    def is_command(self, text: str) -> bool:
        """Tell whether a text begins with a command."""
        return self._commands.named(next(iter(text.split(maxsplit=1)), "")) is not None

    def usable(self, sender: Sender) -> CommandList:
        """Return the commands for somebody who is shown those alone that they may use where they are."""
        return self._commands.usable(lambda command: self._authorization.may_use(command, sender))

    def resolver(self, plugin: str, conversation: Conversation) -> ArgumentResolver:
        """Return the resolver of a plugin's arguments, which finds what the person may see."""
        sender = conversation.sender
        return ArgumentResolver(
            self._factories.files(sender, conversation.language, plugin),
            self._factories.rooms(sender),
            self._channel.chat_state.shown_files.replied_to(sender, conversation.replies_to),
        )

    def replied_to(self, conversation: Conversation) -> tuple[int, ...]:
        """Return the ids of the files of the message that somebody replies to; none if it is no reply."""
        shown = self._channel.chat_state.shown_files
        return shown.replied_to(conversation.sender, conversation.replies_to) or ()

    def _context(
        self,
        plugin: str,
        hook: str,
        conversation: Conversation,
        usage: str = "",
        *,
        by_nobody: bool = False,
        confirmations: Confirmations | None = None,
    ) -> Context[Any]:
        kind = BackgroundContext if by_nobody else Context
        return kind(
            self._channel,
            conversation,
            usage=usage,
            settings=self._settings[plugin],
            commands=self.usable,
            lines_about=partial(self._lines_about, conversation),
            factories=self._factories,
            by=None if by_nobody else OnBehalfOf(conversation.sender, conversation.language),
            grants=replace(self._grants[plugin], hook=hook),
            confirmations=confirmations,
        )
