"""Guesses: lines that somebody may have meant who typed one that is not understood."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from filebot.plugin.commands import Command, CommandList
from filebot.reading.quotes import unquoted
from filebot.reading.signs import without_ending
from filebot.reading.spelling import Speller

MOST_GUESSES: Final = 3
"""Lines that are tried for one that is not understood."""


class Guesses:
    """Finder of lines that somebody may have meant, by what they may use where they are."""

    def __init__(self, usable: CommandList, speller: Speller) -> None:
        self._usable = usable
        self._speller = speller

    def of(self, line: str, command: Command | None) -> Iterator[str]:
        """Yield other lines, the likeliest first; ``command`` is the one that the line begins with."""
        found = dict.fromkeys(self._all(line, command))
        yield from islice((each for each in found if each and each != line), MOST_GUESSES)

    def _all(self, line: str, command: Command | None) -> Iterator[str]:
        if command is None:
            yield from self._other_forms(line)
        corrected = self._speller.corrected(line)
        yield corrected
        if command is None and (named := self._named(corrected)) is not None:
            yield named

    def _other_forms(self, line: str) -> Iterator[str]:
        """Yield lines with a command's name that was mistyped, put in quotes or put last."""
        yield unquoted(line)
        if (named := self._named(line)) is not None:
            yield named
        *words, last = without_ending(line).split() or [""]
        if words and self._usable.named(last) is not None:
            yield f"{last} {' '.join(words)}"

    def _named(self, line: str) -> str | None:
        """Return a line with the command that its first word is most like."""
        word, *rest = line.split(maxsplit=1)
        similar = self._usable.similar(word)
        return None if similar is None else " ".join((similar.name, *rest))
