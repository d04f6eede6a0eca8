"""Handover of files: all that one identity owns becomes another's."""

from collections.abc import Sequence
from typing import Final

from filebot.events.bus import EventBus
from filebot.events.facts import Actor, OwnerChanged
from filebot.files.quota import Quota
from filebot.model import Entry, Identity, Outbox
from filebot.ports import Entries

HAND_OVER_BATCH: Final = 1000
"""Files that change their owner in one transaction; more files take further ones."""


class Handover:
    """Hands files over, as far as the quota of their new owner allows."""

    def __init__(self, entries: Entries, quota: Quota, events: EventBus) -> None:
        self._entries = entries
        self._quota = quota
        self._events = events

    async def hand_over(self, former_owner: Identity, owner: Identity, by: Actor) -> int:
        """Make all files of one identity another's; return how many changed their owner.

        OwnerChanged tells of each file. Raises QuotaExceeded or StorageError; of very many files, some may
        be the new owner's then.
        """
        if former_owner == owner:  # they would be handed over without end
            return 0
        files = 0

        async def some(outbox: Outbox[Sequence[Entry]] | None) -> Sequence[Entry]:
            async with self._quota.take_over(former_owner, owner) as hold:
                with hold.settling():
                    return await self._entries.hand_over(
                        former_owner, owner, HAND_OVER_BATCH, outbox=outbox
                    )

        def tells(entries: Sequence[Entry]) -> Sequence[OwnerChanged]:
            return [
                OwnerChanged(by.sender, by.language, entry, former_owner, entry.room) for entry in entries
            ]

        while True:
            async with self._events.change() as change:
                handed = await change.write(some, tells)
            files += len(handed)
            if len(handed) < HAND_OVER_BATCH:
                return files
