"""Proofs of occupants in memory, for the fake catalog."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from filebot.model import BareJid, ProvenOccupant
from filebot.ports import MOST_PROVEN


class MemoryOccupantProofs:
    """Implements :class:`filebot.ports.OccupantProofs` in a dictionary."""

    def __init__(self) -> None:
        self._proven: dict[tuple[BareJid, BareJid], ProvenOccupant] = {}

    async def all(self) -> Sequence[ProvenOccupant]:
        return sorted(self._proven.values(), key=lambda each: each.proven_at)

    async def add(self, proven: ProvenOccupant) -> None:
        self._proven[proven.person, proven.room] = replace(
            proven, proven_at=proven.proven_at.astimezone(UTC)
        )
        latest = (await self.all())[-MOST_PROVEN:]
        self._proven = {(each.person, each.room): each for each in latest}

    async def forget_person(self, person: BareJid) -> None:
        self._proven = {key: each for key, each in self._proven.items() if each.person != person}

    def clear_room(self, room: BareJid) -> None:
        """Forget all of a room."""
        self._proven = {key: each for key, each in self._proven.items() if each.room != room}
