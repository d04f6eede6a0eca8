"""Slips around a command: signs and words that people type with one, and that are no part of it.

What is left is the command in its exact form. Nothing is left out within quotes.
"""

import re
from collections.abc import Iterable
from typing import Final

from filebot.reading.phrases import alternatives
from filebot.reading.quotes import Sealed, unquoted
from filebot.reading.signs import folded
from filebot.reading.tables import TABLES

LONGEST: Final = 300
"""Characters of the longest line that is looked at."""
_BEFORE: Final = re.compile(
    r"(?:@[\w.-]+[\s,:]+|[/!\\]+\s*|(?:please\s+)?type\s*:\s*|(?:请)?输入\s*:\s*)+", re.IGNORECASE
)
_BETWEEN: Final = re.compile(r"(?:[:=,;、]+|\.+(?=\s)|\s+[:=-]+\s|-+\s|(?=[(\[<〈《「]))\s*|\s+")
"""Signs between a command's word and what follows; a sign after a blank may begin a name."""
_SPACES: Final = re.compile(r"\s+")
_SLASH: Final = re.compile(r"\A[/!](?=\w+\Z)")
_DOUBLED: Final = re.compile(r"([\"“”'‘’])\1+([^\"“”'‘’]+)([\"“”'‘’])\3+")
_BRACKETS: Final = re.compile(r"(?<!\S)(?:<([^<>]+)>|〈([^〈〉]+)〉)(?=[.,!?]?(?:\s|\Z))")
"""Brackets around values, as manuals have them."""
_AROUND_ALL: Final = re.compile(r"\((?P<round>[^()]+)\)|\[(?P<square>[^][]+)]")
"""Other brackets, which names have as well: only those around all that follows a command are left out."""
_LONE_QUOTE: Final = re.compile(r"\A[\"“”'‘’]([^\"“”'‘’]+)\Z|\A([^\"“”'‘’]+)[\"“”]\Z")
_COURTESY: Final = re.compile(
    r"[\s,.!]*" + alternatives(each for table in TABLES for each in table.courtesies) + r"[\s.!~]*\Z",
    re.IGNORECASE,
)
_ENDING: Final = re.compile(r"(?<=[^\s.,!])[.,!]+\Z")
_ADDRESS: Final = re.compile(
    r"(?:\A|(?<=[\s,;]))(?P<before>(?:(?:to|too|2|for|at|给|到|->|=>|→)[\s:]*)?)"
    rf"(?:{alternatives(each for table in TABLES for each in table.relations)}[\s,:]*)?"
    r"(?:xmpp:|mailto:)?(?P<address>[^\s<>,;:@\"]+@[^\s<>,;:@\"]+[^\s<>,;:@\".!?])(?=[\s,;.!?]|\Z)",
    re.IGNORECASE,
)


class Slips:
    """Finder of the command that a line is, apart from slips."""

    def __init__(self, words: Iterable[str], targeted: Iterable[str]) -> None:
        """``words`` are the names and aliases of all commands, ``targeted`` those of commands that send
        a file to an address.
        """
        self._targeted = frozenset(targeted)
        self._words = frozenset(words)
        unspaced = sorted((each for each in self._words if not each.isascii()), key=len, reverse=True)
        others = "|".join(map(re.escape, unspaced)) or r"(?!)"
        self._first = re.compile(rf"[a-z]+(?![\w@/])|{others}", re.IGNORECASE)

    def tidied(self, line: str) -> str | None:
        """Return the exact command that a line is, apart from slips; None if there is none or no slip."""
        word, rest = self._taken(_without_beginning(line)) if len(line) <= LONGEST else (None, "")
        if word is None:
            return None
        again, after = self._taken(rest)
        if again == word and after:
            rest = after
        rest = self._value(word, rest)
        found = f"{word} {rest}" if rest else word
        typed = _SPACES.sub(" ", folded(line)).strip().removeprefix("!")
        return None if typed.casefold() == found.casefold() else found

    def first_word(self, line: str) -> str:
        """Return the word of the command that a line is, apart from slips; empty if there is none."""
        return (self._taken(_without_beginning(line))[0] or "") if len(line) <= LONGEST else ""

    def _taken(self, text: str) -> tuple[str | None, str]:
        """Return the word of a command with which a text begins, if it does, and what follows."""
        plain = folded(text)
        first = self._first.match(plain)
        if first is None or (word := first[0].casefold()) not in self._words:
            return None, text
        between = _BETWEEN.match(plain, first.end())
        if between is None:
            is_whole = first.end() == len(plain) or not word.isascii()
            return (word, text[first.end() :]) if is_whole else (None, text)
        rest = text[between.end() :]
        is_sentence = not between[0].isspace() and between[0][:1] in ",.;、" and " " in rest.strip()
        return (None, text) if is_sentence else (word, rest)

    def _value(self, word: str, rest: str) -> str:
        value = _SPACES.sub(" ", rest).strip()
        value = _DOUBLED.sub(r'"\2"', value)
        value = _SLASH.sub("", value)
        sealed = Sealed(value)
        text = sealed.text
        if (courtesy := _COURTESY.search(folded(text))) is not None:
            text = text[: courtesy.start()]
        text = _within_brackets(_LONE_QUOTE.sub(r"\1\2", text))
        if word in self._targeted:
            text = _with_target(text)
        if text == sealed.text and len(text.split()) == 1:
            ending = _ENDING.search(folded(text))
            text = text if ending is None else text[: ending.start()]
        return sealed.opened(text.strip())


def _without_beginning(line: str) -> str:
    text = unquoted(line.strip())
    before = _BEFORE.match(folded(text))
    return text if before is None else text[before.end() :]


def _within_brackets(text: str) -> str:
    """Return a text whose values in brackets are without these."""
    plain, parts, end = folded(text), list[str](), 0
    if _AROUND_ALL.fullmatch(plain.strip()) is not None:
        return text.strip()[1:-1]
    for found in _BRACKETS.finditer(plain):
        parts += [text[end : found.start()], text[found.start() + 1 : found.end() - 1]]
        end = found.end()
    return "".join((*parts, text[end:]))


def _with_target(text: str) -> str:
    """Return the values of a command with the one address in them at the end, after "to"."""
    plain = folded(text)
    found = list(_ADDRESS.finditer(plain))
    if len(found) != 1:
        return text
    name = " ".join((text[: found[0].start()].rstrip(" ,;，；"), text[found[0].end() :].strip(" ,;，；")))
    return f"{name.strip()} to {found[0]['address']}" if name.strip() else text
