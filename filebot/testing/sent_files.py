"""Sent files in memory, for the fake catalog."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from filebot.model import BareJid, SentFile
from filebot.ports import MOST_SENT


class MemorySentFiles:
    """Implements :class:`filebot.ports.SentFiles` in a dictionary."""

    def __init__(self, has_entry: Callable[[int], bool]) -> None:
        self._has_entry = has_entry
        self._sent: dict[str, SentFile] = {}

    async def add(self, sent: SentFile) -> None:
        if self._has_entry(sent.entry_id):
            self._sent[sent.message_id] = replace(sent, sent_at=sent.sent_at.astimezone(UTC))
        latest = sorted(self._kept(), key=lambda each: each.sent_at)[-MOST_SENT:]
        self._sent = {each.message_id: each for each in latest}

    async def find(self, message_id: str) -> SentFile | None:
        return next((each for each in self._kept() if each.message_id == message_id), None)

    async def take(self, message_id: str) -> SentFile | None:
        found = self._sent.pop(message_id, None)
        return found if found is not None and self._has_entry(found.entry_id) else None

    async def latest(self, recipient: BareJid, since: datetime) -> SentFile | None:
        found = [each for each in self._kept() if each.recipient == recipient and each.sent_at >= since]
        return max(found, key=lambda each: each.sent_at, default=None)

    def _kept(self) -> list[SentFile]:
        return [each for each in self._sent.values() if self._has_entry(each.entry_id)]
