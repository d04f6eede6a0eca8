"""The contract of ``HttpTransfer``, for the real client and for the web in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from filebot.errors import Refused
from filebot.model import Slot
from filebot.ports import HttpTransfer
from filebot.testing.http import MemoryWeb
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http import HttpClient

CONTENT = bytes(range(256)) * 1000


@dataclass(frozen=True)
class Side:
    """A client and the base of URLs that it can reach."""

    http: HttpTransfer
    base: str


@pytest.fixture
async def real() -> AsyncIterator[Side]:
    hosted: dict[str, bytes] = {}

    async def put(request: web.Request) -> web.Response:
        hosted[request.path] = await request.read()
        return web.Response(status=201)

    async def get(request: web.Request) -> web.Response:
        if request.path not in hosted:
            raise web.HTTPNotFound
        return web.Response(body=hosted[request.path])

    app = web.Application()
    app.router.add_put("/{name}", put)
    app.router.add_get("/{name}", get)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with HttpClient(AddressPolicy(allow_insecure=True, allow_private=True)) as http:
        yield Side(http, f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


@pytest.fixture(params=["real", "memory"])
async def side(request: pytest.FixtureRequest, real: Side) -> Side:
    return real if request.param == "real" else Side(MemoryWeb(), "https://files.example.org")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(CONTENT)
    return path


async def test_what_was_put_is_got(side: Side, file: Path) -> None:
    url = f"{side.base}/a%20b.bin"
    await side.http.put(Slot(url, url), file, "application/octet-stream")
    async with side.http.get(url) as download:
        assert download.size == len(CONTENT)
        assert download.name == "a b.bin"
        assert b"".join([chunk async for chunk in download.chunks()]) == CONTENT


async def test_a_file_is_alive_only_if_it_is_there_with_its_size(side: Side, file: Path) -> None:
    url = f"{side.base}/a.bin"
    assert not await side.http.alive(url, len(CONTENT))
    await side.http.put(Slot(url, url), file, "application/octet-stream")
    assert await side.http.alive(url, len(CONTENT))
    assert not await side.http.alive(url, 1)


async def test_what_is_not_there_is_refused_with_its_status(side: Side) -> None:
    with pytest.raises(Refused) as caught:
        async with side.http.get(f"{side.base}/gone"):
            pass
    assert caught.value.status == 404
