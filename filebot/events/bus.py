"""Event bus: carries facts from the services that make them to whoever listens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from filebot.concurrency.tasks import end
from filebot.events.facts import Event
from filebot.model import NewJob, Outbox

WRITE_LIMIT_S: Final = 10.0
"""Time that a write has to end when its task is cancelled: a disk may hang."""
LISTENERS_LIMIT_S: Final = 5.0
"""Time that listeners have for the events of a change whose task is cancelled."""

T = TypeVar("T")


class Recorder(Protocol):
    """Recorder of events for listeners that must hear of them even if the bot is killed.

    ``jobs_for`` and ``record`` raise nothing: what happened must not fail for a listener.
    """

    def jobs_for(self, event: Event) -> Sequence[NewJob]:
        """Return the jobs by which the event gets to these listeners."""

    async def record(self, event: Event) -> None:
        """Make these jobs durable."""

    def examine(self, event: Event) -> None:
        """Raise PluginError if these listeners could not hear of an event of a plugin."""


class Change:
    """Change of the catalog, with the events that tell of it. Made by :meth:`EventBus.change`."""

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self.events: list[Event] = []
        """Events of what is committed."""
        self.unrecorded: list[Event] = []
        """Events among these that no transaction has recorded."""

    async def write(
        self,
        work: Callable[[Outbox[T] | None], Coroutine[Any, Any, T]],
        tells: Callable[[T], Iterable[Event]],
    ) -> T:
        """Run a write and return its result; ``tells`` makes the events of it, and does nothing else.

        ``work`` returns what a method of the catalog returns, and hands it the outbox, which records the
        events in the transaction of the change; it is None if nobody needs that.

        A cancelled task first lets the write end, and its events are told all the same; only one that takes
        longer than ``WRITE_LIMIT_S`` is cancelled, too.
        """
        outbox = None if self._recorder is None else _EventOutbox(self._recorder, tells)
        job = asyncio.get_running_loop().create_task(work(outbox))
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
                self.tell(*tells(job.result()), recorded=outbox is None or outbox.was_asked)

    def tell(self, *events: Event, recorded: bool = False) -> None:
        """Tell events of something else when the change is over.

        ``recorded``: the transaction that made their rows has recorded them.
        """
        self.events += events
        if not recorded:
            self.unrecorded += events


class _EventOutbox(Generic[T]):
    """Outbox that records the events of a change."""

    def __init__(self, recorder: Recorder, tells: Callable[[T], Iterable[Event]]) -> None:
        self._recorder = recorder
        self._tells = tells
        self.was_asked = False

    def __call__(self, result: T, /) -> Sequence[NewJob]:
        self.was_asked = True
        return [job for event in self._tells(result) for job in self._recorder.jobs_for(event)]


async def _ignore(event: Event) -> None:
    """Take no notice of it."""


@dataclass(slots=True)
class EventBus:
    """Connection that services share, made before there is anybody who listens.

    Every event is recorded before it is told.
    """

    listener: Callable[[Event], Coroutine[object, object, None]] = _ignore
    """Listener to all events; returns when all is done that they lead to. The composition root sets it."""
    recorder: Recorder | None = None
    """None if no listener needs one. The composition root sets it."""

    async def tell(self, event: Event) -> None:
        """Record an event and pass it on; return when all is done that it leads to.

        Call it outside of every lock, slot and reservation: a listener may take a minute. An event of a
        change of the catalog is for :meth:`change` to tell.
        """
        if self.recorder is not None:
            await self.recorder.record(event)
        await self.listener(event)

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Tell the events of a change when the context is left, even if it is left by an error.

        So each committed row has its event, and none is told of a row that was not written. Open it outside
        of every lock, slot and reservation.
        """
        change = Change(self.recorder)
        try:
            yield change
        finally:
            if change.events:
                await self._tell_all(change)

    async def _tell_all(self, change: Change) -> None:
        """Tell the events; a cancelled task first gives the listeners a little time."""
        telling = asyncio.get_running_loop().create_task(self._in_turn(change))
        try:
            await asyncio.shield(telling)
        except asyncio.CancelledError:
            try:
                await asyncio.wait((telling,), timeout=LISTENERS_LIMIT_S)
            finally:
                await end((telling,))
            raise

    async def _in_turn(self, change: Change) -> None:
        if self.recorder is not None:
            for event in change.unrecorded:  # first: the time for listeners may end before their turn
                await self.recorder.record(event)
        for event in change.events:
            await self.listener(event)
