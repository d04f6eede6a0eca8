"""Declarations of a plugin's jobs and schedules."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from filebot.errors import PluginError
from filebot.jobs.payloads import PayloadCodec
from filebot.jobs.schedules import Daily, Every, Schedule
from filebot.jobs.worker import LIMIT_S
from filebot.plugin.context import Context
from filebot.plugin.signatures import examine_arguments, examine_coroutine, examine_limit, name_of, place_of

S = TypeVar("S")
V = TypeVar("V")

JobHandler = Callable[[Context[S], V], Awaitable[None]]
ScheduleHandler = Callable[[Context[S]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as its plugin declared it."""

    name: str
    codec: PayloadCodec[Any]
    handler: Callable[..., Awaitable[None]]
    limit_s: float

    @property
    def hook(self) -> str:
        """Description of its function, for messages about it."""
        return f"job {self.name!r}"


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A schedule as its plugin declared it."""

    name: str
    schedule: Schedule
    handler: Callable[..., Awaitable[None]]
    limit_s: float

    @property
    def hook(self) -> str:
        """Description of its function, for messages about it."""
        return f"schedule {self.name!r}"


class JobDeclarations(Generic[S]):
    """Declarations of what a plugin does later, or again and again."""

    name: str

    def __init__(self) -> None:
        self.jobs: dict[str, JobSpec] = {}
        self.schedules: dict[str, ScheduleSpec] = {}

    def job(self, name: str, *, limit_s: float = LIMIT_S) -> Callable[[JobHandler[S, V]], JobHandler[S, V]]:
        """Declare a job, which ``ctx.jobs.add(name, payload)`` adds to the queue.

        The payload has the type of the handler's second parameter: ``dict[str, Any]``, or a frozen
        dataclass. It is kept as JSON. A job is done at least once, so it must not matter if it is done
        twice. One that raises, or takes longer than ``limit_s``, is tried again, ever later, ten
        times in all. The context is that of the person whose request added it.
        """

        def declare(handler: JobHandler[S, V]) -> JobHandler[S, V]:
            place = place_of(f"job {name!r}", self.name, handler)
            if not name.isidentifier() or name != name.lower():
                raise PluginError(f"{place}: a name has lower-case letters, digits and _ only")
            if name in self.jobs:
                raise PluginError(f"{place} is declared twice; give one of them another name")
            examine_coroutine(place, handler)
            examine_arguments(place, handler, "a context and a payload", object(), object())
            examine_limit(place, limit_s)
            self.jobs[name] = JobSpec(name, _codec(place, handler), handler, limit_s)
            return handler

        return declare

    def every(
        self, interval: str, *, at_start: bool = False, limit_s: float = LIMIT_S
    ) -> Callable[[ScheduleHandler[S]], ScheduleHandler[S]]:
        """Declare what is done again and again: ``@plugin.every("1h")``, from ``1m`` to ``31d``.

        The first time is an interval after the first start with the plugin; with ``at_start`` it is also
        done as soon as the bot is online. What is missed while the bot is away is done once. The handler is
        given a context of nobody's: it cannot reply, but ``ctx.tell``.
        """
        return self._schedule(limit_s, lambda: Every.parse(interval, at_start=at_start))

    def daily(
        self, at: str, *, weekday: str | None = None, limit_s: float = LIMIT_S
    ) -> Callable[[ScheduleHandler[S]], ScheduleHandler[S]]:
        """Declare what is done once a day: ``@plugin.daily("08:00")``, by the clock of the machine. With
        ``weekday="monday"`` it is once a week, on that day.

        As with :meth:`every`, what is missed is done once, and the context is nobody's.
        """
        return self._schedule(limit_s, lambda: Daily.parse(at, weekday=weekday))

    def _schedule(
        self, limit_s: float, read: Callable[[], Schedule]
    ) -> Callable[[ScheduleHandler[S]], ScheduleHandler[S]]:
        def declare(handler: ScheduleHandler[S]) -> ScheduleHandler[S]:
            name = name_of(handler)
            place = place_of(f"schedule {name!r}", self.name, handler)
            if name in self.schedules:
                raise PluginError(f"{place} is declared twice; give one of the functions another name")
            examine_coroutine(place, handler)
            examine_arguments(place, handler, "a context", object())
            examine_limit(place, limit_s)
            try:
                self.schedules[name] = ScheduleSpec(name, read(), handler, limit_s)
            except ValueError as error:
                raise PluginError(f"{place}: {error}") from error
            return handler

        return declare


def _codec(place: str, handler: Callable[..., object]) -> PayloadCodec[Any]:
    """Return what writes and reads the payload, by the annotation of the second parameter."""
    try:
        parameters = inspect.signature(handler, eval_str=True).parameters
    except NameError as error:
        raise PluginError(
            f"{place}: {error}; declare the payload's class at the top of the module"
        ) from error
    annotation = list(parameters.values())[1].annotation
    if annotation is inspect.Parameter.empty:
        raise PluginError(
            f"{place}: {name_of(handler)} does not say what its payload is; "
            "write payload: dict[str, Any], or a frozen dataclass"
        )
    try:
        return PayloadCodec(annotation)
    except TypeError as error:
        raise PluginError(f"{place}: {error}; use dict[str, Any], or a frozen dataclass") from error
