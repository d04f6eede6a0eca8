"""Lines of the keys in a TOML file, which ``tomllib`` does not tell.

Only for text that ``tomllib`` accepts: this reads just enough of the grammar to find keys and elements of
arrays. Where it fails it stops, and later keys have no line: lines help to read errors, they check nothing.
"""

import re
import tomllib
from bisect import bisect
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

KeyPath = tuple[str | int, ...]
"""Keys from the top of the file inwards, and indices in arrays."""

_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANKS: Final = re.compile(r"[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE: Final = re.compile(r"[^,\]}#\n]+")
# A multi-line string may end with up to two quotation marks of its own before the closing three.
_STRING: Final = re.compile(
    r"""
    \"{3} (?: [^\\] | \\. )*? \"{3,5}   |   '{3} .*? '{3,5}
    | " (?: [^"\\\n] | \\. )* "           |   ' [^'\n]* '
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Places:
    """Lines of the keys of one file."""

    file: str
    """The file's name, as printed in front of an error."""
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """Return the line of the key, or of the nearest table around it; None if that is the whole file."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)

    def of(self, path: KeyPath) -> str:
        """Return file and line of a key, such as ``config.toml line 12``."""
        line = self.line(path)
        return self.file if line is None else f"{self.file} line {line}"

    def before(self, mistake: str) -> str:
        """Return a mistake with file and line of the key that it begins with, unless it has them."""
        if mistake.startswith((f"{self.file}:", f"{self.file} line ")):
            return mistake
        return f"{self.of(tuple(mistake.partition(':')[0].split('.')))}: {mistake}"


def lines_of(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) of each table, key and array element of a valid TOML text."""
    scanner = _Scanner(text)
    with suppress(_LostError, ValueError, RecursionError):
        scanner.document()
    return scanner.lines


class _LostError(Exception):
    """Error for a text that is not as expected."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]

    def document(self) -> None:
        table: KeyPath = ()
        self._take(_GAP)
        while self._at < len(self._text):
            if self._next("["):
                array = self._next("[")
                table = self._key(())
                self._expect("]" * (2 if array else 1))
            else:
                self._pair(table)
            self._take(_GAP)

    def _pair(self, table: KeyPath) -> None:
        path = self._key(table)
        self._expect("=")
        self._take(_BLANKS)
        self._value(path)

    def _key(self, table: KeyPath) -> KeyPath:
        """Read a dotted key; note the line of each of its parts when it is first seen."""
        while True:
            self._take(_BLANKS)
            table = (*table, self._key_part())
            self.lines.setdefault(table, self._line())
            self._take(_BLANKS)
            if not self._next("."):
                return table

    def _key_part(self) -> str:
        if self._text[self._at : self._at + 1] not in {'"', "'"}:
            return self._take(_BARE_KEY)
        return next(iter(tomllib.loads(self._take(_STRING) + " = 0")))

    def _value(self, path: KeyPath) -> None:
        if self._next("["):
            self._elements(path)
        elif self._next("{"):
            self._pairs(path)
        elif self._text[self._at : self._at + 1] in {'"', "'"}:
            self._take(_STRING)
        else:
            self._take(_BARE_VALUE)

    def _elements(self, path: KeyPath) -> None:
        index = 0
        self._take(_GAP)
        while not self._next("]"):
            self.lines[*path, index] = self._line()
            self._value((*path, index))
            self._comma_or("]")
            index += 1

    def _pairs(self, path: KeyPath) -> None:
        self._take(_GAP)
        while not self._next("}"):
            self._pair(path)
            self._comma_or("}")

    def _comma_or(self, end: str) -> None:
        self._take(_GAP)
        if not self._next(",") and self._text[self._at : self._at + 1] != end:
            raise _LostError
        self._take(_GAP)

    def _expect(self, sign: str) -> None:
        if not self._next(sign):
            raise _LostError

    def _next(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _LostError
        self._at = match.end()
        return match.group()

    def _line(self) -> int:
        return bisect(self._newlines, self._at) + 1
