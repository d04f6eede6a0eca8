"""Checks that services ask before they act, given to them as the event bus is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeVar

from filebot.checks.acts import Act
from filebot.errors import CheckFailed, PluginError, UserError
from filebot.failures import Origin, blame, report

log = logging.getLogger(__name__)

LIMIT_S: Final = 30.0
"""Time that all checks of one act have together, unless the composition root says otherwise."""

A = TypeVar("A", bound=Act)

_AT_WORK: ContextVar[tuple["_Question", ...]] = ContextVar("at_work", default=())
"""Questions that led to what is done in this context."""


class Check(Protocol):
    """One check of somebody, for one class of acts."""

    @property
    def author(self) -> str:
        """Name by which the log speaks of whoever made it, such as "plugin tags"."""

    @property
    def plugin(self) -> str:
        """Name of the plugin that has it; empty if it is no plugin's."""

    @property
    def origin(self) -> Origin:
        """Function that its errors are noted to be of."""

    @property
    def passes_on_failure(self) -> bool:
        """Whether the act goes on when the check fails; otherwise it is refused."""

    async def ask(self, act: Any, /) -> object:
        """Return the act, changed or not, or None for no change.

        Raises UserError to refuse it; any other exception means that the check failed.
        """


TakeOver = Callable[[Check, A], Awaitable[A]]


@dataclass(eq=False, slots=True)
class _Question:
    """Question to a check."""

    check: Check
    is_open: bool = True
    """False when it is answered; tasks that were begun meanwhile may go on."""


async def _unchanged(_: Check, act: A) -> A:
    return act


@dataclass(slots=True)
class Checks:
    """Checks by the class of their acts; the composition root fills them in.

    Ask them outside of every lock: they may take their whole time. A service that has nobody to ask skips
    the question: ``if FileOffered in checks.by_act``.
    """

    limit_s: float = LIMIT_S
    """Time for all checks of one act, shared among them alike."""
    last: Mapping[type[Act], Sequence[Check]] = field(default_factory=dict)
    """Checks that are asked behind those of the plugins, which may change what is done."""
    by_act: Mapping[type[Act], Sequence[Check]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.use({})

    def use(self, by_act: Mapping[type[Act], Sequence[Check]]) -> None:
        """Ask these checks from now on, and the last ones."""
        acts = {*by_act, *self.last}
        self.by_act = {act: (*by_act.get(act, ()), *self.last.get(act, ())) for act in acts}

    async def passed(self, act: A, take_over: TakeOver[A] = _unchanged) -> A:
        """Ask all checks of an act in their order, and return the act as they changed it.

        ``take_over`` is awaited for each change, with the check that wants it and within its time, and
        returns the act for the next one; an OSError or ValueError of it counts as a failure of the check.
        Raises the UserError of a check that refuses, CheckFailed, and whatever else ``take_over`` raises;
        PluginError for an act of a check that the same check would be asked about.
        """
        checks = self.by_act.get(type(act), ())
        for check in checks:
            act = await self._ask(check, act, take_over, self.limit_s / len(checks))
        return act

    async def _ask(self, check: Check, act: A, take_over: TakeOver[A], limit_s: float) -> A:
        _examine_cause(check, act)
        until_s = asyncio.get_running_loop().time() + limit_s
        try:
            async with asyncio.timeout_at(until_s):
                with _asking(check):
                    answer = _answer(act, await check.ask(act))
        except UserError as refusal:
            log.info(
                "a check of %s refuses %s of %s: %s: %s",
                check.author,
                type(act).__name__,
                act.sender.identity,
                refusal.kind,
                refusal,
            )
            raise
        except Exception as error:  # noqa: BLE001 - nothing of a plugin passes
            return _after_failure(check, act, error, limit_s)
        if answer == act:
            return act
        try:
            async with asyncio.timeout_at(until_s):
                return await take_over(check, answer)
        except (OSError, ValueError) as error:  # TimeoutError is one; there are paths that nothing can have
            return _after_failure(check, act, error, limit_s)


def _examine_cause(check: Check, act: Act) -> None:
    """Raise PluginError for what a check does itself: it would be asked again and again."""
    if any(each.is_open and each.check is check for each in _AT_WORK.get()):
        raise PluginError(
            f"a check of {check.author} does itself what it is asked about, {type(act).__name__}; "
            "leave that to a listener or a job"
        )


@contextmanager
def _asking(check: Check) -> Iterator[None]:
    """Note that what is done in this context is done by a check."""
    question = _Question(check)
    before = _AT_WORK.set((*_AT_WORK.get(), question))
    try:
        yield
    finally:
        question.is_open = False
        _AT_WORK.reset(before)


def _answer(act: A, answer: object) -> A:
    """Return the changed act. Raises TypeError if a check changed what is not its to change."""
    if answer is None:
        return act
    if type(answer) is not type(act):
        raise TypeError(f"it returned {type(answer).__name__}; return None or replace(...) of the act")
    changes = {name: getattr(answer, name) for name in act.CHANGEABLE}
    for name, value in changes.items():
        if value != getattr(act, name) and not isinstance(value, act.CHANGEABLE[name]):
            raise TypeError(f"it changed {name!r} to {type(value).__name__}")
    changed = replace(act, **changes)
    if changed != answer:
        raise TypeError(f"it changed more than {', '.join(act.CHANGEABLE) or 'nothing'}")
    return changed


def _after_failure(check: Check, act: A, error: Exception, limit_s: float) -> A:
    """Return the act as it was if it may go on. Raises CheckFailed."""
    if isinstance(error, TimeoutError) and not str(error):  # a time limit has no words of its own
        error = TimeoutError(f"it took over {limit_s:g} s")
    report(blame(error, check.origin), f"{type(act).__name__} of {act.sender.identity} is not checked")
    if check.passes_on_failure:
        return act
    raise CheckFailed(author=check.author) from error
