"""HTTP client of the tests, which may reach servers of this machine, and does not wait for long."""

from collections.abc import AsyncIterator

import pytest

from filebot.protocol import http_range
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient

LAX = AddressPolicy(allow_insecure=True, allow_private=True)


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once after a break."""
    monkeypatch.setattr(http_range, "_FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(http_range, "_LONGEST_DELAY_S", 0.02)


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient(LAX, idle_s=30.0) as made:
        yield made


async def fetched(client: HttpClient, url: str, offset: int = 0, *, hashed: bool = False) -> bytes:
    """Return the body behind a link."""
    async with client.get(url, offset, hashed=hashed) as download:
        return b"".join([piece async for piece in download.chunks()])
