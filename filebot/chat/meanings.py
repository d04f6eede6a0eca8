"""Meaning of a line that somebody typed: a command in its exact form, or what a sentence asks for.

The exact form comes first, and so do names: what was typed is looked up before any word of it is left out.
What a sentence means is done at once only if the command changes nothing.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from filebot.chat.command_kinds import (
    TARGET,
    is_to_send,
    only_shows_files,
    takes_names_only,
    texts_of,
)
from filebot.chat.filled_in import files_in, near_name
from filebot.chat.guesses import Guesses
from filebot.chat.line_tools import LineTools
from filebot.chat.meaning import Meaning
from filebot.chat.referents import Referents
from filebot.errors import AmbiguousName, BadCommand, BadValue, NoSuchEntry, UserError
from filebot.files.selection import Selection
from filebot.plugin.arguments import Kind, Parameter
from filebot.plugin.commands import Command, Match, names_in
from filebot.plugin.conversation import Conversation
from filebot.plugin.files import Files
from filebot.reading.links import link_within
from filebot.reading.quotes import unquoted
from filebot.reading.sentences import Reading, is_telling

MOST_READINGS: Final = 12
"""Readings of a line that are tried."""
MOST_DIVISIONS: Final = 6
"""Divisions of a line, and of its parts, into two requests that are tried."""
_FILE_NAME: Final = re.compile(r"\S{1,80}(?: \S{1,40}){0,2}\.[A-Za-z0-9]{1,5}")
_FILTER: Final = re.compile(r"\s[a-z]\w*:\S")
"""Beginning of a filter, such as ``tag:invoice``."""
_REFUSALS: Final = (BadCommand, BadValue, NoSuchEntry, AmbiguousName)
"""Errors of words that may be no command in its exact form."""


class Meanings:
    """Finder of what lines mean."""

    def __init__(self, tools: LineTools) -> None:
        self.tools = tools

    async def of(self, conversation: Conversation, line: str) -> Sequence[Meaning]:
        """Return what a line means, in the order in which it is to be done; nothing if that is not clear.

        Raises the error of a command in its exact form that does not fit, where nothing else is meant.
        """
        return await _LineReader(self.tools, conversation).read(line)


class _LineReader:
    """Reader of one line of one person."""

    def __init__(self, tools: LineTools, conversation: Conversation) -> None:
        self._all = tools
        self._conversation = conversation
        self._usable = tools.calls.usable(conversation.sender)
        self._read = dict[str, Sequence[Reading]]()
        """Readings of the line, and of its parts: several steps ask for the same ones."""
        self._tried = 0
        self._divisions = 0
        self._is_refused = False
        """Whether it is known what is wrong with the line as a command."""

    async def read(self, line: str) -> Sequence[Meaning]:
        word, rest = (*line.split(maxsplit=1), "", "")[:2]
        command, requests = self._all.commands.named(word), self._all.grammar.requests(line)
        refusal: UserError | None = None
        # A file may be called "this and that"; nobody looks for "this and delete that".
        names_first = command is not None and only_shows_files(command)
        if not names_first and (steps := await self._steps(requests)):
            return steps
        if command is None or not (command.changes and requests):
            found = await self._as_command(line, command, rest)
            if isinstance(found, Meaning):
                return [found]
            refusal = found
        if names_first and (steps := await self._steps(requests)):
            return steps
        found = await self._by_sentence(line)
        return [found] if isinstance(found, Meaning) else await self._near(line, command, refusal or found)

    async def _as_command(
        self, line: str, command: Command | None, rest: str
    ) -> Meaning | UserError | None:
        """Return the command that a line is, slips apart, else what is wrong with it."""
        names_only = command is not None and takes_names_only(command)
        tidied = None if names_only else await self._without_slips(line)
        if tidied is not None or command is None:
            return tidied
        try:
            return await self._exact(command, line, rest)
        except _REFUSALS as error:
            self._is_refused = True
            return (await self._without_slips(line) if names_only else None) or error

    async def _without_slips(self, line: str) -> Meaning | None:
        """Return the command that a line is apart from slips, if that fits and there is no such file."""
        tidied = self._all.slips.tidied(line) or ""
        word, rest = (*tidied.split(maxsplit=1), "", "")[:2]
        command = self._all.commands.named(word)
        if command is None or await self._files(command).named(line, whole=True, to_send=True):
            return None
        try:
            found: Meaning | UserError | None = await self._exact(command, tidied, rest)
        except _REFUSALS as error:
            found = await self._with_nearest(command, error) or await self._by_sentence(tidied)
        if not isinstance(found, Meaning):
            return None
        return replace(found, is_sure=found.is_sure and not found.command.changes)

    async def _steps(self, requests: Sequence[tuple[str, str]]) -> Sequence[Meaning]:
        for first, then in requests:
            if self._divisions >= MOST_DIVISIONS:
                break
            self._divisions += 1
            if (both := await self._both(first, then)) is not None:
                return both
        return []

    async def _near(
        self, line: str, command: Command | None, refusal: UserError | None
    ) -> Sequence[Meaning]:
        """Return what a line may mean that is not understood as a whole. Raises the ``refusal``."""
        clause = self._all.grammar.last_clause(line)
        last = await self._by_sentence(clause) if command is None and clause else None
        if isinstance(last, Meaning) and last.is_sure:
            return [last]  # "new phone, send me the plan": of such only what changes nothing
        for spoken in self._all.grammar.with_object(line) if command is None else ():
            if isinstance(found := await self._by_sentence(spoken), Meaning):
                return [replace(found, is_sure=False)]
        if command is None:  # "pls snd ..." is not "ls snd ..."
            line = self._all.grammar.without_openings(line)
        guess = await self._guess(line, command, refusal)
        if guess is not None:
            return [guess]
        if refusal is not None:
            raise refusal if command is None else command.refused_as(line.split(maxsplit=1)[0], refusal)
        return []

    # --- commands as they are declared ----------------------------------------------------------

    async def _exact(self, command: Command, line: str, rest: str) -> Meaning:
        """Return a command in its exact form. Raises as ``Command.match`` and as looking files up."""
        self._all.calls.check_rights(command, self._conversation.sender)
        if rest and isinstance(found := await self._harmless(command, line), Meaning):
            return found
        failure: UserError | None = None
        async for match in self._matches(command, rest):
            try:
                resolved = await self._resolved(command, match.values)
            except _REFUSALS as error:
                failure = failure or error
            else:
                closer = await self._closer(line, command, match, resolved)
                if closer is not None:
                    return closer
                arguments = self._with_address(command, resolved)
                is_sure = not (
                    command.changes and (arguments != resolved or await self._is_ambiguous(command, match))
                )
                return Meaning(command, match.usage, arguments, is_sure)
        raise failure or command.missing()

    async def _matches(self, command: Command, rest: str) -> AsyncIterator[Match]:
        """Yield the ways to read the words after a command's name. Raises BadCommand or BadValue."""
        general = command.usages[-1]
        only = [each for each in command.parameters if [each.name] == list(general.parameters)]
        if len(command.usages) > 1 and rest and only and only[0].kind.is_file:
            files = self._files(command)
            if await files.named(rest, whole=True, to_send=is_to_send(only[0])):
                yield Match(general.line, {only[0].name: rest})
        first = command.match(rest, self._all.now, is_reply=bool(self._conversation.replies_to))
        yield first
        for other in command.other_matches(rest, self._all.now):
            if other.values != first.values:
                yield other

    async def _harmless(self, command: Command, line: str) -> Meaning | None:
        """Return what a phrase of a command that changes nothing means, where that comes first.

        "send it to me" sends nothing to others, and of "find me the plan" not all words are looked for.
        """
        if not command.phrases or _FILTER.search(line) or only_shows_files(command):
            return None
        for reading in self._readings(line):
            meant = self._named(reading)
            if meant is not None and not (meant.changes or reading.is_bare or reading.rest is not None):
                found = await self._from(reading)
                return found if isinstance(found, Meaning) else None
        return None

    async def _closer(
        self, line: str, command: Command, match: Match, arguments: Mapping[str, object]
    ) -> Meaning | None:
        """Return what a sentence means that takes fewer words for names than the exact form does."""
        if any(isinstance(each, Selection) and each.missing for each in arguments.values()):
            found = await self._by_sentence(line)
            return found if isinstance(found, Meaning) else None
        if command.changes:
            for reading in self._closer_readings(line, command, match):
                if isinstance(found := await self._from(reading), Meaning):
                    return found
        return None

    def _closer_readings(self, line: str, command: Command, match: Match) -> Iterator[Reading]:
        """Yield readings by phrases of the command that take fewer words of a line for values."""
        taken = sum(len(unquoted(str(each))) for each in match.values.values())
        for reading in self._readings(line):
            less = sum(len(unquoted(each)) for each in reading.values.values()) < taken
            if less and reading.rest is None and self._named(reading) is command:
                yield reading

    async def _is_ambiguous(self, command: Command, match: Match) -> bool:
        """Return whether a bare number among the files is a place of a list and another file's id."""
        files = self._files(command)
        typed = [str(match.values.get(each.name, "")) for each in command.parameters if each.kind.is_file]
        for number in (each for text in typed for each in names_in(text) if each.isdecimal()):
            place = self._all.lists.at(self._conversation.sender, int(number), late=True)
            by_id = await files.named(f"#{number}", whole=True, to_send=True)
            if place is not None and by_id is not None and by_id.id != place:
                return True
        return False

    # --- sentences ------------------------------------------------------------------------------

    async def _both(self, first: str, then: str) -> Sequence[Meaning] | None:
        lists, sender = self._all.lists, self._conversation.sender
        spoken_of, before, after = lists.spoken_of(sender), list[Meaning](), list[Meaning]()
        try:
            before += await self.read(first)
            # "it" in the second request is the file of the first one.
            lists.speak_of(sender, [each.id for meaning in before for each in files_in(meaning.arguments)])
            after += await self.read(then)
        except UserError:
            after = []
        if not before or not after:
            lists.speak_of(sender, spoken_of)
            return None
        if before == after:
            return before
        # Not one of them has the exact form of a command, which is a line of its own.
        first_ones = [replace(each, is_sure=not each.command.changes) for each in before]
        if not first_ones[-1].is_sure:
            return [*first_ones[:-1], replace(first_ones[-1], then=then)]
        return [*first_ones, *(replace(each, is_sure=not each.command.changes) for each in after)]

    async def _by_sentence(self, line: str) -> Meaning | UserError | None:
        """Return what a sentence means; else the error of the likeliest meaning, if there is one."""
        failure: UserError | None = None
        for reading in self._readings(line):
            if self._tried >= MOST_READINGS:
                break
            self._tried += 1
            found = await self._from(reading)
            if isinstance(found, Meaning):
                return found
            if is_telling(reading, line):
                failure = failure or found
        return failure

    def _readings(self, line: str) -> Sequence[Reading]:
        """Return what a line may mean by its words, the likeliest first."""
        if line not in self._read:
            self._read[line] = self._all.grammar.readings(line)
        return self._read[line]

    def _named(self, reading: Reading) -> Command | None:
        """Return the command of a reading, if the person may use it here."""
        command = self._all.commands.named(reading.command)
        return command if command is not None and self._usable.shows(command) else None

    async def _from(self, reading: Reading) -> Meaning | UserError | None:
        """Return what a reading means; None or an error if it stands for nothing."""
        command = self._named(reading)
        if command is None:
            return None
        failure: UserError | None = None
        for usage, texts in texts_of(command, reading):
            values = dict[str, object]()
            for parameter in command.parameters:
                if text := texts.get(parameter.name, ""):
                    try:
                        value = await self._value(command, parameter, text, is_bare=reading.is_bare)
                    except UserError as error:
                        failure = failure or error
                        value = None
                    if value is None:
                        break
                    values[parameter.name] = value
            else:
                try:
                    arguments = await self._resolved(command, values)
                except _REFUSALS as error:
                    failure = failure or error
                    continue
                arguments = self._with_address(command, arguments)
                return Meaning(command, usage, arguments, is_sure=not command.changes)
        return failure

    def _with_address(self, command: Command, arguments: Mapping[str, object]) -> Mapping[str, object]:
        """Return arguments with an address where there is a name alone, or one with words around it."""
        target, references = arguments.get(TARGET), self._all.grammar.references
        if not isinstance(target, str) or not target:
            return arguments
        address: str | None = references.address(target)
        if references.is_here(target):
            address = self._conversation.sender.room or target
        elif address == target and not references.is_relation(target):
            address = self._files(command).neighbour(target)
        return arguments if address in {None, target} else {**arguments, TARGET: address}

    async def _value(
        self, command: Command, parameter: Parameter, text: str, *, is_bare: bool
    ) -> object | None:
        """Return a value as it is resolved; None if there is none. Raises NoSuchEntry or AmbiguousName."""
        if not parameter.kind.is_file:
            references = self._all.grammar.references
            core = references.core(text) if parameter.name != "new" else text
            is_article = parameter.name == TARGET and references.is_no_name(text)
            if is_article or (parameter.kind is Kind.LINK and link_within(text) is None):
                return None
            try:
                return parameter.read(unquoted(core), self._all.now)
            except ValueError:
                return None
        if link_within(text) is not None:
            return None
        files, sender = self._files(command), self._conversation.sender
        replied_to = self._all.calls.replied_to(self._conversation)
        referents = Referents(files, self._all.lists, sender, replied_to, self._all.grammar.references)
        found = await referents.find(
            text, several=parameter.kind is Kind.FILES, to_send=is_to_send(parameter), is_bare=is_bare
        )
        if found is None and not self._is_refused and (not is_bare or _FILE_NAME.fullmatch(text)):
            self._is_refused = True
            if self._all.grammar.references.is_plain_name(text):
                await files.one(self._all.grammar.references.core(text))  # to say what is wrong with it
            return None
        return found[0] if isinstance(found, tuple) and parameter.kind is Kind.FILE else found

    # --- guesses --------------------------------------------------------------------------------

    async def _guess(self, line: str, command: Command | None, refusal: UserError | None) -> Meaning | None:
        """Return the nearest command with its words filled in."""
        if near_name(refusal) is not None:
            return await self._with_nearest(command, refusal)
        for guess in Guesses(self._usable, self._all.speller).of(line, command):
            self._tried = 0
            found = await self._guessed(guess)
            if found is not None:
                return replace(found, is_sure=False)
        return None

    async def _guessed(self, line: str) -> Meaning | None:
        """Return what a line means that was guessed."""
        word, rest = (*line.split(maxsplit=1), "", "")[:2]
        command, failure = self._usable.named(word), None
        if command is not None and self._usable.shows(command):
            try:
                return await self._exact(command, line, rest)
            except _REFUSALS as error:
                failure = error
        found = await self._by_sentence(line)
        if isinstance(found, Meaning):
            return found
        return await self._with_nearest(command, failure or found)

    async def _with_nearest(self, command: Command | None, error: UserError | None) -> Meaning | None:
        """Return a command of one file, or else ``get``, with the name that an error is nearest to."""
        name, command = near_name(error), command or self._all.commands.named("get")
        if name is None or command is None or not self._usable.shows(command):
            return None
        usage = command.usages[-1]
        if len(usage.parameters) != 1 or not command.parameters[0].kind.is_file:
            return None
        try:
            arguments = await self._resolved(command, {usage.parameters[0]: name})
        except UserError:
            return None
        return Meaning(command, usage.line, arguments, is_sure=False)

    def _files(self, command: Command) -> Files:
        return self._all.calls.resolver(command.plugin, self._conversation).files

    async def _resolved(self, command: Command, values: Mapping[str, object]) -> Mapping[str, object]:
        if not command.parameters:
            return {}
        return await self._all.calls.resolver(command.plugin, self._conversation).resolve(command, values)
