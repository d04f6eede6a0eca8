"""Declarations of how a plugin deals with the data of people."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from filebot.errors import PluginError
from filebot.model import Identity, JsonValue
from filebot.plugin.context import Context
from filebot.plugin.people import PersonHook
from filebot.plugin.signatures import examine_arguments, examine_coroutine, name_of, place_of

S = TypeVar("S")

Export = Callable[[Context[S], Identity], Awaitable[JsonValue]]
Forget = Callable[[Context[S], Identity], Awaitable[None]]


class PeopleDeclarations(Generic[S]):
    """Declarations of what a plugin does when people want their data, or want them forgotten."""

    name: str

    def __init__(self) -> None:
        self.exports: list[PersonHook] = []
        self.forgets: list[PersonHook] = []

    def export(self, handler: Export[S]) -> Export[S]:
        """Declare the function that returns what the plugin keeps of a person, as a JSON value.

        It is given an identity, and a context of nobody's. Values of ``ctx.store.person`` are exported
        without it.
        """
        self._add(self.exports, "export", handler)
        return handler

    def forget(self, handler: Forget[S]) -> Forget[S]:
        """Declare the function that removes what the plugin keeps of a person.

        It is given an identity, and a context of nobody's. Values of ``ctx.store.person`` are removed
        without it, after it.
        """
        self._add(self.forgets, "forget", handler)
        return handler

    def _add(self, hooks: list[PersonHook], kind: str, handler: Callable[..., Awaitable[Any]]) -> None:
        place = place_of(f"{kind} {name_of(handler)!r}", self.name, handler)
        if hooks:
            raise PluginError(f"{place}: the plugin has another {kind}; one function does it all")
        examine_coroutine(place, handler)
        examine_arguments(place, handler, "a context and an identity", object(), "")
        hooks.append(PersonHook(self.name, f"{kind} {name_of(handler)!r}", handler))
