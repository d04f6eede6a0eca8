"""Files of a destroyed room when the bot is killed, or cannot write, before all are released."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from filebot.catalog import open_catalog
from filebot.errors import CatalogUnavailable
from filebot.events.facts import FileRemoved, OwnerChanged
from filebot.model import ArchivePosition, RememberedRoom, Scope
from filebot.plugin import Context, Plugin
from filebot.ports import Catalog
from filebot.rooms import destroyed_rooms
from filebot.testing import FakeBot
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, in_room
from tests.support.old_catalogs import make_catalog

HAL = in_room(None, "hal", occupant_id="9000")
EVE = in_room(None, "eve", occupant_id="13")
WRITES = 10
"""Number of writes of one release."""


class MortalCatalog:
    """Catalog of a bot that is killed before or after one of its writes, and writes nothing afterwards."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.writes = 0
        self.last: int | None = None
        self.is_last_done = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._catalog, name)
        if not name.startswith(("note", "clear", "release", "remove", "forget")):
            return method

        async def mortal(*args: Any, **values: Any) -> Any:
            self.writes += 1
            if self.last is not None and self.writes >= self.last:
                if self.writes == self.last and self.is_last_done:
                    await method(*args, **values)
                raise CatalogUnavailable("killed")
            return await method(*args, **values)

        return mortal


def listener(heard: list[tuple[type, int]]) -> Plugin[None]:
    """A plugin that notes events of files durably."""
    plugin = Plugin[None]("listener", api=1)

    @plugin.on(OwnerChanged, durable=True)
    async def changed(_: Context[None], event: OwnerChanged) -> None:
        heard.append((OwnerChanged, event.entry.id))

    @plugin.on(FileRemoved, durable=True)
    async def removed(_: Context[None], event: FileRemoved) -> None:
        heard.append((FileRemoved, event.entry.id))

    return plugin


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destroyed_rooms, "RELEASE_BATCH", 2)


@asynccontextmanager
async def with_files(catalog: Any, heard: list[tuple[type, int]]) -> AsyncIterator[FakeBot]:
    """Two known people and two hidden ones have files in a room."""
    async with FakeBot(listener(heard), catalog=catalog) as bot:
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        bot.rooms.occupants[ROOM] |= HAL.identities | EVE.identities
        await catalog.remember_room(RememberedRoom(ROOM))
        await bot.drop("both.txt", b"both", ALICE)
        await bot.say(f"send both.txt to {ROOM}", ALICE)
        await bot.say("room set archive on", in_room(ALICE))
        await bot.drop("hal.txt", b"hal", HAL)
        await bot.drop("bob.txt", b"bob", in_room(BOB))
        await bot.drop("eve.txt", b"eve", EVE)
        await catalog.save_position(ArchivePosition(ROOM, "1", bot.now))
        assert await catalog.count(Scope(room=ROOM)) == 4
        yield bot


async def is_released(catalog: Catalog) -> bool:
    """Whether the files are their owners', and nothing is left of the room."""
    assert [each.name for each in await catalog.page(Scope(owner=ALICE), limit=9)] == ["both.txt"]
    assert [each.name for each in await catalog.page(Scope(owner=BOB), limit=9)] == ["bob.txt"]
    assert await catalog.used_in_all() == (2, 7)
    assert await catalog.room_settings() == []
    assert await catalog.rooms() == []
    assert await catalog.destroyed_rooms() == []
    return await catalog.position(ROOM) is None


TOLD = sorted(
    [
        (FileRemoved, 2),
        (OwnerChanged, 3),
        (OwnerChanged, 4),
        (OwnerChanged, 5),
        (FileRemoved, 3),
        (FileRemoved, 5),
    ],
    key=str,
)
"""Alice has her file already; those of hidden people are private ones for a moment."""


async def destroyed_with_a_kill(catalog: Catalog, last: int, *, is_last_done: bool) -> int:
    """Let the bot be killed when the room is destroyed, and start it again; return how far it came."""
    heard: list[tuple[type, int]] = []
    mortal = MortalCatalog(catalog)
    async with with_files(mortal, heard) as bot:
        mortal.writes, mortal.last, mortal.is_last_done = 0, last, is_last_done
        with pytest.raises(CatalogUnavailable):
            await bot.destroy(ROOM)
    is_noted = last > 1 or is_last_done
    is_over = not await catalog.rooms()
    assert await catalog.destroyed_rooms() == ([ROOM] if is_noted and not is_over else [])
    async with FakeBot(listener(heard), catalog=catalog) as bot:
        if not is_noted:
            await bot.destroy(ROOM)
        assert await is_released(catalog)
        await bot.jobs.run()
        assert sorted(heard, key=str) == TOLD
    return mortal.writes


async def test_a_release_has_so_many_writes() -> None:
    mortal = MortalCatalog(MemoryCatalog())
    async with with_files(mortal, []) as bot:
        mortal.writes = 0
        await bot.destroy(ROOM)
    assert mortal.writes == WRITES


@pytest.mark.parametrize("is_last_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("last", range(1, WRITES + 1))
async def test_after_a_kill_at_any_write_the_next_start_releases_the_rest(
    last: int, is_last_done: bool
) -> None:
    await destroyed_with_a_kill(MemoryCatalog(), last, is_last_done=is_last_done)


async def test_it_is_so_with_a_database(tmp_path: Path) -> None:
    for last in range(1, WRITES + 1, 2):
        make_catalog(path := tmp_path / f"{last}.sqlite")
        async with open_catalog(path) as catalog:
            await destroyed_with_a_kill(catalog, last, is_last_done=True)


async def test_a_room_at_its_address_is_not_entered_before_all_is_released() -> None:
    mortal = MortalCatalog(MemoryCatalog())
    async with with_files(mortal, []) as bot:
        mortal.writes, mortal.last = 0, 4
        with pytest.raises(CatalogUnavailable):
            await bot.destroy(ROOM)
        [refusal] = await bot.say(f"join {ROOM}", ADMIN)
        assert "cannot" in refusal
        assert ROOM not in bot.rooms.joined()
        mortal.last = None
        [answer] = await bot.say(f"join {ROOM}", ADMIN)
        assert ROOM in bot.rooms.joined(), answer
        assert await mortal.count(Scope(room=ROOM)) == 0
        assert await mortal.destroyed_rooms() == []
        assert [each.jid for each in await mortal.rooms()] == [ROOM]


async def test_a_room_that_is_reported_twice_is_released_once() -> None:
    heard: list[tuple[type, int]] = []
    catalog = MemoryCatalog()
    async with with_files(catalog, heard) as bot:
        destroy: Callable[[], Awaitable[None]] = lambda: bot.destroy(ROOM)  # noqa: E731
        await asyncio.gather(destroy(), destroy())
        assert await is_released(catalog)
        await bot.jobs.run()
        assert sorted(heard, key=str) == TOLD
