"""Announcements of new files in a room, in virtual time."""

import asyncio
from datetime import UTC, datetime

from filebot.events.bus import EventBus
from filebot.events.facts import Event, RoomFilesAdded
from filebot.model import BlobRef, Digest, Entry
from filebot.rooms.announcer import GATHER_S, Announcer
from tests.support.virtual_time import in_virtual_time

AT = datetime(2026, 1, 1, tzinfo=UTC)
FILE = Entry(
    id=1,
    owner="ben@example.org",
    room="tea@rooms.example.org",
    name="a.txt",
    caption="",
    blob=BlobRef(Digest("0" * 64), 1),
    media_type="text/plain",
    created_at=AT,
    modified_at=AT,
)


async def announcements(*added_at_s: float) -> list[tuple[float, int]]:
    """Return when a room was told of files that came at these moments, and of how many."""
    loop, told = asyncio.get_running_loop(), list[tuple[float, int]]()

    async def listen(event: Event) -> None:
        assert isinstance(event, RoomFilesAdded)
        told.append((round(loop.time(), 3), event.count))

    announcer = Announcer(EventBus(listen), lambda _: True)
    waits = []
    for moment_s in added_at_s:
        await asyncio.sleep(moment_s - loop.time())
        waits.append(announcer.add(FILE))
    await asyncio.gather(*waits)
    await announcer.close()
    return told


@in_virtual_time
async def test_files_that_come_soon_are_announced_together() -> None:
    assert await announcements(0, 5, GATHER_S - 1) == [(GATHER_S, 3)]


@in_virtual_time
async def test_announcements_become_rarer_while_files_keep_coming() -> None:
    assert await announcements(*range(0, 150, 5)) == [(20, 4), (60, 8), (140, 16), (300, 2)]


@in_virtual_time
async def test_a_file_after_a_pause_is_announced_soon() -> None:
    assert await announcements(0, 50, 500) == [(20, 1), (70, 1), (520, 1)]
