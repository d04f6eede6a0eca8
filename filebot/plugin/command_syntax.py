"""A command's usage line, read as a pattern: ``send NAME to TARGET``.

Lower-case words stand for themselves, upper-case words for what a person fills in; one in brackets at the
end may be left out. A value with blanks needs quotes only where it would otherwise end too early; the last
value always takes the rest of the line.
"""

import re
from dataclasses import dataclass
from typing import Self

_PARAMETER = re.compile(r"(\[)?([A-Z][A-Z_]*)(?(1)\])")
_QUOTES = (('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"), ("'", "'"))
_QUOTED = "|".join(f"{start}[^{end}]+{end}" for start, end in _QUOTES)


@dataclass(frozen=True, slots=True)
class CommandUsage:
    """One way to use a command."""

    line: str
    parameters: tuple[str, ...]
    """Names of the values, in lower case, in the order of the line."""
    _pattern: re.Pattern[str]

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a usage line, the command's name included. Raises ValueError if it is not of the form."""
        _, *words = line.split()
        pattern, parameters = "", list[str]()
        for index, word in enumerate(words):
            part, last = re.escape(word), index == len(words) - 1
            if match := _PARAMETER.fullmatch(word):
                name = match[2].lower()
                parameters.append(name)
                part = f"(?P<{name}>{_QUOTED}|.+{'' if last else '?'})"
                if match[1] and not last:
                    raise ValueError(f"only the last value may be optional: {line}")
            elif word != word.lower():
                raise ValueError(f"neither a word nor a value: {word}")
            part = rf"\s{part}" if index else part
            pattern += f"(?:{part})?" if word.startswith("[") else part
        if len(set(parameters)) != len(parameters):
            raise ValueError(f"a value is named twice: {line}")
        return cls(line, tuple(parameters), re.compile(pattern, re.IGNORECASE))

    def match(self, text: str) -> dict[str, str] | None:
        """Return the values in ``text``, which follows the command's name, or None if it does not fit.

        A value that was left out is the empty string.
        """
        # One blank between words keeps the pattern's search linear, whatever somebody sends.
        found = self._pattern.fullmatch(" ".join(text.split()))
        if found is None:
            return None
        return {name: _unquoted(found[name] or "") for name in self.parameters}


def names_in(text: str) -> list[str]:
    """Return the names in a text with blanks between them; one in quotes may hold blanks itself."""
    return [_unquoted(each) for each in re.findall(rf"{_QUOTED}|\S+", text)]


def _unquoted(value: str) -> str:
    for start, end in _QUOTES:
        inside = value[1:-1]
        if inside and value.startswith(start) and value.endswith(end) and end not in inside:
            return inside
    return value
