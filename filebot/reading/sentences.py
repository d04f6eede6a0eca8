"""Sentences: which commands a line of text may mean, by the phrases of all commands.

A line is read without the words around a request ("please", "can you ... ?"). It fits a phrase as a whole or
not at all: "bob deleted the report" has the words of a removal, and is none.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from filebot.reading.phrases import Phrase, alternatives
from filebot.reading.quotes import Sealed
from filebot.reading.references import ReferenceReader
from filebot.reading.signs import folded, without_ending
from filebot.reading.tables import LanguageTable

LONGEST: Final = 300
"""Characters of the longest line that is read as a sentence."""
_MOST_CUTS: Final = 5
"""Words before a request, and after it, that are left out one by one."""
_SIGNS_BETWEEN: Final = r"[\s,.!:;，。！：；、-]*"


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
    """What follows the command's name, where the sentence is the command itself within other words."""


class Grammar:
    """Reader of sentences."""

    def __init__(
        self,
        phrases: Iterable[tuple[str, str]],
        is_command: Callable[[str], bool],
        tables: Sequence[LanguageTable],
    ) -> None:
        """``phrases`` are pairs of a command and a phrase that means it. Raises BadPhrase."""
        read = [Phrase.parse(command, line) for command, line in phrases]
        # The fewer values, the more of a sentence is words of the phrase.
        self._phrases = sorted(read, key=lambda each: (each.is_bare, len(each.parameters)))
        self._is_command = is_command
        self.references = ReferenceReader(tables)
        openings = [each for table in tables for each in table.openings]
        closings = [each for table in tables for each in table.closings]
        self._opening = re.compile(alternatives(openings) + _SIGNS_BETWEEN, re.IGNORECASE)
        self._closing = re.compile(rf"{_SIGNS_BETWEEN}{alternatives(closings)}\Z", re.IGNORECASE)
        self._sequel = re.compile(
            "|".join(_sequels(table) for table in tables) + r"|\s*[,.;!，。；！、]\s*", re.IGNORECASE
        )

    def readings(self, line: str) -> list[Reading]:
        """Return what a line may mean, the likeliest first."""
        if len(line) > LONGEST:
            return []
        sealed = Sealed(line)
        found = list(dict.fromkeys(_key(each) for each in self._ordered(sealed)))
        return [Reading(command, dict(values), bare, rest) for command, values, bare, rest in found]

    def requests(self, line: str) -> list[tuple[str, ...]]:
        """Return the ways in which a line is several requests one after the other, each with a verb."""
        if len(line) > LONGEST:
            return []
        sealed = Sealed(line)
        found = []
        for match in self._sequel.finditer(sealed.text):
            first, rest = sealed.text[: match.start()].strip(), sealed.text[match.end() :].strip()
            if first and rest and self._has_verb(sealed, first) and self._has_verb(sealed, rest):
                found.append((sealed.opened(first), sealed.opened(rest)))
        return found

    def _has_verb(self, sealed: Sealed, text: str) -> bool:
        return any(not each.is_bare for each in self._ordered(Sealed(sealed.opened(text))))

    def _ordered(self, sealed: Sealed) -> Iterator[Reading]:
        cores = list(dict.fromkeys(self._cores(sealed.text)))
        plain = [(core, folded(core)) for core in cores]
        for core, text in plain[:1] + plain[:0:-1]:
            word, _, rest = text.partition(" ")
            if len(plain) > 1 and core != sealed.text and self._is_command(word):
                yield Reading(word.lower(), {}, rest=sealed.opened(core[len(word) :].strip()))
        for phrase in self._phrases:
            for core, text in reversed(plain):
                if (match := phrase.pattern.fullmatch(text)) is not None:
                    spans = {
                        name: match.span(name) for name in phrase.parameters if match[name] is not None
                    }
                    values = {name: sealed.opened(core[start:end]) for name, (start, end) in spans.items()}
                    yield Reading(phrase.command, values, phrase.is_bare)

    def _cores(self, text: str) -> Iterator[str]:
        """Yield a text, and what is left of it without words around it, ever shorter."""
        endings = list(dict.fromkeys(self._without_closings(text)))
        for ending in endings:
            core = ending
            for _ in range(_MOST_CUTS):
                if core:
                    yield core
                match = self._opening.match(folded(core))
                if match is None or match.end() == len(core) or not match.end():
                    break
                core = core[match.end() :]

    def _without_closings(self, text: str) -> Iterator[str]:
        yield text
        core = without_ending(text)
        for _ in range(_MOST_CUTS):
            if core:
                yield core
            match = self._closing.search(folded(core))
            if match is None or not match.start():
                return
            core = without_ending(core[: match.start()])


def _key(reading: Reading) -> tuple[str, tuple[tuple[str, str], ...], bool, str | None]:
    return reading.command, tuple(reading.values.items()), reading.is_bare, reading.rest


def _sequels(table: LanguageTable) -> str:
    latin = [re.escape(word) for word in table.sequels if word.isascii()]
    others = [re.escape(word) for word in table.sequels if not word.isascii()]
    parts = [rf"[\s,;.]+(?:{'|'.join(latin)})\s+"] if latin else []
    parts += [rf"[\s，；。]*(?:{'|'.join(others)})\s*"] if others else []
    return "|".join(parts)
