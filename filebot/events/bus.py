"""From the services to whoever says it to people: events, as they happen."""

from collections.abc import Awaitable, Callable

from filebot.events.facts import Event

Listener = Callable[[Event], Awaitable[None]]


class EventBus:
    """Told by the services, heard by what the composition root plugs in; nobody need listen."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event from now on; it must not raise."""
        self._listeners.append(listener)

    async def tell(self, event: Event) -> None:
        """Returns when all have heard it."""
        for listener in self._listeners:
            await listener(event)
