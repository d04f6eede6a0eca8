"""The contract of ``HttpTransfer``, for the real client and for the web in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from filebot.errors import PeerProtocolError, Refused, TransferError
from filebot.model import HttpRequest, Slot
from filebot.ports import HttpTransfer
from filebot.testing.http import MemoryWeb
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient

CONTENT = bytes(range(256)) * 1000


@dataclass(frozen=True)
class Side:
    """A client and the base of URLs that it can reach."""

    http: HttpTransfer
    base: str


@pytest.fixture(params=["with ranges", "without ranges", "memory"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    if request.param == "memory":
        yield Side(MemoryWeb(), "https://files.example.org")
        return
    ranges = request.param == "with ranges"

    async def put(request: web.Request) -> web.Response:
        (tmp_path / request.match_info["name"]).write_bytes(await request.read())
        return web.Response(status=201)

    async def get(request: web.Request) -> web.StreamResponse:
        file = tmp_path / request.match_info["name"]
        if not file.exists():
            raise web.HTTPNotFound
        return web.FileResponse(file) if ranges else web.Response(body=file.read_bytes())

    app = web.Application()
    app.router.add_put("/{name}", put)
    app.router.add_get("/{name}", get)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with HttpClient(AddressPolicy(allow_insecure=True, allow_private=True)) as http:
        yield Side(http, f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "the file itself"
    path.write_bytes(CONTENT)
    return path


async def test_an_uploaded_file_is_downloaded_unchanged(side: Side, file: Path) -> None:
    url = f"{side.base}/a%20b.bin"
    await side.http.put(Slot(url, url), file, "application/octet-stream")
    async with side.http.get(url) as download:
        assert download.size == len(CONTENT)
        assert download.name == "a b.bin"
        assert b"".join([chunk async for chunk in download.chunks()]) == CONTENT


@pytest.mark.parametrize("offset", [1, len(CONTENT) // 2, len(CONTENT) - 1])
async def test_a_download_begins_at_the_offset_whatever_the_server_can_do(
    side: Side, file: Path, offset: int
) -> None:
    url = f"{side.base}/a.bin"
    await side.http.put(Slot(url, url), file, "application/octet-stream")
    async with side.http.get(url, offset) as download:
        assert download.size == len(CONTENT)
        assert download.late_hashes == {}
        assert b"".join([chunk async for chunk in download.chunks()]) == CONTENT[offset:]


async def test_a_file_that_is_shorter_than_the_offset_is_another_one(side: Side, file: Path) -> None:
    url = f"{side.base}/a.bin"
    await side.http.put(Slot(url, url), file, "application/octet-stream")
    with pytest.raises(PeerProtocolError):
        async with side.http.get(url, len(CONTENT) + 1):
            pass


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


async def test_a_request_has_the_whole_answer_with_any_status(side: Side, file: Path) -> None:
    url = f"{side.base}/a.bin"
    await side.http.put(Slot(url, url), file, "application/octet-stream")
    answer = await side.http.request(HttpRequest("GET", url), most_bytes=len(CONTENT), limit_s=30)
    assert (answer.status, answer.ok, answer.body) == (200, True, CONTENT)
    missing = HttpRequest("GET", f"{side.base}/missing")
    assert (await side.http.request(missing, most_bytes=10_000, limit_s=30)).status == 404


async def test_an_answer_to_a_request_that_is_too_large_is_an_error(side: Side, file: Path) -> None:
    url = f"{side.base}/a.bin"
    await side.http.put(Slot(url, url), file, "application/octet-stream")
    with pytest.raises(TransferError, match="more than 255999 bytes"):
        await side.http.request(HttpRequest("GET", url), most_bytes=len(CONTENT) - 1, limit_s=30)
