"""Event bus: carries facts from the services that make them to those who listen."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from filebot.events.facts import Event
from filebot.model import NewJob

R = TypeVar("R")

Listener = Callable[[Event], Awaitable[None]]


class Recorder(Protocol):
    """Recorder of events for those who must hear of them, whatever happens in between."""

    def jobs_for(self, event: Event) -> Sequence[NewJob]:
        """Return the jobs by which the event is passed on."""

    async def record(self, event: Event) -> None:
        """Make these jobs durable."""


class EventBus:
    """Passes each event to all listeners, in the order in which they came; there may be none."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._recorder: Recorder | None = None

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event from now on; it must not raise."""
        self._listeners.append(listener)

    def record_with(self, recorder: Recorder) -> None:
        """Let every event be recorded from now on."""
        self._recorder = recorder

    def outbox(self, event_of: Callable[[R], Event]) -> Callable[[R], Sequence[NewJob]] | None:
        """Return what records the event of a change in the transaction of that change.

        ``event_of`` gives the event for the change's result, and does nothing else. The event is to be told
        as ``recorded`` then. None if nobody needs it.
        """
        return self.outbox_of_all(lambda result: [event_of(result)])

    def outbox_of_all(
        self, events_of: Callable[[R], Iterable[Event]]
    ) -> Callable[[R], Sequence[NewJob]] | None:
        """Return the same for a change that brings several events with it."""
        recorder = self._recorder
        if recorder is None:
            return None
        return lambda result: [job for each in events_of(result) for job in recorder.jobs_for(each)]

    async def tell(self, event: Event, *, recorded: bool = False) -> None:
        """Pass an event on; returns when all listeners are done with it.

        ``recorded``: the transaction of the change has recorded it, see :meth:`outbox`.

        Call it after the commit, outside of every lock, slot and reservation: a listener may take a minute.
        """
        if self._recorder is not None and not recorded:
            await self._recorder.record(event)
        for listener in self._listeners:
            await listener(event)
