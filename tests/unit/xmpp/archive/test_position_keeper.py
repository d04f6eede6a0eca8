"""When the saved mark of an archive moves, and whom it asks before."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree.ElementTree import fromstring

import pytest

from filebot.model import ArchivePosition
from filebot.testing.catalog import MemoryCatalog
from filebot.xmpp.archive.position_keeper import PositionKeeper
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
