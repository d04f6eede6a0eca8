"""People who come online, told to listeners."""

from typing import Final

from filebot.concurrency.tasks import Tasks
from filebot.concurrency.throttle import MINUTE_S, Throttle
from filebot.events.bus import EventBus
from filebot.events.facts import PersonOnline
from filebot.model import Address, BareJid, Sender

MOST_TOLD: Final = 1000
"""Events that are told at once: after a login all contacts are online in a moment."""


class PeopleOnline:
    """Tells of people when a client of theirs comes online, at most once a minute of each."""

    def __init__(self, events: EventBus) -> None:
        self._events = events
        self._tasks = Tasks(MOST_TOLD)
        self._once_per_minute = Throttle(MINUTE_S)

    def came_online(self, person: BareJid) -> None:
        """Tell of it, in a task."""
        if self._once_per_minute.passes(person):
            event = PersonOnline(Sender(Address(person), person), None)
            self._tasks.start(self._events.tell(event), f"the news that {person} is online")

    async def idle(self) -> None:
        """Wait until all is told."""
        await self._tasks.idle()

    async def close(self) -> None:
        """Tell nothing more."""
        await self._tasks.close()
