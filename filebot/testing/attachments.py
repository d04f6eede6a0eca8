"""Attachments in memory: a fake of :class:`filebot.ports.Attachments`."""

from collections.abc import Callable, Collection, Sequence

from filebot.errors import NoSuchEntry, PluginStoreFull
from filebot.model import Attachment, Digest
from filebot.ports import MOST_ATTACHED_BYTES, MOST_ATTACHMENTS

Key = tuple[int, str, str]


class MemoryAttachments:
    """Implements :class:`filebot.ports.Attachments` in a dictionary."""

    def __init__(self, is_entry: Callable[[int], bool]) -> None:
        self._is_entry = is_entry
        self._kept: dict[Key, Attachment] = {}
        self._freed: dict[Digest, None] = {}

    @property
    def _rows(self) -> dict[Key, Attachment]:
        """Attachments whose entry is there: those of others are gone with it."""
        for key in [key for key in self._kept if not self._is_entry(key[0])]:
            self._remove(key)
        return self._kept

    async def attach(self, new: Attachment) -> None:
        if not self._is_entry(new.entry_id):
            raise NoSuchEntry(f"#{new.entry_id}")
        key = (new.entry_id, new.plugin, new.name)
        others = [each for other, each in self._rows.items() if other[:2] == key[:2] and other != key]
        size = new.blob.size + sum(each.blob.size for each in others)
        if len(others) >= MOST_ATTACHMENTS or size > MOST_ATTACHED_BYTES:
            raise PluginStoreFull(new.plugin)
        self._remove(key)
        self._kept[key] = new

    async def attachment(self, entry_id: int, plugin: str, name: str) -> Attachment | None:
        return self._rows.get((entry_id, plugin, name))

    async def detach(self, entry_id: int, plugin: str, name: str) -> None:
        self._remove((entry_id, plugin, name))

    async def freed(self, limit: int) -> Sequence[Digest]:
        self.digests()  # what went with entries is freed, too
        return list(self._freed)[:limit]

    async def settle(self, digests: Sequence[Digest]) -> None:
        for each in digests:
            self._freed.pop(each, None)

    def digests(self) -> set[Digest]:
        """Return the digests of all attachments."""
        return {each.blob.digest for each in self._rows.values()}

    def bytes_of(self, entries: Collection[int]) -> int:
        """Return the bytes of all attachments of these entries."""
        return sum(each.blob.size for each in self._rows.values() if each.entry_id in entries)

    def _remove(self, key: Key) -> None:
        removed = self._kept.pop(key, None)
        if removed is not None:
            self._freed[removed.blob.digest] = None
