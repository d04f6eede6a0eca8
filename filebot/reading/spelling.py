"""Spelling: words of requests that somebody mistyped, in English.

A word that the tables do not know is taken for the nearest one that they do. Words with other signs than
letters, words in quotes and short ones are left as they are: they are rather names.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from rapidfuzz.distance import OSA, Levenshtein

from filebot.reading.quotes import Sealed

LONGEST: Final = 20
"""Letters of the longest word that is looked at."""
SHORTEST: Final = 3
WRONG_LETTER: Final = 5
"""Letters of a word from which on one of them may be a wrong one: "bob" is no "bot"."""
TWO_SLIPS: Final = 8
"""Letters of a word from which on it may have two slips."""
INFLECTIONS: Final = ("s", "d", "ed", "n", "r", "er", "ing", "ly")
"""Endings of words that are other words: "he deleted it" asks for nothing."""
MOST_WORDS: Final = 40
"""Words of a line that are looked at."""
_WORD: Final = re.compile(rf"(?<![\w.@#/:'-])[A-Za-z]{{{SHORTEST},{LONGEST}}}(?![\w@/:'-]|\.\w)")


class Speller:
    """Finder of words that were mistyped."""

    def __init__(self, words: Iterable[str]) -> None:
        """``words`` are those that are known; of two that are equally near the earlier one is meant."""
        self._ranks = dict[str, int]()
        by_beginning = defaultdict[str, list[str]](list)
        for word in words:
            if word.isascii() and word.isalpha() and word not in self._ranks:
                self._ranks[word] = len(self._ranks)
                by_beginning[word[0]].append(word)
        self._by_beginning = dict(by_beginning)

    def corrected(self, line: str) -> str:
        """Return a line with its mistyped words corrected, as far as they are known."""
        sealed, count = Sealed(line), 0

        def correct(found: re.Match[str]) -> str:
            nonlocal count
            count += 1
            return found[0] if count > MOST_WORDS else self._nearest(found[0].lower()) or found[0]

        return sealed.opened(_WORD.sub(correct, sealed.text))

    def _nearest(self, typed: str) -> str | None:
        """Return the nearest known word to one that is unknown; None if there is none."""
        if typed in self._ranks or any(
            typed.removesuffix(each) in self._ranks for each in INFLECTIONS if typed.endswith(each)
        ):
            return None
        most = 2 if len(typed) >= TWO_SLIPS else 1
        near = list[tuple[int, int, int, str]]()
        # Hardly anybody mistypes the first letter, but two may change places.
        for beginning in dict.fromkeys(typed[:2]):
            for word in self._by_beginning.get(beginning, ()):
                if beginning != typed[0] and word[1:2] != typed[0]:
                    continue
                slips = OSA.distance(typed, word, score_cutoff=most)
                # Letters that changed places are likelier than others in their place.
                swapped = Levenshtein.distance(typed, word) - slips
                is_wrong_letter = len(typed) == len(word) < WRONG_LETTER and not swapped
                if slips <= most and len(word) > slips + 1 and not is_wrong_letter:
                    near.append((slips, -swapped, self._ranks[word], word))
        return min(near)[-1] if near else None
