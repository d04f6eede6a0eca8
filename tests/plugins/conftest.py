"""A fake bot for each test, as it is or with a room that is managed."""

from collections.abc import AsyncIterator

import pytest

from filebot.testing import ALICE, ROOM, FakeBot, in_room


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    async with FakeBot() as fake:
        yield fake


@pytest.fixture
async def managed(bot: FakeBot) -> FakeBot:
    """Alice manages the room and has shared a file there."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.drop("plan.txt", b"plan", ALICE)
    await bot.say(f"send plan.txt to {ROOM}", in_room(ALICE, "anna"))
    return bot
