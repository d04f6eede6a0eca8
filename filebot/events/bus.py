"""Event bus: carries facts from the services that make them to whoever listens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from filebot.concurrency.tasks import end
from filebot.events.facts import Event

WRITE_LIMIT_S: Final = 10.0
"""Time that a write has to end when its task is cancelled: a disk may hang."""
LISTENERS_LIMIT_S: Final = 5.0
"""Time that listeners have for the events of a change whose task is cancelled."""

T = TypeVar("T")


class Change:
    """Change of the catalog, with the events that tell of it. Made by :meth:`EventBus.change`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        """Events of what is committed."""

    async def write(
        self, work: Coroutine[Any, Any, T], tells: Callable[[T], Iterable[Event]] = lambda _: ()
    ) -> T:
        """Run a write and return its result; ``tells`` makes the events of it.

        A cancelled task first lets the write end, and its events are told all the same; only one that takes
        longer than ``WRITE_LIMIT_S`` is cancelled, too.
        """
        job = asyncio.get_running_loop().create_task(work)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            try:
                await asyncio.wait((job,), timeout=WRITE_LIMIT_S)
            finally:
                await end((job,))
            raise
        finally:
            if not job.cancelled() and job.exception() is None:
                self.events += tells(job.result())


async def _ignore(event: Event) -> None:
    """Take no notice of it."""


@dataclass(slots=True)
class EventBus:
    """Connection that services share, made before there is anybody who listens."""

    tell: Callable[[Event], Coroutine[object, object, None]] = _ignore
    """Passes an event on; returns when all is done that it leads to. The composition root sets it.

    Call it after the commit, outside of every lock, slot and reservation: a listener may take a minute.
    """

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Tell the events of a change when the context is left, even if it is left by an error.

        So each committed row has its event, and none is told of a row that was not written. Open it outside
        of every lock, slot and reservation.
        """
        change = Change()
        try:
            yield change
        finally:
            if change.events:
                await self._tell_all(change.events)

    async def _tell_all(self, events: Iterable[Event]) -> None:
        """Tell them; a cancelled task first gives the listeners a little time."""
        telling = asyncio.get_running_loop().create_task(self._in_turn(events))
        try:
            await asyncio.shield(telling)
        except asyncio.CancelledError:
            try:
                await asyncio.wait((telling,), timeout=LISTENERS_LIMIT_S)
            finally:
                await end((telling,))
            raise

    async def _in_turn(self, events: Iterable[Event]) -> None:
        for event in events:
            await self.tell(event)
