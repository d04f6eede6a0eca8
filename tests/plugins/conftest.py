"""A fake bot for each test."""

from collections.abc import AsyncIterator

import pytest

from filebot.testing import FakeBot


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    async with FakeBot() as fake:
        yield fake
