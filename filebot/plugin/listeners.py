"""Listeners as plugins declare them: part of the answer, at once, or durable."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any

from filebot.errors import PluginError
from filebot.events.facts import Event
from filebot.jobs.payloads import PayloadCodec
from filebot.plugin.signatures import examine_arguments, examine_coroutine, name_of, place_of


@unique
class ListenerKind(Enum):
    """When a listener is called, and what waits for it."""

    ANSWER = "part of the answer"
    """One after the other: the message is handled when they are done."""
    AT_ONCE = "at once"
    """Beside everything else: nobody waits for it."""
    DURABLE = "durable"
    """A job, which is kept together with the change that it tells of."""


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """A listener as its plugin declared it."""

    event: type[Event]
    handler: Callable[[Any, Any], Awaitable[None]]
    kind: ListenerKind
    codec: PayloadCodec[Any]
    """For a durable one."""

    @property
    def job(self) -> str:
        """Name of the jobs of a durable one."""
        return f"on {self.event.__name__}: {name_of(self.handler)}"


def listener_spec(
    plugin: str,
    event: object,
    handler: Callable[[Any, Any], Awaitable[None]],
    kinds: Collection[ListenerKind],
) -> ListenerSpec:
    """Return a listener that is sound. Raises PluginError."""
    place = place_of(f"listener {name_of(handler)!r}", plugin, handler)
    if not (isinstance(event, type) and issubclass(event, Event)):
        raise PluginError(f"{place} is for {event!r}, which is no class of events")
    examine_coroutine(place, handler)
    examine_arguments(place, handler, "a context and an event", object(), object())
    if len(kinds) > 1:
        raise PluginError(f"{place} is both at once and durable; leave one of them out")
    kind = next(iter(kinds), ListenerKind.ANSWER)
    return ListenerSpec(event, handler, kind, _codec(place, event, kind))


def _codec(place: str, event: type[Event], kind: ListenerKind) -> PayloadCodec[Any]:
    if kind is not ListenerKind.DURABLE:
        return PayloadCodec(Any)
    if event is Event:
        raise PluginError(f"{place} is durable; name one class of events")
    try:
        return PayloadCodec(event)
    except TypeError as error:
        raise PluginError(
            f"{place}: events of {event.__name__} cannot be kept; leave out durable=True ({error})"
        ) from error
