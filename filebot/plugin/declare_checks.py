"""Declarations of a plugin's checks."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from filebot.checks.acts import Act
from filebot.plugin.asking import OnFailure, PluginCheck, examined_check
from filebot.plugin.context import Context

S = TypeVar("S")
A = TypeVar("A", bound=Act)

CheckFunction = Callable[[Context[S], A], Awaitable[A | None]]


class CheckDeclarations(Generic[S]):
    """Declarations of what a plugin checks before it is done."""

    name: str

    def __init__(self) -> None:
        self.checks: list[PluginCheck] = []

    def check(
        self, act: type[A], *, on_failure: OnFailure = "refuse"
    ) -> Callable[[CheckFunction[S, A]], CheckFunction[S, A]]:
        """Declare a check, which is asked before each act of this class, with a context for the person on
        whose behalf it is done.

        It refuses by raising :class:`Refusal`, or another UserError, whose words the person reads. It may
        return the act with changes, as :func:`dataclasses.replace` makes it; None stands for no change.

        All checks of one act have half of ``limits.idle_timeout`` together, each its share. A check that
        takes longer, raises anything else, or returns something else has failed: the log names the plugin,
        and the act is refused, or goes on as it was with ``on_failure="pass"``.
        """

        def declare(function: CheckFunction[S, A]) -> CheckFunction[S, A]:
            self.checks.append(examined_check(self.name, act, function, on_failure))
            return function

        return declare
