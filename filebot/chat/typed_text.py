"""Typed text: answers to questions, and lines that are commands or sentences, done one after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from filebot.chat.command_kinds import TARGET
from filebot.chat.filled_in import files_in, filled
from filebot.chat.line_tools import LineTools
from filebot.chat.meaning import Meaning
from filebot.chat.meanings import Meanings
from filebot.errors import NothingToConfirm, PluginError, UnknownCommand, WrongPlace
from filebot.files.access import unknown
from filebot.model import Sender
from filebot.plugin.calls import PluginCalls
from filebot.plugin.commands import CommandList
from filebot.plugin.confirmation import Confirmations, PinnedFiles, Question, answer_in
from filebot.plugin.conversation import Channel, Conversation, errors_in_words
from filebot.plugin.effects import CommandRun, answering, current_runs
from filebot.plugin.resolving import pinned
from filebot.reading.signs import MOST_LINES, lines_of

MOST_SHOWN: Final = 10
"""Files that a question lists at most, each with its place."""

LONGEST_SLIP: Final = 6
"""Characters of the longest text that may be a mistyped answer."""


class TypedText:
    """Reader of what people type; it runs commands and asks before it does what was not said exactly."""

    def __init__(
        self,
        calls: PluginCalls,
        commands: CommandList,
        channel: Channel,
        clock: Callable[[], datetime],
    ) -> None:
        """``clock`` gives the present in UTC."""
        self._calls = calls
        self._commands = commands
        self._channel = channel
        self._clock = clock
        self._lists = channel.chat_state.shown_lists
        self._meanings = Meanings(LineTools(calls, commands, self._lists, clock))

    async def handle(self, conversation: Conversation, text: str, *, came_late: bool = False) -> bool:
        """Do what a text says; return False if it says nothing that is understood.

        Errors are answered, not raised. ``came_late``: no word of that time answers a question.
        """
        # Whatever is typed, nobody waits for an answer after it, unless it is a slip of one.
        question = self._channel.chat_state.questions.take(conversation.sender, self._clock())
        lines = self._joined(lines_of(text))
        answer = answer_in(lines[0].removeprefix("!")) if len(lines) == 1 else None
        if answer is not None:
            await self._answered(conversation, answer, question, came_late=came_late)
            return True
        asked, done = list[Question](), 0
        for line in lines[:MOST_LINES]:
            found = await self._line(conversation, line)
            done += found is not None
            asked += found or ()
        if len(lines) > MOST_LINES:
            await conversation.reply(
                "reception/more_lines", left_out=len(lines) - MOST_LINES, most=MOST_LINES
            )
        if question is not None and not done and len(text) <= LONGEST_SLIP and not came_late:
            asked.append(question)  # "ys": a slip of an answer should not cost the command
        await self._ask(conversation, asked)
        return bool(done or asked)

    def _joined(self, lines: Sequence[str]) -> Sequence[str]:
        """Return lines; two that are a command's name and what follows it are one."""
        if len(lines) != 2:
            return lines
        command, other = (self._commands.named(line.split(maxsplit=1)[0]) for line in lines)
        needs_more = command is not None and " " not in lines[0] and command.parameters
        return [" ".join(lines)] if needs_more and other is None else lines

    async def say_unknown(self, conversation: Conversation, text: str) -> None:
        """Say that nothing in a text is understood."""
        word = next(iter((lines_of(text) or [text])[0].split()), "")
        suggestions = self._calls.usable(conversation.sender).nearest(word)
        await conversation.reply_error(UnknownCommand(word[:40], suggestions=suggestions))

    async def answer(self, conversation: Conversation, *, answer: bool) -> None:
        """Take an answer to the question that waits for somebody. Errors are answered, not raised."""
        question = self._channel.chat_state.questions.take(conversation.sender, self._clock())
        if question is not None:
            await self._answered(conversation, answer, question, came_late=False)

    def is_meant(self, sender: Sender, text: str, replies_to: str) -> bool:
        """Whether a reply to a message of the bot's can be nothing but a command, or an answer.

        People answer the bot's messages also to talk about them, so the text must be a command for the file
        of that message, and nothing more, or answer the question in it.
        """
        state, now = self._channel.chat_state, self._clock()
        if answer_in(text) is not None:
            return state.questions.is_asked_in(sender, state.shown_files.own_id(sender, replies_to), now)
        word, rest = (*text.split(maxsplit=1), "", "")[:2]
        command = self._commands.named(word)
        if command is None or not state.shown_files.replied_to(sender, replies_to):
            return False
        return command.fits_reply(rest, now)

    async def _line(
        self, conversation: Conversation, line: str, *, asks: bool = False
    ) -> Sequence[Question] | None:
        """Do what a line says; return the questions that it led to, or None if it is not understood.

        ``asks``: it is part of a sentence, so that whatever changes something is asked about.
        """
        command = self._commands.named(line.split(maxsplit=1)[0])
        meanings, understood = list[Meaning](), False
        async with errors_in_words(conversation, plugin="" if command is None else command.plugin):
            if command is not None:
                conversation.action = command.name
            understood = True  # what is refused is understood as well
            try:
                meanings = list(await self._meanings.of(conversation, line))
            except WrongPlace:
                command = command or self._commands.named(self._meanings.tools.slips.first_word(line))
                if command is None or not command.elsewhere:
                    raise
                await conversation.reply(command.elsewhere)
            else:
                understood = bool(meanings)
        asked = list[Question]()
        for each in meanings:
            meaning = replace(each, is_sure=each.is_sure and not (asks and each.command.changes))
            async with errors_in_words(conversation, plugin=meaning.command.plugin):
                asked += await self._do(conversation, meaning)
        return asked if understood else None

    async def _do(self, conversation: Conversation, meaning: Meaning) -> Sequence[Question]:
        entries = files_in(meaning.arguments)
        self._lists.speak_of(conversation.sender, [each.id for each in entries])
        if not meaning.is_sure:
            if isinstance(target := meaning.arguments.get(TARGET), str):
                # Nobody should say yes to what is refused then.
                await self._calls.resolver(meaning.command.plugin, conversation).files.recipient(target)
            return [self._question(conversation, meaning)]
        asked = await self._calls.run_resolved(
            meaning.command, conversation, meaning.arguments, meaning.usage, Confirmations()
        )
        return [] if asked is None else [asked]

    def _question(self, conversation: Conversation, meaning: Meaning) -> Question:
        """Return the question whether a command was meant. Raises NotAllowed for a mere nick."""
        if conversation.sender.identity is None:
            raise unknown(conversation.sender)
        typed = filled(meaning.usage, meaning.arguments)
        return Question(
            meaning.command,
            meaning.usage,
            pinned(meaning.arguments),
            (),
            conversation.replies_to,
            meant=conversation.render("reception/meant", command=typed),
            named=frozenset(each.id for each in files_in(meaning.arguments)),
            rest=meaning.then,
        )

    async def _answered(
        self, conversation: Conversation, answer: bool, question: Question | None, *, came_late: bool
    ) -> None:
        """Go on with a command, or not; then ask what is still to be asked."""
        asked, runs = list[Question](), () if question is None else question.runs
        async with errors_in_words(
            conversation, plugin="" if question is None else question.command.plugin
        ):
            if question is None or came_late:
                raise NothingToConfirm(late=question is not None)
            asked += question.then
            if not answer:
                await conversation.reply("reception/declined")
            else:
                with answering(runs):
                    again = await self._calls.go_on(question, conversation)
                    if again is not None:
                        asked.insert(0, replace(again, rest=question.rest))
                    elif question.rest:
                        asked[:0] = await self._line(conversation, question.rest, asks=True) or ()
        await self._ask(conversation, asked, runs)

    async def _ask(
        self, conversation: Conversation, asked: Sequence[Question], runs: tuple[CommandRun, ...] = ()
    ) -> None:
        """Ask the first of some questions, which a command led to; the others when it is answered."""
        if not asked:
            return
        question = replace(asked[0], then=tuple(asked[1:]), runs=runs or current_runs())
        sender, questions = conversation.sender, self._channel.chat_state.questions
        async with errors_in_words(conversation, plugin=question.command.plugin):
            if not questions.put(sender, question, self._clock()):
                raise PluginError(
                    f"a question of the plugin {question.command.plugin} is too large to wait"
                )
            try:
                message_id = await self._channel.ask(
                    conversation, "reception/question", question=question.text, sender=sender
                )
            except BaseException:
                questions.take(sender, self._clock())  # nobody read it
                raise
            questions.asked_in(sender, message_id)
            if not question.meant:
                self._lists.show(sender, _ids(question.arguments)[:MOST_SHOWN])


def _ids(arguments: Mapping[str, object]) -> list[int]:
    return [each for value in arguments.values() if isinstance(value, PinnedFiles) for each in value.ids]
