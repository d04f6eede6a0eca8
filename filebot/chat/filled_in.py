"""Commands with their words filled in, as they are shown to whoever may have meant them."""

from collections.abc import Mapping, Sequence
from typing import Final

from rapidfuzz import fuzz

from filebot.errors import NoSuchEntry, UserError
from filebot.filenames import isolated, plain_text
from filebot.files.selection import Selection
from filebot.model import Entry

LIKE_ENOUGH: Final = 80.0
"""Lowest similarity, of 100, of a name that somebody may have mistyped."""


def filled(usage: str, arguments: Mapping[str, object]) -> str:
    """Return a command as somebody could type it, with its arguments in their places."""
    words = []
    for word in usage.split():
        name = word.strip("[]").lower()
        if not word.strip("[]").isupper():
            words.append(word)
        elif (value := arguments.get(name)) is not None and value != "":
            words.append(_typed(value))
    return " ".join(words)


def _typed(value: object) -> str:
    match value:
        case Entry(name=name):
            return _in_quotes(name)
        case Selection(entries):
            names = [each.name for each in entries]
            different = len(set(names)) == len(names)
            return " ".join(_in_quotes(each.name) if different else f"#{each.id}" for each in entries)
        case _:
            return _in_quotes(str(value))


def _in_quotes(text: str) -> str:
    shown = isolated(plain_text(text))
    if not any(each.isspace() for each in text):
        return shown
    return f"“{shown}”" if '"' in text else f'"{shown}"'


def near_name(refusal: UserError | None) -> str | None:
    """Return the one name that somebody may have mistyped."""
    if not isinstance(refusal, NoSuchEntry) or len(refusal.suggestions) != 1:
        return None
    (name,) = refusal.suggestions
    stem = name.rpartition(".")[0]
    likeness = max(fuzz.ratio(refusal.wanted.casefold(), each.casefold()) for each in (name, stem or name))
    return name if likeness >= LIKE_ENOUGH else None


def files_in(arguments: Mapping[str, object]) -> Sequence[Entry]:
    """Return the files among the arguments of a command."""
    found = list[Entry]()
    for value in arguments.values():
        match value:
            case Entry():
                found.append(value)
            case Selection(entries):
                found += entries
    return found
