"""Renaming of files."""

from collections.abc import Callable, Sequence
from datetime import datetime

from filebot.checks.acts import FileRenaming
from filebot.checks.checks import Checks
from filebot.errors import NoSuchEntry
from filebot.events.bus import EventBus
from filebot.events.facts import Actor, FileRenamed
from filebot.filenames import safe_name
from filebot.model import Entry, Outbox
from filebot.ports import Entries


class Renaming:
    """Gives entries other names."""

    def __init__(
        self, entries: Entries, clock: Callable[[], datetime], events: EventBus, checks: Checks
    ) -> None:
        self._entries = entries
        self._clock = clock
        self._events = events
        self._checks = checks

    async def rename(
        self, entry: Entry, name: str, by: Actor, may: Callable[[], None] = lambda: None
    ) -> Entry:
        """Give an entry another name, cleaned as any name, and tell FileRenamed; return it as it is now.

        ``may`` is called right before the change and raises what forbids it: checks take their time. Raises
        NoSuchEntry if the entry is gone, StorageError, or what the checks raise.
        """

        async def rename(outbox: Outbox[Entry | None] | None) -> Entry | None:
            may()
            return await self._entries.rename(entry.id, new, at, outbox=outbox)

        def tells(renamed: Entry | None) -> Sequence[FileRenamed]:
            return () if renamed is None else [FileRenamed(by.sender, by.language, renamed, entry.name)]

        new, at = safe_name(name), self._clock()
        if FileRenaming in self._checks.by_act:
            wanted = await self._checks.passed(FileRenaming(by.sender, by.language, entry, new))
            new = safe_name(wanted.name)
        async with self._events.change() as change:
            renamed = await change.write(rename, tells)
        if renamed is None:
            raise NoSuchEntry(entry.name)
        return renamed
