"""Renaming of files."""

from collections.abc import Callable
from datetime import datetime

from filebot.errors import NoSuchEntry
from filebot.events.bus import EventBus
from filebot.events.facts import Actor, FileRenamed
from filebot.filenames import safe_name
from filebot.model import Entry
from filebot.ports import Entries


class Renaming:
    """Gives entries other names."""

    def __init__(self, entries: Entries, clock: Callable[[], datetime], events: EventBus) -> None:
        self._entries = entries
        self._clock = clock
        self._events = events

    async def rename(self, entry: Entry, name: str, by: Actor) -> Entry:
        """Give an entry another name, cleaned as any name, and tell FileRenamed; return it as it is now.

        Raises NoSuchEntry if it is gone, or StorageError.
        """
        async with self._events.change() as change:
            renamed = await change.write(
                self._entries.rename(entry.id, safe_name(name), self._clock()),
                lambda to: () if to is None else [FileRenamed(by.sender, by.language, to, entry.name)],
            )
        if renamed is None:
            raise NoSuchEntry(entry.name)
        return renamed
