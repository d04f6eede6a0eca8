"""When rooms are caught up with: what switches it on and off, and what is forgotten when."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from filebot.model import ArchivePosition, BareJid
from filebot.testing.catalog import MemoryCatalog
from filebot.xmpp.archive import position_keeper
from filebot.xmpp.archive.catchup import CatchUp
from filebot.xmpp.archive.mam_query import Archived
from filebot.xmpp.archive.room_catchups import RoomCatchUps
from filebot.xmpp.archive.turns import Turn
from filebot.xmpp.connection.stream import Stream
from tests.unit.xmpp.conftest import SentStanzas

TEA = "tea@rooms.example.org"
MARK = ArchivePosition(TEA, "7", datetime(2026, 11, 24, tzinfo=UTC))


class World:
    """Rooms, and what is known of how far they were read."""

    def __init__(self, outbox: SentStanzas) -> None:
        self.marks = MemoryCatalog()
        self.rooms = RoomCatchUps(outbox.stream, self.marks, self._take, lambda room, _: Turn(False, room))

    def _take(self, catch_up: CatchUp, room: BareJid, archived: Archived) -> bool:
        raise AssertionError(f"{archived.id} of {room}")

    async def stay(self) -> None:
        await self.rooms.entering(TEA)
        await self.rooms.entered(TEA)

    async def knows(self) -> bool:
        return await self.marks.position(TEA) is not None


@pytest.fixture
async def world(outbox: SentStanzas, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async def server_answers(stream: Stream, limit_s: float) -> bool:
        return True

    monkeypatch.setattr(position_keeper, "server_answers", server_answers)
    made = World(outbox)
    yield made
    await made.rooms.close()


async def test_a_room_that_keeps_nothing_is_not_caught_up_with(world: World) -> None:
    await world.stay()
    assert world.rooms.of(TEA) is None


async def test_a_room_whose_archive_is_on_is_from_the_beginning_of_the_stay_on(world: World) -> None:
    await world.rooms.switch(TEA, is_on=True)
    await world.rooms.entering(TEA)
    catch_up = world.rooms.of(TEA)
    assert catch_up is not None
    assert catch_up.live("8", kept_back=False)
    assert not catch_up.live("8", kept_back=False)
    await world.rooms.entered(TEA)
    await world.rooms.left(TEA)
    await world.stay()
    assert world.rooms.of(TEA) is catch_up


async def test_an_archive_that_is_switched_on_in_the_stay_begins_then(world: World) -> None:
    await world.stay()
    await world.rooms.switch(TEA, is_on=True)
    assert await world.knows() is True
    assert world.rooms.of(TEA) is not None


async def test_what_is_posted_while_the_archive_is_off_is_never_read(world: World) -> None:
    await world.marks.save_position(MARK)
    await world.rooms.switch(TEA, is_on=False)  # while the bot is out of the room
    assert await world.knows() is False
    await world.rooms.switch(TEA, is_on=True)
    await world.stay()
    assert await world.knows() is True
    await world.rooms.switch(TEA, is_on=False)
    assert await world.knows() is False
    assert world.rooms.of(TEA) is None


async def test_a_room_that_the_bot_leaves_for_good_is_forgotten(world: World) -> None:
    await world.marks.save_position(MARK)
    await world.rooms.switch(TEA, is_on=True)
    await world.stay()
    await world.rooms.left(TEA)
    await world.rooms.forget(TEA)
    assert await world.marks.position(TEA) is None
