"""Steps of commands that are filled in: within the limits of requests, with the rights of the moment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from filebot.chat.forms.fields import FormMaker
from filebot.chat.forms.results import result_of
from filebot.chat.rate_limits import Workload
from filebot.errors import FilebotError, NotAllowed, TooManyRequests, UnknownCommand, UserError, WrongPlace
from filebot.files.access import Access
from filebot.model import FormStep, Sender, Severity
from filebot.plugin.authorization import Authorization
from filebot.plugin.calls import PluginCalls
from filebot.plugin.commands import Command, CommandList
from filebot.plugin.conversation import Channel, Conversation, words_for
from filebot.ports import Rooms
from filebot.replies.captured import CapturedReplies

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Person who fills a command in."""

    sender: Sender
    """Sender of a message in private, also if they are in a room."""
    language: str | None
    """Language of their client."""


@dataclass(frozen=True, slots=True)
class Step:
    """All that one step of a command works with, as it is at that moment."""

    command: Command
    conversation: Conversation
    maker: FormMaker
    calls: PluginCalls
    now: datetime
    replies: CapturedReplies

    def result(self) -> FormStep:
        """Return the answer of a command that is over."""
        return result_of(self.replies, self.conversation, self.maker.summary())


StepWork = Callable[[Step], Awaitable[FormStep]]


@dataclass(frozen=True, slots=True)
class StepServices:
    """Services behind the steps, on one set of plugins."""

    calls: PluginCalls
    commands: CommandList
    channel: Channel
    authorization: Authorization
    access: Access
    rooms: Rooms
    workload: Workload
    clock: Callable[[], datetime]

    def command_for(self, person: Person, node: str) -> Command:
        """Return the command of this name, if the person may use it where they are.

        Raises UnknownCommand, NotAllowed or WrongPlace.
        """
        sender = person.sender
        if not self.access.may_speak(sender):
            raise NotAllowed(reason="unserved")
        command = self.commands.named(node)
        if command is None or command.name != node:
            raise UnknownCommand(node[:40])
        if command.is_restricted:
            try:
                self.authorization.check(command, sender)
            except (NotAllowed, WrongPlace):
                raise
            except UserError as error:  # as of a room that they are not in any more
                raise NotAllowed(reason="member") from error
        return command

    def must_be_there(self, person: Person) -> None:
        """Raise NotAllowed if somebody who began a command is shut out by now, or has left the room."""
        sender = person.sender
        if sender.identities and self.authorization.at_present(sender) is not sender:
            raise NotAllowed(reason="left" if self.access.may_speak(sender) else "unserved")

    async def run(self, person: Person, node: str, work: StepWork, size_bytes: int = 0) -> FormStep:
        """Do the work of one step, as a request of the person's of ``size_bytes`` in memory.

        An error is answered in words. If the caller is cancelled, so is the work. Raises as
        :meth:`command_for`, and TooManyRequests.
        """
        command, limiter = self.command_for(person, node), self.workload.rate_limiter
        sender, replies, done = person.sender, CapturedReplies(person.sender), list[FormStep]()
        if limiter.is_full(sender, size_bytes) or not await limiter.is_in_pace(sender):
            raise TooManyRequests
        conversation = await self.channel.conversation(sender, person.language, action=command.name)

        running = list[asyncio.Task[object]]()

        async def in_turn() -> None:
            if (task := asyncio.current_task()) is not None:
                running.append(task)
            with limiter.waiting(sender, size_bytes):
                await limiter.in_turn(sender, answer())

        async def answer() -> None:
            with replies.active():
                done.append(await self._answered(self._step(command, conversation, replies), work))

        try:
            await self.workload.run(in_turn())
        except asyncio.CancelledError:
            replies.end()  # what is said of work that was broken off is for the chat
            for task in running:
                task.cancel()
            raise
        if not done:
            raise TooManyRequests
        return done[0]

    async def error(self, person: Person, error: FilebotError) -> FormStep:
        """Return the words for an error that ends a command."""
        conversation = await self.channel.conversation(person.sender, person.language)
        return FormStep(await words_for(error, conversation), Severity.ERROR)

    def _step(self, command: Command, conversation: Conversation, replies: CapturedReplies) -> Step:
        resolver = self.calls.resolver(command.plugin, conversation)
        maker = FormMaker(command, conversation, resolver, self.rooms.joined())
        return Step(command, conversation, maker, self.calls, self.clock(), replies)

    async def _answered(self, step: Step, work: StepWork) -> FormStep:
        try:
            return await work(step)
        except NotAllowed:
            raise
        except Exception as error:  # noqa: BLE001 - as of a command that is typed, nothing may pass
            await step.conversation.reply_error(error, plugin=step.command.plugin)
            return step.result()
