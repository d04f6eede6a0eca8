"""Declarations of a plugin's filters and resolvers."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from filebot.errors import PluginError
from filebot.model import Entry, EntryFilter
from filebot.plugin.arguments import Kind, Parameter, parameters_of
from filebot.plugin.context import Context
from filebot.plugin.finding import FilterSpec, ResolverSpec
from filebot.plugin.signatures import examine_arguments, examine_coroutine, name_of, place_of

S = TypeVar("S")
V = TypeVar("V")

FilterHandler = Callable[[Context[S], V], Awaitable[EntryFilter]]
Resolver = Callable[[Context[S], str], Awaitable[Entry | None]]

_NO_VALUES: Final = frozenset({Kind.FILE, Kind.FILES, Kind.ROOM})


@dataclass(frozen=True, slots=True)
class _OneValue:
    """Usage of a filter, for the reading of its annotation."""

    parameters: tuple[str, ...]
    optional: str = ""


class FindingDeclarations(Generic[S]):
    """Declarations of how a plugin helps people to find files."""

    name: str

    def __init__(self) -> None:
        self.filters: list[FilterSpec] = []
        self.resolvers: list[ResolverSpec] = []

    def filter(self, name: str) -> Callable[[FilterHandler[S, V]], FilterHandler[S, V]]:
        """Declare a filter: people type ``find NAME:VALUE`` with other words and filters.

        The handler is given the value, of the type of its second parameter as with arguments of commands;
        a wrong one is answered with what would be right. It returns an EntryFilter, which ``ctx.store`` or
        ``ctx.db`` makes by ``having``, within five seconds; rights are looked after by the bot.
        """

        def declare(handler: FilterHandler[S, V]) -> FilterHandler[S, V]:
            place = place_of(f"filter {name!r}", self.name, handler)
            if not name.isidentifier() or name != name.lower():
                raise PluginError(f"{place}: a name has lower-case letters, digits and _ only")
            if any(each.name == name for each in self.filters):
                raise PluginError(f"{place} is declared twice; give one of them another name")
            examine_coroutine(place, handler)
            examine_arguments(place, handler, "a context and a value", object(), object())
            self.filters.append(FilterSpec(self.name, name, handler, _value(place, handler)))
            return handler

        return declare

    def resolver(self, handler: Resolver[S]) -> Resolver[S]:
        """Declare a function that understands names of files, such as ``report.pdf@1``.

        It is given what somebody typed, when no file there has that name or number, and returns the entry
        that it stands for, or None, within five seconds. What the person may not see is not found.
        """
        name = name_of(handler)
        place = place_of(f"resolver {name!r}", self.name, handler)
        examine_coroutine(place, handler)
        examine_arguments(place, handler, "a context and a text", object(), "")
        self.resolvers.append(ResolverSpec(self.name, handler, f"resolver {name!r}"))
        return handler


def _value(place: str, handler: Callable[..., object]) -> Parameter:
    """Return the type of a filter's value, by the annotation of the handler's second parameter."""
    name = list(inspect.signature(handler).parameters)[1]
    [value] = parameters_of(place, handler, [_OneValue((name,))])
    if value.kind in _NO_VALUES:
        raise PluginError(f"{place}: {name} is no file and no room; take a str and look it up")
    return value
