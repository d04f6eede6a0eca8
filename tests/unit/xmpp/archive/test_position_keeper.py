"""When the saved mark of an archive moves, and whom it asks before."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from xml.etree.ElementTree import fromstring

import pytest

from filebot.model import ArchivePosition
from filebot.testing.catalog import MemoryCatalog
from filebot.xmpp.archive import position_keeper
from filebot.xmpp.archive.position_keeper import PositionKeeper
from filebot.xmpp.connection.stream import Stream
from tests.support.virtual_time import in_virtual_time
from tests.unit.xmpp.conftest import Mode, SentStanzas

ROOM = "tea@rooms.example.org"
FIRST = ArchivePosition(ROOM, "1", datetime(2026, 1, 1, tzinfo=UTC))
SECOND = ArchivePosition(ROOM, "2", datetime(2026, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize("mode", ["client", "component"])
async def test_the_server_has_read_the_answers_before_the_mark_moves(
    outbox_of: Callable[[Mode], SentStanzas], mode: Mode
) -> None:
    """A component asks the server that it belongs to: its own domain is itself."""
    outbox, catalog = outbox_of(mode), MemoryCatalog()
    keeper = PositionKeeper(outbox.stream, catalog, lambda: SECOND)
    await keeper.start(None, FIRST)
    keeper.changed()
    while not outbox.sent:
        await asyncio.sleep(0)
    [question] = outbox.sent
    assert question.get("to") == "example.org"
    assert await catalog.position(ROOM) == FIRST
    outbox.stream.encrypted = lambda: True  # type: ignore[method-assign]
    answer = f"<iq xmlns='jabber:client' type='result' id='{question.get('id')}' from='example.org'/>"
    outbox.stream._spawn_event(fromstring(answer))
    while await catalog.position(ROOM) != SECOND:
        await asyncio.sleep(0)
    await keeper.stop()


@in_virtual_time
async def test_the_more_ids_stand_beside_a_position_the_more_seldom_it_is_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, catalog, saved_at_s = asyncio.get_running_loop(), MemoryCatalog(), list[float]()
    position = FIRST

    async def answers(stream: Stream, limit_s: float) -> bool:
        return True

    async def save(position: ArchivePosition) -> None:
        saved_at_s.append(round(loop.time(), 3))

    monkeypatch.setattr(position_keeper, "server_answers", answers)
    monkeypatch.setattr(catalog, "save_position", save)
    monkeypatch.setattr(position_keeper, "IDS_A_SECOND", 10)
    keeper = PositionKeeper(cast("Stream", None), catalog, lambda: position)
    await keeper.start(FIRST, FIRST)
    for number in range(20):  # one each tenth of a second, and each behind one that is not dealt with
        position = replace(position, ahead=position.ahead | {str(number)})
        keeper.changed()
        await asyncio.sleep(0.1)
    await asyncio.sleep(5)
    await keeper.stop()
    assert saved_at_s == [0.0, 0.1, 0.3, 0.6, 1.3, 2.6]
