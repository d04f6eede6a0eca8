"""Sample entries and scopes for the contract of the catalog."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from filebot.model import BlobRef, Entry, NewEntry, Scope
from filebot.ports import Catalog

NOW = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)


ALICE = Scope(owner="alice@example.org")


BOB = Scope(owner="bob@example.org")


ROOM = Scope(room="tea@rooms.example.org")


def digest(number: int) -> str:
    return f"{number:064x}"


def a_file(
    name: str, *, scope: Scope = ALICE, caption: str = "", blob: int = 1, size: int = 10
) -> NewEntry:
    owner = scope.owner or "carol@example.org"
    ref = BlobRef(digest(blob), size)
    return NewEntry(name, owner, scope.room, caption, ref, "application/pdf", NOW)


async def put(catalog: Catalog, *names: str, scope: Scope = ALICE) -> list[Entry]:
    """Add them in this order, in one go: the tasks begin in order."""
    return await asyncio.gather(*(catalog.add(a_file(name, scope=scope)) for name in names))


def names(entries: Sequence[Entry]) -> list[str]:
    return [entry.name for entry in entries]
