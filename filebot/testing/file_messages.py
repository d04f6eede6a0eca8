"""Messages of files in memory, for the fake catalog."""

from collections.abc import Callable, Sequence

from filebot.model import FileMessage
from filebot.ports import MOST_FILE_MESSAGES, MOST_FILE_MESSAGES_OF_PLACE


class MemoryFileMessages:
    """Implements :class:`filebot.ports.FileMessages` in a dictionary."""

    def __init__(self, has_entry: Callable[[int], bool]) -> None:
        self._has_entry = has_entry
        self._kept: dict[tuple[str, int], FileMessage] = {}

    async def all(self) -> Sequence[FileMessage]:
        self._kept = {key: each for key, each in self._kept.items() if self._has_entry(each.entry_id)}
        return list(self._kept.values())

    async def add(self, messages: Sequence[FileMessage]) -> None:
        for each in messages:
            if self._has_entry(each.entry_id):
                self._kept[each.key, each.entry_id] = each
        for place in {each.place for each in messages}:
            here = [key for key, each in self._kept.items() if each.place == place]
            self._forget_oldest(here, MOST_FILE_MESSAGES_OF_PLACE)
        self._forget_oldest(list(self._kept), MOST_FILE_MESSAGES)

    async def forget(self, messages: Sequence[FileMessage]) -> None:
        for each in messages:
            self._kept.pop((each.key, each.entry_id), None)

    def _forget_oldest(self, keys: Sequence[tuple[str, int]], most: int) -> None:
        for key in keys[: max(0, len(keys) - most)]:
            del self._kept[key]
