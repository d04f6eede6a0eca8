"""Declaration of a plugin's lifespan."""

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar

from filebot.errors import PluginError
from filebot.plugin.lifespan import HOOK, Life, Lifespan
from filebot.plugin.signatures import examine_arguments, name_of, place_of

S = TypeVar("S")
T = TypeVar("T")


class LifeDeclarations(Generic[S]):
    """Declaration of what a plugin has open while the bot runs."""

    name: str

    def __init__(self) -> None:
        self.lives: Lifespan[Any] | None = None

    def lifespan(self, function: Callable[[Life[S]], AsyncIterator[T]]) -> Lifespan[T]:
        """Declare what is opened before the bot is online, and closed when it stops.

        The function is an async generator that yields once: what comes before opens, what comes after
        closes. Each of the other functions gets what it yields by ``ctx.state(...)``, given what this
        decorator returns. It has 30 seconds to open; if it fails, the bot goes on without the plugin. To
        close it has 10 seconds.
        """
        place = place_of(HOOK, self.name, function)
        if not inspect.isasyncgenfunction(inspect.unwrap(function)):
            raise PluginError(
                f"{place}: {name_of(function)} is no async generator; write async def and yield"
            )
        examine_arguments(place, function, "a life", object())
        if self.lives is not None:
            raise PluginError(f"{place}: there is one already; open all in one function")
        lifespan = self.lives = Lifespan(self.name, function)
        return lifespan
