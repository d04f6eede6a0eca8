"""Event bus: carries facts from the services that make them to those who listen."""

from collections.abc import Awaitable, Callable

from filebot.events.facts import Event

Listener = Callable[[Event], Awaitable[None]]


class EventBus:
    """Passes each event to all listeners, in the order in which they came; there may be none."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event from now on; it must not raise."""
        self._listeners.append(listener)

    async def tell(self, event: Event) -> None:
        """Pass an event on; returns when all listeners are done with it.

        Call it after the commit, outside of every lock, slot and reservation: a listener may take a minute.
        """
        for listener in self._listeners:
            await listener(event)
