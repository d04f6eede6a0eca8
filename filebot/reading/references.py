"""Words for files: "the report", "number 3", "the last two pictures", "it", "report.pdf and notes.txt"."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from filebot.reading.phrases import alternatives
from filebot.reading.quotes import Sealed, is_quoted, unquoted
from filebot.reading.signs import folded, without_ending
from filebot.reading.tables import KINDS, LanguageTable

MOST_FILES: Final = 20
"""Files that one sentence names."""
_MOST_IN_A_ROW: Final = 3
"""Articles or nouns one after the other. Without a bound, a text of words that are also two of others
("那个", "那" and "个") could be read in more ways than anybody can wait for.
"""
_ORDINAL_DIGITS: Final = re.compile(r"(\d{1,4})(?:st|nd|rd|th)", re.IGNORECASE)
_NUMBERS: Final = re.compile(r"#?\d{1,9}(?:[\s,;]+#?\d{1,9})+")
_LIST_SIGNS: Final = re.compile(r"\s*[,，、;；]\s*")


@unique
class Pick(Enum):
    """Way in which words stand for files."""

    NAME = "name"
    """A name, its beginning, a number or a pattern, as in a command."""
    EXACT = "exact"
    """A whole name in quotes."""
    WORDS = "words"
    """Words somewhere in a name."""
    PLACE = "place"
    """A place in the list that was shown last."""
    FIRST = "first"
    """The first places of that list."""
    NEWEST = "newest"
    """The newest files."""
    OLDEST = "oldest"
    """The oldest file."""
    ALL = "all"
    """All files."""
    SPOKEN_OF = "spoken of"
    """The file that was spoken of last."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Words that stand for one or more files."""

    pick: Pick
    text: str = ""
    """The name."""
    number: int = 1
    """The place, or how many files."""
    endings: tuple[str, ...] = ()
    """Endings of the names, where words for a kind of files were used."""
    is_every: bool = False
    """Whether it was said that all of them are meant."""


class ReferenceReader:
    """Reads words for files by the tables of all languages."""

    def __init__(self, tables: Sequence[LanguageTable]) -> None:
        """``tables`` are read one after the other."""
        self._languages = [_Language(table) for table in tables]

    def read(self, text: str) -> Iterator[tuple[Reference, ...]]:
        """Yield what a text may stand for, the likeliest first; each is one file or several."""
        whole = text.strip()
        if is_quoted(whole):
            yield (Reference(Pick.EXACT, unquoted(whole)),)
            return
        found = list(self._one(whole))
        yield from ((each,) for each in found if each.pick is not Pick.WORDS)
        sealed = Sealed(whole)
        parts = self._parts(sealed.text)
        if 1 < len(parts) <= MOST_FILES:
            several = [next(self._part(sealed.opened(part)), None) for part in parts]
            if all(each is not None for each in several):
                yield tuple(each for each in several if each is not None)
        yield from ((each,) for each in found if each.pick is Pick.WORDS)

    def _part(self, part: str) -> Iterator[Reference]:
        if is_quoted(part):
            yield Reference(Pick.EXACT, unquoted(part))
            return
        read = list(self._one(part))
        structural = [each for each in read if each.pick not in {Pick.NAME, Pick.WORDS}]
        yield from structural
        yield from read[-2:-1] or read

    def _parts(self, text: str) -> list[str]:
        parts = (
            re.split(r"[\s,，;；、]+", text)
            if _NUMBERS.fullmatch(folded(text))
            else _LIST_SIGNS.split(text)
        )
        for language in self._languages:
            parts = [each for part in parts for each in language.conjunction.split(part)]
        return [part.strip() for part in parts if part.strip()]

    def _one(self, text: str) -> Iterator[Reference]:
        plain = without_ending(text)
        yield Reference(Pick.NAME, text)
        for language in self._languages:
            yield from language.structural(folded(plain))
        cores = list(dict.fromkeys(self._cores(plain)))
        yield from (Reference(Pick.NAME, core) for core in cores if core != text)
        for language in self._languages:
            yield from language.kind(folded(plain))
        if cores:
            yield Reference(Pick.WORDS, cores[-1])

    def _cores(self, text: str) -> Iterator[str]:
        """Yield a text without the words around a name, ever shorter."""
        core, before = text, ""
        while core and core != before:
            yield core
            before = core
            for language in self._languages:
                core = language.without_words(core)

    def core(self, text: str) -> str:
        """Return a text without the words around a name."""
        if is_quoted(text):
            return text
        *_, core = self._cores(without_ending(text) or text)
        return core

    def is_here(self, text: str) -> bool:
        """Return whether a text is a word for the room in which it is said."""
        return any(language.here.fullmatch(folded(text).strip()) for language in self._languages)

    def is_relation(self, text: str) -> bool:
        """Return whether a text says in which relation somebody is to the speaker, and not who they are."""
        return any(language.relation.fullmatch(folded(text).strip()) for language in self._languages)

    def address(self, text: str) -> str:
        """Return an address without the words before it that say whose it is."""
        for language in self._languages:
            text = language.before_address.sub("", text, count=1)
        return text

    def is_no_name(self, text: str) -> bool:
        """Return whether a text is nothing but words that stand before names."""
        return any(language.is_before_names(folded(text)) for language in self._languages)

    def is_plain_name(self, text: str) -> bool:
        """Return whether nothing in a text says the opposite or that something is not so."""
        return not any(language.negation.search(folded(text)) for language in self._languages)


class _Language:
    def __init__(self, table: LanguageTable) -> None:
        few, some = f"{{0,{_MOST_IN_A_ROW}}}", f"{{1,{_MOST_IN_A_ROW}}}"
        noun = alternatives([*table.nouns, *KINDS])
        number = rf"(?:\d{{1,4}}|{alternatives(table.numbers)})"
        self._numbers: Mapping[str, int] = {**table.ordinals, **table.numbers}
        article = alternatives(table.articles)
        newest, after = alternatives(table.newest), alternatives(table.after_newest)
        tail = rf"(?P<noun>(?:{noun}){few})(?:{after})?\s*"
        units = f"(?:{alternatives(table.after_counters)})?" if table.after_counters else ""
        ordinal = alternatives(table.ordinals) if table.ordinals else r"(?!)"
        flags = re.IGNORECASE
        self.conjunction = re.compile(_between(table.conjunctions), flags)
        self.negation = re.compile(alternatives(table.negations), flags)
        self.here = re.compile(alternatives(table.here), flags)
        relation = alternatives(table.relations)
        self.relation = re.compile(relation, flags)
        self.before_address = re.compile(rf"\A\s*{relation}[\s,，:：]*(?=[^\s@]+@\S)", flags)
        self._every = re.compile(alternatives(table.every), flags)
        self._articles = re.compile(rf"(?:{article}){some}", flags)
        self._before = re.compile(
            rf"(?:(?:{article})|(?:{alternatives(table.nouns)})|(?:{alternatives(table.called)}))\s*(?=\S)",
            flags,
        )
        trailing = alternatives([*table.nouns, *KINDS])
        self._after = re.compile(rf"(?<=\S)\s*(?:{trailing})\Z", flags)
        the = rf"(?:{article}){few}"
        everything, quantity = alternatives(table.everything), alternatives(table.quantities)
        counter, oldest = alternatives(table.counters), alternatives(table.oldest)
        counted = rf"(?P<number>{number})\s*"
        patterns = [
            (Pick.SPOKEN_OF, alternatives(table.pronouns)),
            (Pick.ALL, rf"{the}{everything}(?P<noun>(?:{noun}){few})"),
            (Pick.FIRST, rf"{the}{quantity}{counted}{units}{tail}"),
            (Pick.PLACE, rf"{the}{counter}{counted}{units}{tail}"),
            (Pick.PLACE, rf"{the}(?P<number>{ordinal}|\d{{1,4}}(?:st|nd|rd|th))\s*{tail}"),
            (Pick.NEWEST, rf"{the}(?:{newest}){some}的?\s*(?:{counted})?{units}{tail}"),
            (Pick.NEWEST, rf"{the}(?P<noun>(?:{noun}){some})(?:{after})"),
            (Pick.OLDEST, rf"{the}{oldest}的?\s*(?:{counted})?{units}{tail}"),
        ]
        if table.after_counters:
            patterns.append((Pick.PLACE, rf"{counted}(?:{alternatives(table.after_counters)}){tail}"))
        self._patterns = [(pick, re.compile(pattern, flags)) for pick, pattern in patterns]

    def structural(self, text: str) -> Iterator[Reference]:
        """Yield what a text stands for that is no name."""
        for pick, pattern in self._patterns:
            if (match := pattern.fullmatch(text)) is not None:
                groups = match.groupdict()
                endings = _endings(groups.get("noun") or "")
                yield Reference(pick, number=self._number(groups.get("number") or ""), endings=endings)
                return

    def kind(self, text: str) -> Iterator[Reference]:
        """Yield the files of a kind: all of them if there are several, else the newest."""
        bare = self._articles.sub("", text, count=1) if self._articles.match(text) else text
        if endings := _endings(bare):
            is_every = self._every.match(text.strip()) is not None
            plural = is_every or bare.strip().lower().endswith("s")
            yield Reference(Pick.ALL if plural else Pick.NEWEST, endings=endings, is_every=is_every)

    def is_before_names(self, text: str) -> bool:
        """Return whether a text has articles and nothing else."""
        return self._articles.fullmatch(text.strip()) is not None

    def without_words(self, text: str) -> str:
        """Return a text without one word before or after a name."""
        plain = folded(text)
        match = self._before.match(plain)
        if match is not None:
            return text[match.end() :]
        match = self._after.search(plain)
        return text if match is None else text[: match.start()]

    def _number(self, text: str) -> int:
        word = text.strip().lower()
        if (match := _ORDINAL_DIGITS.fullmatch(word)) is not None:
            return int(match[1])
        if word.isdecimal():
            return int(word)
        return self._numbers.get(word, 1)


def _endings(nouns: str) -> tuple[str, ...]:
    word = nouns.strip().lower()
    return KINDS.get(word, ()) or _by_ending(word)


def _by_ending(word: str) -> tuple[str, ...]:
    """Return the ending that a word such as "PDFs" or "pdf文件" names."""
    match = re.fullmatch(r"\.?([a-z0-9]{2,5}?)s?\s*(?:files?|documents?|文件|文档)?", word.strip().lower())
    return (match[1],) if match is not None and match[1] in _ENDINGS else ()


_ENDINGS: Final = frozenset(
    (
        "pdf",
        "epub",
        "html",
        "xml",
        "json",
        "apk",
        "iso",
        "exe",
        "log",
        *(end for ends in KINDS.values() for end in ends),
    )
)


def _between(words: Sequence[str]) -> str:
    """Return the expression of words between two things: with blanks around them, except in Chinese."""
    latin = [re.escape(word) for word in words if word.isascii()]
    others = [re.escape(word) for word in words if not word.isascii()]
    parts = [rf"\s+(?:{'|'.join(latin)})\s+"] if latin else []
    parts += [rf"\s*(?:{'|'.join(others)})\s*"] if others else []
    return "|".join(parts) or r"(?!)"
