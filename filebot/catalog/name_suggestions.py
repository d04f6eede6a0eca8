"""Suggestions for a mistyped name."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz, process

from filebot.filenames import extension

# Found by trial: one typo in four letters and two in eight still count, a shared ending does not.
_ALIKE: Final = 65.0
_CONTAINED: Final = 80.0
_CONTAINED_WEIGHT: Final = 0.9
_CONTAINED_MIN_LENGTH: Final = 4
"""Shorter pieces are contained in nearly everything."""
_COMPARED: Final = 256
"""Characters; more than any name has, so that nobody pays for what a person may type."""

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_BASE: Final = re.compile("LATIN SMALL LETTER (?:DOTLESS )?([A-Z])(?: WITH |$)")
_LIGATURES: Final = {"æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "n"}


def likeliest(key: str, known: Iterable[tuple[str, str]], limit: int) -> list[str]:
    """Return the known names most like ``key``, best first; of names that differ by case, the first.

    ``key`` is folded, ``known`` has each name's folded form and itself. Extensions are left out of the
    comparison: every PDF is much like every other otherwise. So are accents, as many keyboards have none.
    """
    names: dict[str, str] = {}
    for other, name in known:
        names.setdefault(other, name)
    scores = _scores(_stem(without_accents(key)), {other: _stem(without_accents(other)) for other in names})
    # Accents decide between what is alike without them; stable: the earlier known first.
    best = sorted(scores, key=lambda other: (-scores[other], -fuzz.ratio(key, other)))
    return [names[other] for other in best[:limit]]


def without_accents(key: str) -> str:
    """Return a folded text with plain Latin, Greek and Cyrillic letters: ``lodz`` for ``łódź``."""
    if key.isascii():
        return key
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", key))
    return unicodedata.normalize("NFC", "".join(map(_bare_letter, bare)))


@lru_cache(maxsize=1024)
def _bare_letter(letter: str) -> str:
    """Return the letter that one with a stroke or hook, which has no decomposition, is made of."""
    if letter in _LIGATURES:
        return _LIGATURES[letter]
    match = None if letter.isascii() else _BASE.match(unicodedata.name(letter, ""))
    return match[1].lower() if match else letter


def _scores(stem: str, stems: dict[str, str]) -> dict[str, float]:
    alike = process.extract(stem, stems, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=None)
    scores = {key: score for _, score, key in alike}
    for key, score in _contained(stem, stems):
        scores[key] = max(scores.get(key, 0.0), score * _CONTAINED_WEIGHT)
    return {key: scores[key] for key in stems if key in scores}


def _contained(stem: str, stems: dict[str, str]) -> Sequence[tuple[str, float]]:
    """Return names of which ``stem`` is nearly a part, or that are nearly a part of it."""
    if len(stem) < _CONTAINED_MIN_LENGTH:
        return []
    long_enough = {key: other for key, other in stems.items() if len(other) >= _CONTAINED_MIN_LENGTH}
    found = process.extract(
        stem, long_enough, scorer=fuzz.partial_ratio, score_cutoff=_CONTAINED, limit=None
    )
    return [(key, score) for _, score, key in found]


def _stem(key: str) -> str:
    compared = key[:_COMPARED]
    return compared.removesuffix(extension(compared))
