"""Checks as plugins declare them, and as services ask them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from filebot.checks.acts import ACTS, Act
from filebot.checks.checks import Check
from filebot.errors import PluginError
from filebot.events.facts import Event
from filebot.failures import Origin, origin_of
from filebot.plugin.signatures import examine_arguments, examine_coroutine, name_of, place_of

Handler = Callable[[Any, Any], Awaitable[object]]
"""Function of a plugin that is given a context and an act."""

OnFailure = Literal["refuse", "pass"]
"""Fate of an act whose check fails."""

_FATES: Final[tuple[str, ...]] = get_args(OnFailure)


@dataclass(frozen=True, slots=True)
class PluginCheck:
    """Check that a plugin declared."""

    plugin: str
    act: type[Act]
    handler: Handler
    hook: str
    """Description of its function, for messages about it."""
    passes_on_failure: bool


@dataclass(frozen=True, slots=True)
class AskedCheck:
    """Implements :class:`filebot.checks.checks.Check` by a call of the plugin's function."""

    check: PluginCheck
    call: Callable[[PluginCheck, Act], Awaitable[object]]

    @property
    def plugin(self) -> str:
        return self.check.plugin

    @property
    def author(self) -> str:
        return f"plugin {self.check.plugin}"

    @property
    def origin(self) -> Origin:
        return origin_of(self.check.plugin, self.check.hook, self.check.handler)

    @property
    def passes_on_failure(self) -> bool:
        return self.check.passes_on_failure

    async def ask(self, act: Act, /) -> object:
        return await self.call(self.check, act)


def by_act(
    checks: Iterable[PluginCheck], call: Callable[[PluginCheck, Act], Awaitable[object]]
) -> Mapping[type[Act], list[Check]]:
    """Return checks by the class of their acts, in their order; classes that nobody checks are left out."""
    found: dict[type[Act], list[Check]] = {}
    for check in checks:
        found.setdefault(check.act, []).append(AskedCheck(check, call))
    return found


def examined_check(
    plugin: str, act: object, handler: Callable[..., Awaitable[object]], on_failure: str
) -> PluginCheck:
    """Return the check. Raises PluginError if this is none."""
    hook = f"check {name_of(handler)!r}"
    place = place_of(hook, plugin, handler)
    if not (isinstance(act, type) and issubclass(act, Act) and act in ACTS):
        known = ", ".join(each.__name__ for each in ACTS)
        hint = ""
        if isinstance(act, type) and issubclass(act, Event):
            hint = f"; what is told after something was done is an event: @plugin.on({act.__name__})"
        raise PluginError(f"{place} is for {act!r}, which is none of {known}{hint}")
    if on_failure not in _FATES:
        known = " or ".join(f'"{each}"' for each in _FATES)
        raise PluginError(f"{place} has on_failure={on_failure!r}; write {known}")
    examine_coroutine(place, handler)
    examine_arguments(place, handler, "a context and what it checks", object(), object())
    return PluginCheck(plugin, act, handler, hook, on_failure == "pass")
