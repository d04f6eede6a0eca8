"""Declarations of what a plugin adds to the state of a room."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from filebot.errors import PluginError
from filebot.model import BareJid
from filebot.plugin.context import Context
from filebot.plugin.signatures import examine_arguments, examine_coroutine, name_of, place_of

S = TypeVar("S")

RoomLineHandler = Callable[[Context[S], BareJid], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class RoomLineSpec:
    """A line of a room's state as its plugin declared it."""

    plugin: str
    template: str
    """Template that shows the value that the handler returns."""
    handler: Callable[[Context[Any], BareJid], Awaitable[object]]

    @property
    def hook(self) -> str:
        """Description of its function, for messages about it."""
        return f"room line {self.template!r}"


class RoomDeclarations(Generic[S]):
    """Declarations of lines that people see when they ask for the state of a room."""

    name: str

    def __init__(self) -> None:
        self.room_lines: list[RoomLineSpec] = []

    def room_line(self, template: str) -> Callable[[RoomLineHandler[S]], RoomLineHandler[S]]:
        """Declare a line for the answer to the command ``room``.

        The function is given a context and the room's address, and returns the ``value`` that the template
        shows, or None for no line. It is called for whoever is in the room and asks, and has two seconds.
        """

        def declare(handler: RoomLineHandler[S]) -> RoomLineHandler[S]:
            place = place_of(f"room line {template!r}", self.name, handler)
            if not template.startswith(f"{self.name}/"):
                raise PluginError(f"{place}: name a template of your own, {self.name}/...")
            if any(each.template == template for each in self.room_lines):
                raise PluginError(f"{place} is declared twice; leave out {name_of(handler)}")
            examine_coroutine(place, handler)
            examine_arguments(place, handler, "a context and a room", object(), object())
            self.room_lines.append(RoomLineSpec(self.name, template, handler))
            return handler

        return declare
