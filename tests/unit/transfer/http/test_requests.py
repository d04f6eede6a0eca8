"""Requests of plugins to servers that are real, slow, endless or somewhere forbidden."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from filebot.errors import ForbiddenTarget, PeerGone, TransferError
from filebot.model import HttpRequest, HttpResponse
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient

LAX = AddressPolicy(allow_insecure=True, allow_private=True)
SEEN: list[tuple[str, dict[str, str], bytes]] = []


async def note(request: web.Request) -> web.Response:
    SEEN.append((request.method, dict(request.headers), await request.read()))
    return web.json_response({"seen": len(SEEN)}, status=202, headers={"X-Odd": "é"})


async def lead_on(request: web.Request) -> web.Response:
    SEEN.append((request.method, dict(request.headers), b""))
    raise web.HTTPFound(request.query["to"])


async def hang(request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(10_000))


@pytest.fixture
async def servers() -> AsyncIterator[list[str]]:
    """Two servers, so that one can lead on to the other."""
    SEEN.clear()
    bases = list[str]()
    async with AsyncExitStack() as stack:
        for _ in range(2):
            app = web.Application()
            app.router.add_route("*", "/note", note)
            app.router.add_route("*", "/lead-on", lead_on)
            app.router.add_get("/hang", hang)
            app.router.add_get("/endless", endless)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            bases.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        yield bases


async def sent(request: HttpRequest, policy: AddressPolicy = LAX, **limits: float) -> HttpResponse:
    async with HttpClient(policy) as client:
        return await client.request(
            request, most_bytes=int(limits.get("most_bytes", 1000)), limit_s=limits.get("limit_s", 20)
        )


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_arrives_as_it_is(servers: list[str], method: str) -> None:
    request = HttpRequest(method, f"{servers[0]}/note", {"Content-Type": "text/odd", "X-Key": "k"}, b"\0a")
    answer = await sent(request)
    assert (answer.status, answer.json(), answer.headers["content-type"]) == (
        202,
        {"seen": 1},
        "application/json; charset=utf-8",
    )
    [(seen, headers, body)] = SEEN
    assert (seen, headers["Content-Type"], headers["X-Key"], body) == (method, "text/odd", "k", b"\0a")
    assert headers["User-Agent"] == "filebot"


async def test_a_redirect_of_a_get_is_followed_without_its_headers_elsewhere(servers: list[str]) -> None:
    here, there = servers
    secret = {"Authorization": "Bearer secret"}
    answer = await sent(HttpRequest("GET", f"{here}/lead-on?to={here}/note", secret))
    assert answer.status == 202
    answer = await sent(HttpRequest("GET", f"{here}/lead-on?to={there}/note", secret))
    assert answer.status == 202
    assert ["Authorization" in headers for _, headers, _ in SEEN] == [True, True, True, False]


async def test_a_redirect_of_a_post_is_the_answer(servers: list[str]) -> None:
    answer = await sent(HttpRequest("POST", f"{servers[0]}/lead-on?to={servers[1]}/note", {}, b"a"))
    assert (answer.status, answer.headers["location"]) == (302, f"{servers[1]}/note")
    assert len(SEEN) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("url", "policy", "reason"),
    [
        ("https://127.0.0.1/", AddressPolicy(), "private"),
        ("https://localhost/", AddressPolicy(), "private"),
        ("https://169.254.169.254/latest", AddressPolicy(), "private"),
        ("http://example.org/", AddressPolicy(), "insecure"),
        ("ftp://example.org/", AddressPolicy(), "scheme"),
        ("https://user:word@example.org/", AddressPolicy(), "malformed"),
    ],
)
async def test_the_address_policy_holds(url: str, policy: AddressPolicy, reason: str, method: str) -> None:
    with pytest.raises(ForbiddenTarget, match=reason):
        await sent(HttpRequest(method, url), policy)


async def test_a_redirect_into_the_operators_network_is_not_followed(servers: list[str]) -> None:
    class OneAlone(AddressPolicy):
        """Policy that takes the first server for a public one."""

        def _check_host(self, host: str) -> None:
            if host != "127.0.0.1":
                raise ForbiddenTarget(reason="private")

    for to in ("http://10.0.0.1/", "http://[::1]/", "file:///etc/passwd"):
        with pytest.raises(ForbiddenTarget):
            await sent(HttpRequest("GET", f"{servers[0]}/lead-on?to={to}"), OneAlone(True, True))


async def test_an_answer_has_a_limit_in_time_and_bytes(servers: list[str]) -> None:
    with pytest.raises(TransferError, match=r"no whole answer within 0\.2 s"):
        await sent(HttpRequest("GET", f"{servers[0]}/hang"), limit_s=0.2)
    with pytest.raises(TransferError, match="more than 100000 bytes"):
        await sent(HttpRequest("GET", f"{servers[0]}/endless"), most_bytes=100_000)


async def test_a_server_that_is_not_there_is_gone() -> None:
    with pytest.raises(PeerGone):
        await sent(HttpRequest("POST", "http://127.0.0.1:9/", {}, b"a"))
