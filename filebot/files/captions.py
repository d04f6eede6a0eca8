"""Captions of files, which follow the corrections of their messages (XEP-0308)."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from filebot.filenames import plain_text
from filebot.files.intake import CAPTION_LIMIT
from filebot.files.shown_files import ShownFiles
from filebot.model import Entry, IncomingMessage
from filebot.ports import Entries


class Captions:
    """Changes captions."""

    def __init__(self, entries: Entries, shown_files: ShownFiles, clock: Callable[[], datetime]) -> None:
        self._entries = entries
        self._shown_files = shown_files
        self._clock = clock

    def of(self, message: IncomingMessage) -> Collection[int]:
        """Return the files that the message brought which its author corrects by this one."""
        found = self._shown_files.brought_by(message.sender, [message.replaces])
        return dict.fromkeys(each.entry_id for each in found)

    async def edit(self, entry_ids: Collection[int], caption: str) -> Sequence[Entry]:
        """Give entries a caption and return those that had another one. Raises StorageError."""
        new, changed = plain_text(caption)[:CAPTION_LIMIT], list[Entry]()
        for each in entry_ids:
            entry = await self._entries.entry(each)
            if entry is None or entry.caption == new:
                continue
            entry = await self._entries.set_caption(each, new, self._clock())
            changed += [] if entry is None else [entry]
        return changed
