"""Upload services that are odd: how often a file is uploaded, and what people hear."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from filebot.delivery import upload_links
from filebot.model import Slot
from filebot.testing import FakeBot
from filebot.testing.http import MemoryWeb
from filebot.testing.xmpp import FakeUploadService
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient


class UploadHost:
    """Web server of an upload service, with a bot that uses it."""

    def __init__(self, to_head: Callable[[], web.StreamResponse] | None, *, losses: int = 0) -> None:
        self._to_head = to_head
        self._losses = losses
        self.puts = 0
        self.files: dict[str, bytes] = {}

    async def put(self, request: web.Request) -> web.Response:
        self.puts += 1
        body = await request.read()
        if self.puts > self._losses:
            self.files[request.path] = body
        return web.Response(status=201)

    async def get(self, request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD" and self._to_head is not None:
            return self._to_head()
        body = self.files.get(request.path)
        if body is None:
            raise web.HTTPNotFound
        if request.headers.get("Range") == "bytes=0-0":
            return web.Response(
                status=206, body=body[:1], headers={"Content-Range": f"bytes 0-0/{len(body)}"}
            )
        return web.Response(body=body)


class Uploading(MemoryWeb):
    """Web in memory whose uploads are real ones."""

    def __init__(self, client: HttpClient) -> None:
        super().__init__()
        self._client = client

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        await self._client.put(slot, file, media_type, moved)

    async def alive(self, url: str, size: int) -> bool | None:
        return await self._client.alive(url, size)


@pytest.fixture
async def host(request: pytest.FixtureRequest) -> AsyncIterator[tuple[UploadHost, str]]:
    served: UploadHost = request.param()
    app = web.Application()
    app.router.add_put("/{number}/{name}", served.put)
    app.router.add_get("/{number}/{name}", served.get)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield served, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@asynccontextmanager
async def uploading_bot(
    base: str, monkeypatch: pytest.MonkeyPatch, *, allow_private: bool = True
) -> AsyncIterator[FakeBot]:
    """Run a bot whose service gives slots there."""
    given = FakeUploadService.slot
    policy = AddressPolicy(allow_insecure=True, allow_private=allow_private)
    monkeypatch.setattr(upload_links, "SETTLE_S", 0.01)
    async with HttpClient(policy) as client, FakeBot(web=Uploading(client)) as bot:

        async def slot(name: str, size: int, media_type: str) -> Slot:
            made = await given(bot.uploads, name, size, media_type)
            url = made.get_url.replace("https://upload.example.org", base)
            return Slot(url, url)

        monkeypatch.setattr(bot.uploads, "slot", slot)
        yield bot


@pytest.mark.parametrize(
    "host",
    [
        lambda: UploadHost(lambda: web.Response(status=405)),
        lambda: UploadHost(lambda: web.Response(status=403)),
        lambda: UploadHost(lambda: web.Response(status=501)),
        lambda: UploadHost(lambda: web.Response(headers={"Content-Length": "0"})),
        lambda: UploadHost(web.StreamResponse),
        lambda: UploadHost(None),
    ],
    indirect=True,
)
async def test_three_gets_are_one_upload(
    host: tuple[UploadHost, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, base = host
    async with uploading_bot(base, monkeypatch) as bot:
        await bot.drop("a.txt", b"content")
        for _ in range(3):
            await bot.say("get a.txt")
        assert len({each.url for each in bot.sent}) == 1
        assert len(bot.sent) == 3
    assert served.puts == 1


@pytest.mark.parametrize("host", [lambda: UploadHost(None, losses=1)], indirect=True)
async def test_a_dead_link_is_not_told(
    host: tuple[UploadHost, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, base = host
    async with uploading_bot(base, monkeypatch) as bot:
        await bot.drop("a.txt", b"content")
        await bot.say("get a.txt")
        assert [each.url for each in bot.sent] == [base + "/1/a.txt"]
    assert served.puts == 2


@pytest.mark.parametrize("host", [lambda: UploadHost(None, losses=99)], indirect=True)
async def test_links_that_are_dead_twice_are_said(
    host: tuple[UploadHost, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, base = host
    async with uploading_bot(base, monkeypatch) as bot:
        await bot.drop("a.txt", b"content")
        [said] = await bot.say("get a.txt by http")
        assert bot.sent == []
    assert "127.0.0.1 took the upload, but its link leads nowhere" in said
    assert served.puts == 2


@pytest.mark.parametrize("host", [lambda: UploadHost(None)], indirect=True)
async def test_nobody_hears_of_a_link_that_they_never_wrote(
    host: tuple[UploadHost, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, base = host
    async with uploading_bot(base, monkeypatch, allow_private=False) as bot:
        await bot.drop("a.txt", b"content")
        [said] = await bot.say("get a.txt by http")
    assert "That link" not in said
    assert "my server's upload service" in said
    assert "operator" in said
    assert served.puts == 0
