"""Event bus: carries facts from the services that make them to whoever listens."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from filebot.events.facts import Event


async def _ignore(event: Event) -> None:
    """Take no notice of it."""


@dataclass(slots=True)
class EventBus:
    """Connection that services share, made before there is anybody who listens."""

    tell: Callable[[Event], Coroutine[object, object, None]] = _ignore
    """Passes an event on; returns when all is done that it leads to. The composition root sets it.

    Call it after the commit, outside of every lock, slot and reservation: a listener may take a minute.
    """
