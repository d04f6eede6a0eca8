"""Phrases: patterns of sentences, such as ``(send|give) me NAME``.

A person types lower-case words as they are; ``(a|b)`` is a choice, and what is in ``[a]`` may be left out.
A word in capitals is a value, and ``NAME=(a|b)`` one of these. Words of Latin letters end at blanks;
between those of Chinese there need be none.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_TOKEN: Final = re.compile(r"[A-Z][A-Z_]*|[()\[\]|]|[^\s()\[\]|A-Z]+")
_BEFORE: Final = r"(?<![0-9A-Za-z_.'@/\-])"
_AFTER: Final = r"(?![0-9A-Za-z_'@/\-]|\.\w)"
_GAP: Final = r"\s*+"
"""Possessive, as all that may follow begins with another sign: blanks are not divided in many ways."""
_LAZY: Final = r"\S.*?)"
_GREEDY: Final = r"\S.*)"


class BadPhrase(ValueError):
    """Phrase that cannot be read."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Pattern of a sentence that means a command."""

    command: str
    line: str
    parameters: tuple[str, ...]
    """Names of the values, in lower case."""
    patterns: tuple[re.Pattern[str], ...]
    """Expressions with values as short as possible and, for several values, as long as possible."""

    @classmethod
    def parse(cls, command: str, line: str) -> Self:
        """Read a phrase. Raises BadPhrase."""
        parameters = tuple(each.lower() for each in re.findall(r"[A-Z][A-Z_]*", line))
        if len(set(parameters)) != len(parameters):
            raise BadPhrase(f"a value is named twice: {line}")
        if not line.strip():
            raise BadPhrase("a phrase has no words")
        expression = pattern_of(line)
        ways = [expression, expression.replace(_LAZY, _GREEDY)] if len(parameters) > 1 else [expression]
        return cls(command, line, parameters, tuple(re.compile(each, re.IGNORECASE) for each in ways))

    @property
    def is_bare(self) -> bool:
        """Whether it is nothing but a value."""
        return next(words_in(self.line), None) is None


def read_phrases(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the phrases of commands by the commands' names, from a TOML file with a text for each.

    A phrase is a line. Raises OSError, or ValueError for a file that is none of that kind.
    """
    texts = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: tuple(filter(None, map(str.strip, text.splitlines()))) for name, text in texts.items()}


def pattern_of(line: str) -> str:
    """Return the regular expression of a phrase. Raises BadPhrase."""
    tokens = _TOKEN.findall(line)
    found, rest = _choice(tokens)
    if rest:
        raise BadPhrase(f"a bracket is closed that was not opened: {line}")
    return found


def alternatives(phrases: Iterable[str]) -> str:
    """Return the regular expression of one of several phrases, the longest of those that fit."""
    ordered = sorted(set(phrases), key=len, reverse=True)
    return "(?:" + "|".join(map(pattern_of, ordered)) + ")"


def _choice(tokens: list[str]) -> tuple[str, list[str]]:
    """Return the expression up to the bracket that closes, and the tokens from there."""
    parts, part = list[str](), ""
    while tokens and tokens[0] not in ")]":
        sign, *tokens = tokens
        if sign == "|":
            parts.append(part)
            part = ""
        elif sign in "([":
            inside, tokens = _choice(tokens)
            if not tokens or (sign, tokens[0]) not in {("(", ")"), ("[", "]")}:
                raise BadPhrase("a bracket is not closed")
            tokens = tokens[1:]
            part += f"(?:{inside})" + ("?" if sign == "[" else "")
        elif sign.isupper() and tokens[:2] == ["=", "("]:
            inside, tokens = _choice(tokens[2:])
            if not tokens or tokens[0] != ")":
                raise BadPhrase("a bracket is not closed")
            tokens = tokens[1:]
            part += f"(?P<{sign.lower()}>{inside})"
        elif sign.isupper():
            between = "" if not part.endswith(f"{_LAZY}{_GAP}") else r"(?<=\s)"
            part += f"{between}(?P<{sign.lower()}>{_LAZY}{_GAP}"
        else:
            part += word_pattern(sign) + _GAP
    # The longer one of two that fit says more.
    parts = sorted((*parts, part), key=len, reverse=True)
    return "|".join(parts) if len(parts) == 1 else "(?:" + "|".join(parts) + ")", tokens


def word_pattern(word: str) -> str:
    """Return the expression of one word, which is no part of a longer one."""
    before = _BEFORE if word[0].isascii() and word[0].isalnum() else ""
    after = _AFTER if word[-1].isascii() and word[-1].isalnum() else ""
    return before + re.escape(word) + after


def words_in(line: str) -> Iterator[str]:
    """Yield the words of a phrase that are typed as they are."""
    return (each for each in _TOKEN.findall(line) if each not in "()[]|" and not each.isupper())
