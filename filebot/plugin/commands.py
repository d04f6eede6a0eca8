"""Commands of plugins: their usage lines, and the table that finds them by name.

A usage line such as ``send NAME to TARGET`` is a pattern: a person types lower-case words as they are, and
a value for each upper-case word. A word in brackets at the end may be left out. A value with blanks needs
quotes only where it would otherwise end too early; the last value always takes the rest of the line.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from filebot.errors import BadCommand, BadValue, PluginError, UserError
from filebot.plugin.arguments import Parameter
from filebot.plugin.permissions import CommandGroup, Permission, Place
from filebot.reading.quotes import QUOTED, Sealed, unquoted
from filebot.reading.signs import folded

LIMIT_S: Final = 300.0
"""Usual limit of a command; it stands still while a file moves, or waits for others that move."""

SUGGESTION_SCORE: Final = 60.0
"""Lowest similarity, of 100, at which one word is suggested for another."""

SIGNS_FOR_A_SLIP: Final = 3
"""Signs of a word for each of which one may be wrong, missing or swapped, so that the person is asked."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_PARAMETER = re.compile(r"(\[)?([A-Z][A-Z_]*)(?(1)\])")

FEW_PARAMETERS: Final = 2
LONGEST_OF_MANY: Final = 400
"""Characters of a text that fits a usage with more values."""


@dataclass(frozen=True, slots=True)
class CommandUsage:
    """Usage line of a command, and its pattern."""

    line: str
    parameters: tuple[str, ...]
    """Names of the values, in lower case, in the order of the line."""
    optional: str
    """Name of the value that may be left out; empty for none."""
    _pattern: re.Pattern[str]
    _greedy: re.Pattern[str]
    """The same with values as long as possible."""

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a usage line, which begins with the command's name. Raises ValueError for a bad one."""
        _, *words = line.split()
        pattern, parameters, optional = "", list[str](), ""
        for index, word in enumerate(words):
            part, last = re.escape(word), index == len(words) - 1
            if match := _PARAMETER.fullmatch(word):
                name = match[2].lower()
                parameters.append(name)
                part = f"(?P<{name}>{QUOTED}|.+{'' if last else '?'})"
                if match[1] and not last:
                    raise ValueError(f"only the last value may be optional: {line}")
                optional = name if match[1] else ""
            elif word != word.lower():
                raise ValueError(f"neither a word nor a value: {word}")
            part = rf"\s{part}" if index else part
            pattern += f"(?:{part})?" if word.startswith("[") else part
        if len(set(parameters)) != len(parameters):
            raise ValueError(f"a value is named twice: {line}")
        greedy = pattern.replace("|.+?)", "|.+)")
        return cls(
            line,
            tuple(parameters),
            optional,
            re.compile(pattern, re.IGNORECASE),
            re.compile(greedy, re.IGNORECASE),
        )

    def without(self, parameter: str) -> Self:
        """Return this usage as it is written without one of its values."""
        words = (word for word in self.line.split() if word.strip("[]") != parameter.upper())
        return replace(self.parse(" ".join(words)), line=self.line)

    def match(self, text: str, *, greedy: bool = False) -> dict[str, str] | None:
        """Return the values in ``text``, which follows the command's name, or None if it does not fit.

        A value in quotes keeps them, and is never taken apart. One that was left out is the empty string.
        ``greedy``: the first values are as long as possible, not as short.
        """
        # One blank between words keeps the search short. With more than two values it grows by powers of
        # the length all the same.
        sealed = Sealed(" ".join(text.split()))
        words = sealed.text
        if len(self.parameters) > FEW_PARAMETERS and len(words) > LONGEST_OF_MANY:
            return None
        found = (self._greedy if greedy else self._pattern).fullmatch(words)
        if found is None:
            return None
        return {name: sealed.opened(found[name] or "") for name in self.parameters}


@dataclass(frozen=True, slots=True)
class Match:
    """Words of a person, read by a usage of a command."""

    usage: str
    """The usage line that they fit."""
    values: Mapping[str, object]
    """Values that are there, by the name of their parameter; of files and rooms their text."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its plugin declared it."""

    plugin: str
    """Name of its plugin."""
    name: str
    """Word that people type."""
    usages: tuple[CommandUsage, ...]
    """Usages in the order in which they are tried."""
    aliases: tuple[str, ...]
    """Other words for it."""
    help: str
    """The whole docstring."""
    handler: Callable[..., Awaitable[object]]
    """Function of the plugin."""
    parameters: tuple[Parameter, ...] = ()
    """Arguments of the handler, in the order of the usage lines."""
    permission: Permission = Permission.EVERYONE
    """Group of people who may use it."""
    place: Place = Place.BOTH
    """Place where it can be used."""
    elsewhere: str = ""
    """Template of the reply at another place; empty for the words of WrongPlace."""
    limit_s: float = LIMIT_S
    """Seconds that a call may take."""
    group: CommandGroup = CommandGroup.MORE
    """Group under which lists of commands show it."""
    phrases: tuple[str, ...] = ()
    """Sentences that mean it, as patterns."""
    changes: bool = True
    """Whether it changes, removes or sends something: read from a sentence, it is asked about first."""

    @property
    def hook(self) -> str:
        """Description of its function, for messages about it."""
        return f"command {self.name!r}"

    @property
    def is_restricted(self) -> bool:
        """Whether some people may not use it, or not everywhere."""
        return self.permission is not Permission.EVERYONE or self.place is not Place.BOTH

    @property
    def usage(self) -> tuple[str, ...]:
        """Usage lines as the help shows them, the most common one first."""
        return tuple(usage.line for usage in reversed(self.usages))

    def usage_in(self, language: str) -> tuple[str, ...]:
        """Return the usage lines as readers of a language see them: with its own word for the command, if
        there is one.
        """
        word = self.word_in(language)
        return tuple(word + line.removeprefix(self.name) for line in self.usage)

    def word_in(self, language: str) -> str:
        """Return the first word for the command in the script of a language, else its name."""
        if not language.startswith("zh"):
            return self.name
        return next((each for each in self.aliases if _HAN.search(each)), self.name)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.help.splitlines()[0]

    def usages_in(self, *, is_reply: bool) -> Iterator[CommandUsage]:
        """Yield the usages in the order in which they are tried.

        In a reply to a message, each of them is followed by the same without its file.
        """
        files = {each.name for each in self.parameters if each.kind.is_file}
        for usage in self.usages:
            yield usage
            named = [name for name in usage.parameters if name in files]
            if is_reply and len(named) == 1:
                yield usage.without(named[0])

    def fits_reply(self, text: str, now: datetime) -> bool:
        """Whether a text fits a usage of which the file alone is left out, with one word for each value."""
        files = {each.name for each in self.parameters if each.kind.is_file}
        for usage in self.usages:
            named = [name for name in usage.parameters if name in files]
            texts = usage.without(named[0]).match(text) if len(named) == 1 else None
            if texts is None or any(each not in {"", *text.split()} for each in texts.values()):
                continue
            try:
                self._read(texts, now)
            except BadValue:
                continue
            return True
        return False

    def match(self, text: str, now: datetime, *, is_reply: bool = False) -> Match:
        """Return the usage that ``text`` fits, and its values. ``is_reply``: to some message.

        A usage fits if its words do and each value is of its kind. Raises BadValue or BadCommand.
        """
        wrong: BadValue | None = None
        for usage in self.usages_in(is_reply=is_reply):
            texts = usage.match(text)
            if texts is None or self._is_unfinished(texts):
                continue
            try:
                return Match(usage.line, self._read(texts, now))
            except BadValue as error:
                wrong = wrong or error
        raise wrong or BadCommand(command=self.name, usage=self.usage, missing=not text.strip())

    def other_matches(self, text: str, now: datetime) -> Iterator[Match]:
        """Yield other ways to read a text: by later usages, and with longer first values."""
        for greedy in (False, True):
            for usage in self.usages:
                texts = usage.match(text, greedy=greedy)
                with suppress(BadValue):
                    if texts is not None and not self._is_unfinished(texts):
                        yield Match(usage.line, self._read(texts, now))

    def _is_unfinished(self, texts: Mapping[str, str]) -> bool:
        """Return whether a value other than a file is a word between two values: "rename a.txt to"."""
        between = {word for usage in self.usages for word in usage.line.split()[2:-1] if word.islower()}
        return any(
            texts.get(each.name, "").lower() in between for each in self.parameters if not each.kind.is_file
        )

    def texts(self, text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield the usage lines that a text fits, and the texts of their values."""
        for usage in self.usages:
            if (found := usage.match(text)) is not None and not self._is_unfinished(found):
                yield usage.line, found

    def missing(self) -> BadCommand:
        """Return the error for a value that is missing."""
        return BadCommand(command=self.name, usage=self.usage, missing=True)

    def refused_as(self, word: str, error: UserError) -> UserError:
        """Return an error of this command in terms of the alias by which it was called, if it was."""
        if isinstance(error, BadCommand) and word.casefold() in self.aliases:
            return error.as_typed(word)
        return error

    def _read(self, texts: Mapping[str, str], now: datetime) -> dict[str, object]:
        found = dict[str, object]()
        for parameter in self.parameters:
            if text := texts.get(parameter.name, ""):
                # A file may have quotes in its name: the one of exactly that name comes first.
                typed = text if parameter.kind.is_file else unquoted(text)
                found[parameter.name] = parameter.value_of(typed, now, command=self.name, usage=self.usage)
        return found


class CommandList:
    """Commands by name and alias."""

    def __init__(self, commands: Iterable[Command]) -> None:
        """Raises PluginError if two have a word in common."""
        self._may_use: Callable[[Command], bool] = lambda _: True
        self._commands: list[Command] = []
        self._by_word: dict[str, Command] = {}
        for command in commands:
            self._add(command)

    def _add(self, command: Command) -> None:
        self._commands.append(command)
        for word in (command.name, *command.aliases):
            if word in self._by_word:
                other = self._by_word[word].plugin
                raise PluginError(f"both plugins {other!r} and {command.plugin!r} have a command {word!r}")
            self._by_word[word] = command

    def usable(self, may_use: Callable[[Command], bool]) -> Self:
        """Return the same list for somebody who is shown those commands alone that they may use."""
        found = copy(self)
        found._may_use = may_use  # noqa: SLF001 - its own
        return found

    def words(self) -> Sequence[str]:
        """Return the names and aliases of all commands."""
        return tuple(self._by_word)

    def shows(self, command: Command) -> bool:
        """Tell whether a command is shown to whom the list is for."""
        return self._may_use(command)

    def similar(self, word: str) -> Command | None:
        """Return the command whose name or alias is most like ``word``, if it is like it at all."""
        typed = word.casefold()[:40]
        words = [each for each, command in self._by_word.items() if self._may_use(command)]
        most = len(typed) // (SIGNS_FOR_A_SLIP if typed.isascii() else 2)
        found = process.extractOne(typed, words, scorer=OSA.distance, score_cutoff=most)
        return None if found is None or not most else self._by_word[found[0]]

    def phrases(self) -> list[tuple[str, str]]:
        """Return the phrases of all commands, each with the name of its command."""
        return [(each.name, phrase) for each in self._commands for phrase in each.phrases]

    def all(self) -> Sequence[Command]:
        """Return all commands that are shown, by name."""
        return sorted(filter(self._may_use, self._commands), key=lambda command: command.name)

    def named(self, name: str) -> Command | None:
        """Return the command of this name or alias."""
        return self._by_word.get(folded(name).casefold().removeprefix("!"))

    def nearest(self, word: str) -> tuple[str, ...]:
        """Return the names of commands that are similar to ``word``."""
        names = [command.name for command in self._commands if self._may_use(command)]
        found = process.extract(
            word.casefold()[:40], names, scorer=fuzz.ratio, limit=2, score_cutoff=SUGGESTION_SCORE
        )
        return tuple(name for name, _, _ in found)


def names_in(text: str) -> list[str]:
    """Return the names in a text, which are separated by blanks; a name in quotes may have blanks."""
    return [unquoted(each) for each in re.findall(rf"{QUOTED}|\S+", text)]
