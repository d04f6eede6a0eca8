"""Lines of a conversation as people see them in the end, and their text for the document."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

WIDTH: Final = 100
"""Columns of the text; a CJK character takes two."""

_SPAN: Final = r"\d+ (?:second|minute)s?"
_MONTHS: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

SAME_EACH_TIME: Final = (
    (re.compile(r"https://localhost:\d+/\S*/([^/\s]+)"), r"https://upload.example.org/.../\1"),
    (re.compile(r"127\.0\.0\.1:\d+"), "www.example.com"),
    (re.compile(r"127\.0\.0\.2:\d+"), "www.example.net"),
    (re.compile(r"127\.0\.0\.1"), "www.example.com"),
    (re.compile(r"127\.0\.0\.2"), "www.example.net"),
    (re.compile(r"\blocalhost\b"), "example.org"),
    (re.compile(rf"\b{_SPAN} ago\b"), "just now"),
    (re.compile(r"\d+ ?(?:秒钟?|分钟)前"), "刚刚"),
    (re.compile(rf"\b{_MONTHS} \d{{1,2}}, \d{{4}}\b"), "Mar 3, 2026"),
    (re.compile(r"\d{4}年\d{1,2}月\d{1,2}日"), "2026年3月3日"),
    (re.compile(r"\b\d\d:\d\d(?::\d\d)?\b"), "12:00"),
    (re.compile(r"\b[A-Z2-9]{4}-?[A-Z2-9]{4}\b(?=\s|$)"), "K7QM-X4TP"),
    (re.compile(r"\b\d+( ?)%"), r"12\1%"),
    (re.compile(r"\b[\d.]+ [kM]?B of 8 MB"), "1 MB of 8 MB"),
    (re.compile(r"\b[\d.]+ [kM]?B(?= a second)"), "80 kB"),
    (re.compile(r"\bstopped after [\d.]+ [kM]?B\b"), "stopped after 1 MB"),
    (re.compile(rf"\b(?:{_SPAN} ?)+ left"), "1 minute 30 seconds left"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "9f86d081884c7d65..."),
)
"""Patterns of words that differ from run to run, with the words that stand for them."""


@dataclass(slots=True)
class Line:
    """One message, or one thing that happened."""

    who: str
    """Empty for what nobody said."""
    to: str
    """The person to whom the bot spoke in private; empty otherwise."""
    place: str
    """Name of the room; empty for a private chat."""
    text: str
    edits: int = 0
    is_gone: bool = False
    """It was taken back by whoever said it."""


@dataclass(slots=True)
class Transcript:
    """A conversation."""

    lines: list[Line] = field(default_factory=list)
    by_id: dict[str, Line] = field(default_factory=dict)
    """The bot's lines, by the id of their message."""

    def happens(self, text: str) -> None:
        """Add something that nobody said."""
        self.lines.append(Line("", "", "", text))

    def sort(self, since: int, names: list[str]) -> None:
        """Put the lines from this one on in the order of their readers: messages of different people race.

        A room comes before the private chats of its people.
        """

        def place(line: Line) -> int:
            return names.index(line.to) + 1 if line.to in names else 0

        self.lines[since:] = sorted(self.lines[since:], key=place)

    def text(self) -> str:
        """Return it for the document."""
        is_for_one = len({line.to for line in self.lines if line.to}) < 2
        return "\n".join(row for line in self.lines for row in _rows(line, is_for_one=is_for_one))


def same_each_time(text: str) -> str:
    """Return a text without addresses, ports, moments and codes of this one run."""
    for pattern, words in SAME_EACH_TIME:
        text = pattern.sub(words, text)
    return text


def _rows(line: Line, *, is_for_one: bool) -> Iterator[str]:
    if not line.who:
        yield from _wrapped(f"({same_each_time(line.text)})", "")
        return
    label = line.who
    if line.place:
        label += f", in {line.place}"
    if line.to and line.place:
        label += f", to {line.to} only"
    elif line.to and not is_for_one:
        label += f" to {line.to}"
    label += " (edited)" * bool(line.edits) + " (taken back)" * line.is_gone
    first, *others = same_each_time(line.text).split("\n")
    yield from _wrapped(first, f"{label}: ")
    for each in others:
        yield from _wrapped(each, "    ")


def _wrapped(text: str, begin: str) -> Iterable[str]:
    """Break a text where it is too long, with four blanks before each further row.

    What is to be typed stays whole at the end of a row.
    """
    words, rows, row = re.findall(r"\S+", text), [], begin
    before, colon, typed = text.rpartition(": ")
    if colon and before.endswith("type"):
        words = [*re.findall(r"\S+", f"{before}:"), typed]
    for word in words:
        if row.strip() and _columns(row) + 1 + _columns(word) > WIDTH and row not in (begin, "    "):
            rows.append(row)
            row = "    "
        row += word if row in (begin, "    ") else f" {word}"
    return [*rows, row.rstrip()] if row.strip() else rows or [""]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
