"""HTTP for plugins, in a fake bot."""

import asyncio
from typing import Any

import pytest

from filebot.errors import PeerGone, PluginError, TransferError
from filebot.model import HttpRequest, HttpResponse
from filebot.plugin import Context, Plugin
from filebot.plugin import http as plugin_http
from filebot.testing import FakeBot
from filebot.testing.http import MemoryWeb
from tests.support.manual import example

URL = "https://api.example.org/v1"


async def answered(bot: FakeBot, *args: Any, method: str = "post", **named: Any) -> HttpResponse:
    """Return the answer to a request of a plugin that is called caller."""
    ctx = await bot_context(bot)
    answer = await getattr(ctx.http, method)(*args, **named)
    assert isinstance(answer, HttpResponse)
    return answer


CONTEXTS: list[Context[None]] = []
caller = Plugin[None]("caller", api=1, needs={"http"})


@caller.command("call", usage="call")
async def call(ctx: Context[None]) -> None:
    """Lend the context to a test."""
    CONTEXTS.append(ctx)


async def bot_context(bot: FakeBot) -> Context[None]:
    await bot.say("call")
    return CONTEXTS.pop()


async def test_the_example_of_http_works() -> None:
    async with FakeBot(example("weather").plugin) as bot:
        bot.web.answers["https://weather.example.org/now?at=Lima"] = HttpResponse(
            200, {}, b'{"degrees": 21}'
        )
        assert await bot.say("weather at Lima") == ["21 degrees."]
        assert await bot.say("weather at Oslo") == ["Nobody knows."]
    assert [each.method for each in bot.web.requests] == ["GET", "GET"]


async def test_a_value_is_sent_as_json_and_bytes_as_they_are() -> None:
    async with FakeBot(caller) as bot:
        bot.web.answers[URL] = HttpResponse(201, {"x-id": "1"}, b"ok")
        answer = await answered(bot, URL, json={"a": 1}, headers={"X-Key": "k"})
        assert (answer.ok, answer.text, answer.headers["x-id"]) == (True, "ok", "1")
        await answered(bot, URL, b"\0", method="put")
        await answered(bot, URL, b"<a/>", headers={"content-type": "text/xml"})
    first, second, third = bot.web.requests
    assert (first.method, first.json()) == ("POST", {"a": 1})
    assert first.headers == {"Content-Type": "application/json", "X-Key": "k"}
    assert second == HttpRequest("PUT", URL, {"Content-Type": "application/octet-stream"}, b"\0")
    assert third.headers == {"content-type": "text/xml"}


@pytest.mark.parametrize(
    ("named", "mistake"),
    [
        ({"json": object()}, "sends what is no JSON"),
        ({"body": bytes(4 * 1024 * 1024 + 1)}, "sends 4194305 bytes by HTTP, more than 4194304"),
        ({"headers": {"Host": "internal"}}, "may not send the header 'Host'"),
        ({"headers": {"X-A": "b\r\nHost: c"}}, "may not send the header 'X-A'"),
        ({"headers": {"X A": "b"}}, "may not send the header 'X A'"),
        ({"most_bytes": 5_000_000}, "wants 5000000 and 30"),
        ({"limit_s": 121}, "wants 1048576 and 121"),
        ({"limit_s": 0}, "wants 1048576 and 0"),
    ],
)
async def test_what_is_out_of_bounds_is_an_error_of_the_plugin(named: dict[str, Any], mistake: str) -> None:
    async with FakeBot(caller) as bot:
        with pytest.raises(PluginError, match=mistake):
            await answered(bot, URL, **named)
    assert bot.web.requests == []


async def test_the_fake_web_fails_as_a_real_one_does() -> None:
    async with FakeBot(caller) as bot:
        bot.web.answers[URL] = PeerGone("no such host")
        with pytest.raises(PeerGone):
            await answered(bot, URL)
        bot.web.answers[URL] = HttpResponse(200, {}, bytes(11))
        with pytest.raises(TransferError, match="more than 10 bytes"):
            await answered(bot, URL, most_bytes=10)
        for url in ("http://api.example.org/", "https://10.0.0.1/", "file:///etc/passwd"):
            with pytest.raises(TransferError):
                await answered(bot, url, method="get")
        assert (await answered(bot, "https://example.org/", method="get")).status == 404


async def test_requests_of_one_plugin_are_few_at_once() -> None:
    go, waiting = asyncio.Event(), list[str]()

    class SlowWeb(MemoryWeb):
        async def request(self, request: HttpRequest, *, most_bytes: int, limit_s: float) -> HttpResponse:
            waiting.append(request.url)
            await go.wait()
            return HttpResponse(200)

    async with FakeBot(caller, web=SlowWeb()) as bot:
        ctx = await bot_context(bot)
        calls = [asyncio.create_task(ctx.http.get(URL)) for _ in range(10)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(waiting) == plugin_http.PLACES.per_person
        go.set()
        assert [each.status for each in await asyncio.gather(*calls)] == [200] * 10


async def test_what_is_not_declared_is_refused() -> None:
    plugin = Plugin[None]("sly", api=1)

    @plugin.command("call", usage="call")
    async def reach_out(ctx: Context[None]) -> None:
        """Call."""
        await ctx.http.get(URL)

    with pytest.raises(PluginError, match=r'ctx\.http\.get .* needs "http"'):
        FakeBot(plugin)
