"""Sentences: which commands a line of text may mean, by the phrases of all commands.

A line is read without the words around a request ("please", "can you ... ?"). It fits a phrase as a whole
or not at all: "bob deleted the report" has the words of a removal, and is none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from filebot.reading.phrases import Phrase, alternatives, words_in
from filebot.reading.quotes import Sealed
from filebot.reading.references import ReferenceReader
from filebot.reading.signs import folded, without_beginning, without_ending
from filebot.reading.tables import LanguageTable

LONGEST: Final = 300
"""Characters of the longest line that is read as a sentence."""
HELP: Final = "help"
"""Command that a question how to do something means, with the name of what does it."""
_MOST_CUTS: Final = 5
"""Words before a request, and after it, that are left out one by one."""
_SOME_FILE: Final = "x"
_SHORTEST_VERB: Final = 2
"""Signs of the shortest verb."""
_CLAUSES: Final = re.compile(r"[,.;!?:]\s+|[，。；！？：]")
MOST_SEQUELS: Final = 6
"""Places at which a line is taken for two requests."""
_SIGNS_BETWEEN: Final = r"[\s,.!:;，。！：；、-]*+"


@dataclass(frozen=True, slots=True)
class Reading:
    """Command that a sentence may mean."""

    command: str
    """Name or alias of the command."""
    values: Mapping[str, str]
    """Texts of its values as they were typed."""
    is_bare: bool = False
    """Whether the sentence has no word of the command, only a value."""
    rest: str | None = None
    """Text after the command's name, where the sentence is the command itself within other words."""


class Grammar:
    """Reader of sentences."""

    def __init__(
        self, phrases: Iterable[tuple[str, str]], words: Iterable[str], tables: Sequence[LanguageTable]
    ) -> None:
        """``phrases`` are pairs of a command and a phrase that means it, ``words`` the names and aliases of
        all commands. Raises BadPhrase.
        """
        read = [Phrase.parse(command, line) for command, line in phrases]
        # The fewer values, the more of a sentence is words of the phrase.
        self._phrases = sorted(
            (each for each in read if not each.is_bare), key=lambda each: len(each.parameters)
        )
        self._bare = [each for each in read if each.is_bare]
        self._words = frozenset(words)
        # Chinese ones need no blank behind them.
        self._tables = tables
        self._unspaced = sorted((each for each in self._words if not each.isascii()), key=len, reverse=True)
        self._nouns = frozenset(each for table in tables for each in table.nouns)
        self.references = ReferenceReader(tables)
        openings = [each for table in tables for each in table.openings]
        closings = [each for table in tables for each in table.closings]
        self._opening = re.compile(alternatives(openings) + _SIGNS_BETWEEN, re.IGNORECASE)
        self._closing = re.compile(rf"{_SIGNS_BETWEEN}{alternatives(closings)}\Z", re.IGNORECASE)
        openers = alternatives(openings)
        how_to = alternatives(each for table in tables for each in table.how_to)
        nouns = alternatives(self._nouns)
        self._how_to = re.compile(
            rf"(?:{openers}{_SIGNS_BETWEEN}){{0,{_MOST_CUTS}}}(?:{nouns})?{how_to}", re.IGNORECASE
        )
        self._gerunds = {gerund: verb for table in tables for gerund, verb in table.gerunds.items()}
        self._elided = [each for table in tables for each in table.elided]
        before_gerund = alternatives(each for table in tables for each in table.before_gerunds)
        self._before_gerund = re.compile(rf"{before_gerund}\s*(?P<gerund>\w+)", re.IGNORECASE)
        sequels = [*map(_sequels, tables), r"\s*[,.;!]\s+|\s*[，。；！、]\s*"]
        self._sequel = re.compile("|".join(sequels), re.IGNORECASE)

    def vocabulary(self) -> Iterator[str]:
        """Yield the words of commands, of tables and of phrases, some of them several times."""
        yield from self._words
        for table in self._tables:
            yield from table.all_words()
        for phrase in self._phrases:
            yield from words_in(phrase.line)

    def readings(self, line: str) -> list[Reading]:
        """Return what a line may mean, the likeliest first."""
        if len(line) > LONGEST:
            return []
        readings = list[Reading]()
        if (asked := self._how_to.match(folded(line))) is not None:
            whole = (each for each in self._ordered(line) if each.command == HELP and not each.rest)
            return [next(whole, None) or self._help_for(line[asked.end() :])]
        for reading in self._ordered(line):
            if reading not in readings:
                readings.append(reading)
        return readings

    def requests(self, line: str) -> list[tuple[str, str]]:
        """Return the ways in which a line is two requests, one after the other, each with a verb."""
        if len(line) > LONGEST:
            return []
        sealed, found = Sealed(line), list[tuple[str, str]]()
        for match in islice(self._sequel.finditer(sealed.text), MOST_SEQUELS):
            first = sealed.opened(sealed.text[: match.start()]).strip()
            rest = sealed.opened(sealed.text[match.end() :]).strip()
            if first and rest and self._has_verb(first):
                # In Chinese the object is left out the second time.
                spoken = (rest, *self.with_object(rest))
                found += [(first, each) for each in spoken if self._has_verb(each)]
        return found

    def with_object(self, line: str) -> Sequence[str]:
        """Return a request with a word for the file that was spoken of, in languages that leave it out."""
        return [it + line for it in self._elided]

    def without_openings(self, line: str) -> str:
        """Return a line without the words before a request, where a blank follows them."""
        for _ in range(_MOST_CUTS):
            match = self._opening.match(folded(line))
            if match is None or not match[0].endswith(" ") or match.end() == len(line):
                break
            line = line[match.end() :]
        return line

    def last_clause(self, line: str) -> str:
        """Return what follows the last sign within a line; empty if there is no such sign."""
        sealed = Sealed(without_ending(line))
        *_, clause = _CLAUSES.split(sealed.text)
        return "" if clause == sealed.text else sealed.opened(clause)

    def _help_for(self, asked: str) -> Reading:
        """Return the reading of a question how something is done: the help for what does it."""
        # A verb alone is asked about as well.
        lines = (asked, f"{without_ending(asked)} {_SOME_FILE}")
        verbs = [each for line in lines for each in self._ordered(line) if not each.is_bare]
        if verbs:
            return Reading(HELP, {"command": min(verbs, key=_left_to_values).command})
        text = folded(asked).casefold()
        words = (self._gerunds.get(each, each) for each in re.findall(r"[a-z]+", text))
        named = next((each for each in words if each in self._words), None)
        named = named or next(
            (each for each in self._unspaced if each in text and each not in self._nouns), None
        )
        return Reading(HELP, {} if named is None else {"command": named})

    def _has_verb(self, text: str) -> bool:
        return any(not each.is_bare for each in self._ordered(text))

    def _ordered(self, line: str) -> Iterator[Reading]:
        sealed = Sealed(line)
        # Each core as it was typed, and with usual signs; the shortest first.
        cores = [(core, folded(core)) for core in dict.fromkeys(self._cores(sealed.text))][::-1]
        found = [*_by_phrases(sealed, cores, self._phrases)]
        for core, text in cores:
            if (word := self._command_in(text)) is not None:
                rest = sealed.opened(core[len(word) :].strip(" :："))
                found.append(Reading(word, {}, rest=rest))
        # The less is left to values, the more of the sentence is understood.
        yield from sorted(found, key=_left_to_values)
        yield from _by_phrases(sealed, cores, self._bare)

    def _command_in(self, text: str) -> str | None:
        """Return the word for a command with which a text begins."""
        word = text.split(maxsplit=1)[0].rstrip(":").casefold()
        if word in self._words:
            return word
        return next((each for each in self._unspaced if text.startswith(each)), None)

    def _cores(self, text: str) -> Iterator[str]:
        """Yield a text, and what is left of it without words around it, ever shorter."""
        for ending in dict.fromkeys(self._without_closings(text)):
            core = ending
            for _ in range(_MOST_CUTS):
                if core.strip():
                    yield core.strip()
                if (match := self._before_gerund.match(core)) is not None:
                    gerund = match["gerund"].casefold()
                    core = self._gerunds.get(gerund, gerund) + core[match.end() :]
                    continue
                match = self._opening.match(folded(core))
                if match is None or not 0 < match.end() < len(core):
                    break
                core = core[match.end() :]

    def _without_closings(self, text: str) -> Iterator[str]:
        yield text
        core = without_ending(without_beginning(text))
        for _ in range(_MOST_CUTS):
            if core:
                yield core
            match = self._closing.search(folded(core))
            if match is None or not match.start():
                return
            core = without_ending(core[: match.start()])


def _left_to_values(reading: Reading) -> int:
    return sum(map(len, (*reading.values.values(), reading.rest or "")))


def _by_phrases(
    sealed: Sealed, cores: Sequence[tuple[str, str]], phrases: Sequence[Phrase]
) -> Iterator[Reading]:
    for phrase in phrases:
        for core, text in cores:
            for pattern in phrase.patterns:
                if (match := pattern.fullmatch(text)) is not None:
                    spans = {
                        name: match.span(name) for name in phrase.parameters if match[name] is not None
                    }
                    values = {
                        name: sealed.opened(core[start:end]).strip() for name, (start, end) in spans.items()
                    }
                    yield Reading(phrase.command, values, phrase.is_bare)


def _sequels(table: LanguageTable) -> str:
    latin = [re.escape(word) for word in table.sequels if word.isascii()]
    others = [re.escape(word) for word in table.sequels if not word.isascii()]
    parts = [rf"[\s,;.]+(?:{'|'.join(latin)})\s+"] if latin else []
    parts += [rf"[\s，；。]*(?:{'|'.join(others)})\s*"] if others else []
    return "|".join(parts)


def is_telling(reading: Reading, line: str) -> bool:
    """Return whether a reading with a name that stands for nothing is still the likeliest one.

    One sign of Chinese alone is hardly a verb; it rather begins a longer word.
    """
    return reading.is_bare or len(line) - _left_to_values(reading) >= _SHORTEST_VERB
