"""Captions of files, which follow the corrections of their messages (XEP-0308)."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from filebot.events.bus import EventBus
from filebot.events.facts import Actor, CaptionChanged
from filebot.filenames import plain_text
from filebot.files.intake import CAPTION_LIMIT
from filebot.files.shown_files import ShownFiles
from filebot.model import Entry, IncomingMessage, Outbox
from filebot.ports import Entries


class Captions:
    """Changes captions."""

    def __init__(
        self, entries: Entries, shown_files: ShownFiles, clock: Callable[[], datetime], events: EventBus
    ) -> None:
        self._entries = entries
        self._events = events
        self._shown_files = shown_files
        self._clock = clock

    def of(self, message: IncomingMessage) -> Collection[int]:
        """Return the files that the message brought which its author corrects by this one."""
        found = self._shown_files.brought_by(message.sender, [message.replaces])
        return dict.fromkeys(each.entry_id for each in found)

    async def edit(self, entry_ids: Collection[int], caption: str, by: Actor) -> Sequence[Entry]:
        """Give entries a caption and return those that had another one; CaptionChanged tells of each.

        Raises StorageError.
        """
        new, changed = plain_text(caption)[:CAPTION_LIMIT], list[Entry]()
        for each in entry_ids:
            entry = await self._entries.entry(each)
            if entry is not None and entry.caption != new:
                edited = await self._edit(entry, new, by)
                changed += [] if edited is None else [edited]
        return changed

    async def _edit(self, entry: Entry, caption: str, by: Actor) -> Entry | None:
        async def edit(outbox: Outbox[Entry | None] | None) -> Entry | None:
            return await self._entries.set_caption(entry.id, caption, self._clock(), outbox=outbox)

        def tells(edited: Entry | None) -> Sequence[CaptionChanged]:
            if edited is None:
                return ()
            return [CaptionChanged(by.sender, by.language, edited, entry.caption)]

        async with self._events.change() as change:
            return await change.write(edit, tells)
