"""Declarations of what a plugin adds to the answer about a file."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from filebot.model import Entry
from filebot.plugin.context import Context
from filebot.plugin.signatures import examine_arguments, examine_coroutine, name_of, place_of

S = TypeVar("S")

EntryLinesHandler = Callable[[Context[S], Entry], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class EntryLinesSpec:
    """Function of a plugin that has something to say about files."""

    plugin: str
    handler: Callable[[Any, Entry], Awaitable[str | None]]

    @property
    def hook(self) -> str:
        """Description of the function, for messages about it."""
        return f"entry lines {name_of(self.handler)!r}"


class EntryLinesDeclarations(Generic[S]):
    """Declarations of what a plugin adds to the answer about a file."""

    name: str

    def __init__(self) -> None:
        self.entry_lines_specs: list[EntryLinesSpec] = []

    def entry_lines(self, handler: EntryLinesHandler[S]) -> EntryLinesHandler[S]:
        """Declare a function that adds to the answer of ``info``: given a context for whoever asks, and a
        file, it returns a text of one line or some, or None.

        Make the text of a template, with ``ctx.render``. The bot waits for it 5 seconds at most and shows
        at most 1,000 characters.
        """
        spec = EntryLinesSpec(self.name, handler)
        place = place_of(spec.hook, self.name, handler)
        examine_coroutine(place, handler)
        examine_arguments(place, handler, "a context and a file", object(), object())
        self.entry_lines_specs.append(spec)
        return handler
