"""Tables of words, one for each language in which people write to the bot: data in ``words/``."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "words"
_LANGUAGES: Final = ("english", "chinese")


@dataclass(frozen=True, slots=True)
class LanguageTable:
    """Words of one language, apart from those of commands. All are in lower case."""

    greetings: Sequence[str]
    """Whole messages that want to know how to begin."""
    small_talk: Sequence[str]
    """Whole messages that want nothing: thanks, praise, assent."""
    openings: Sequence[str]
    """Phrases before a request that change nothing in it: "please", "can you"."""
    closings: Sequence[str]
    """Phrases after a request that change nothing in it."""
    courtesies: Sequence[str]
    """Phrases after a command in its exact form that are certainly no part of it."""
    negations: Sequence[str]
    """Words by which a sentence says the opposite, or that something is not so."""
    how_to: Sequence[str]
    """Phrases before something that is asked about, and not asked for: "how do I"."""
    articles: Sequence[str]
    """Words before the name of a thing: "the", "my"."""
    every: Sequence[str]
    """Articles that mean all files of a kind: "all", "both"."""
    here: Sequence[str]
    """Phrases for the room in which they are said: "the room"."""
    relations: Sequence[str]
    """Phrases before an address that say whose it is: "my friend"."""
    called: Sequence[str]
    """Words between a noun and a name: "called", "named"."""
    nouns: Sequence[str]
    """Words for a file, which may stand beside its name or for it."""
    newest: Sequence[str]
    """Words before a noun for the latest file."""
    oldest: Sequence[str]
    """Words before a noun for the first file of all."""
    after_newest: Sequence[str]
    """Phrases after a noun for the latest file: "that I sent"."""
    everything: Sequence[str]
    """Words for all files."""
    pronouns: Sequence[str]
    """Words for the file that was spoken of last."""
    conjunctions: Sequence[str]
    """Words between several things."""
    sequels: Sequence[str]
    """Words between two requests in one sentence."""
    counters: Sequence[str]
    """Words before a place in a list: "number"."""
    quantities: Sequence[str]
    """Words before a number of files: "the first three" are the first places of a list."""
    after_counters: Sequence[str] = ()
    """Words after a number."""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """Words for numbers: "two"."""
    elided: Sequence[str] = ()
    """Words for an object that is left out before a verb."""
    before_gerunds: Sequence[str] = ()
    """Phrases before a request whose verb is a gerund: "would you mind"."""
    gerunds: Mapping[str, str] = field(default_factory=dict)
    """Verbs by their gerunds: "sending" is "send"."""
    ordinals: Mapping[str, int] = field(default_factory=dict)
    """Words for places in a list: "second"."""

    def all_words(self) -> Iterator[str]:
        """Yield the single words of all phrases, some of them several times."""
        for each in fields(self):
            phrases: Iterable[object] = getattr(self, each.name)
            if isinstance(phrases, Mapping):
                phrases = (*phrases, *phrases.values())
            for phrase in phrases:
                yield from re.findall(r"[^\W\d_]+", str(phrase))


def _words(text: str) -> tuple[str, ...]:
    """Return what stands between the signs | outside of brackets, and on each line."""
    found, depth, word = list[str](), 0, ""
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign in "|\n":
            found.append(word.strip())
            word = ""
        else:
            word += sign
    return tuple(dict.fromkeys(each for each in (*found, word.strip()) if each))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _table(name: str) -> LanguageTable:
    read: dict[str, Any] = {
        key: _words(value) if isinstance(value, str) else value for key, value in _read(name).items()
    }
    return LanguageTable(**read)


TABLES: Final[Sequence[LanguageTable]] = tuple(map(_table, _LANGUAGES))
"""Tables of all languages that are read, whatever language the replies have: people mix them."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    word: _words(each["endings"]) for each in _read("kinds")["kind"] for word in _words(each["words"])
}
"""Endings of names by words for kinds of files."""
