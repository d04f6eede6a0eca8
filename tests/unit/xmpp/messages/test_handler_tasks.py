"""Handlers of messages at the end of a session."""

import asyncio
from typing import Any, cast

from filebot.model import Address, IncomingMessage, Sender
from filebot.xmpp.archive.catchup import CatchUp
from filebot.xmpp.handlers import Handlers
from filebot.xmpp.messages.handler_tasks import HandlerTasks
from tests.support.virtual_time import in_virtual_time

MESSAGE = IncomingMessage(Sender(Address("anna@example.org"), "anna@example.org"), "ls")


class Positions:
    """Catch-up that notes which messages are handled."""

    def __init__(self) -> None:
        self.handled_ids: list[str | None] = []

    def name(self, archive_id: str | None) -> str | None:
        return archive_id

    def handled(self, archive_id: str | None, *, save: bool = True) -> None:
        self.handled_ids.append(archive_id)


async def closed_after(answered: asyncio.Event, *, answer: bool) -> list[str | None]:
    """Close while a handler waits for an answer that has come, or has not; return the handled messages."""

    async def handle(_: Any) -> None:
        await answered.wait()
        for _ in range(5):
            await asyncio.sleep(0)

    tasks, positions = HandlerTasks(Handlers(message=handle, is_served=lambda _: True)), Positions()
    assert tasks.take(MESSAGE, cast("CatchUp", positions), "id")
    await asyncio.sleep(0)
    if answer:
        answered.set()
    await tasks.close()
    return positions.handled_ids


@in_virtual_time
async def test_message_that_was_answered_counts_as_handled_at_a_stop() -> None:
    assert await closed_after(asyncio.Event(), answer=True) == ["id"]


@in_virtual_time
async def test_message_that_is_not_answered_yet_does_not() -> None:
    assert await closed_after(asyncio.Event(), answer=False) == []
