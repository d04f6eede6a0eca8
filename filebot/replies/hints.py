"""Hints in replies: sentences that end their line with a command to type.

A hint at a command of a plugin that is not loaded is left out. Templates put ``prefix`` before each command
that they show (docs/style.md). So it is known beforehand whether there are such hints at all; if there are,
the value of ``prefix`` carries a mark, by which they are found in what was rendered.
"""

import re
from collections.abc import Callable
from typing import Final, Self

MARK: Final = "\ufdd0"
"""Non-character: no text that people read has it."""

_HINT: Final = re.compile(rf"[^.?!。？！]*{MARK}.*")
"""The last sentence of a line, from the end of the one before."""

_COMMAND: Final = re.compile(r"\{\{-?\s*prefix\s*-?\}\}(\w+)")


class MarkedPrefix(str):
    """Prefix of commands that templates show, with the mark in front; as true as the prefix itself."""

    __slots__ = ("_is_empty",)
    _is_empty: bool

    def __new__(cls, prefix: str) -> Self:
        """Mark a prefix, which may be empty."""
        marked = super().__new__(cls, MARK + prefix)
        marked._is_empty = not prefix
        return marked

    def __bool__(self) -> bool:
        return not self._is_empty


def commands_in(template: str) -> set[str]:
    """Return the commands that the source of a template hints at; those it gets as values are left out."""
    return set(_COMMAND.findall(template))


def with_known_hints(text: str, prefix: str, is_command: Callable[[str], bool]) -> str:
    """Return a text without its marks, and without the hints at what is no command.

    ``prefix`` is what stands between a mark and a command. A text that is nothing but such hints stays.
    """
    if MARK not in text:
        return text
    lines = [_shown(line, prefix, is_command) for line in text.splitlines()]
    shown = "\n".join(line for line in lines if line is not None).strip()
    return shown or text.replace(MARK, "")


def _shown(line: str, prefix: str, is_command: Callable[[str], bool]) -> str | None:
    """Return a line as it is shown; None if it is left out as a whole."""
    if MARK in line:
        after = line.rpartition(MARK)[2].removeprefix(prefix)
        command = re.match(r"\w+", after)
        if command is not None and not is_command(command[0]):
            return _HINT.sub("", line).rstrip() or None
    return line.replace(MARK, "")
