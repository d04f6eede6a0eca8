"""Downloads from servers that break, lie and stall."""

import asyncio
from contextlib import suppress

import pytest

from filebot.errors import (
    ForbiddenTarget,
    PeerGone,
    PeerProtocolError,
    Refused,
    SizeMismatch,
    TransferError,
    TransferTimeout,
    Unresumable,
)
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient
from tests.support.virtual_time import in_virtual_time
from tests.support.waiting import loop_turns, until_answered
from tests.unit.transfer.http.conftest import LAX, fetched
from tests.unit.transfer.raw_server import Connection, Script, ok, raw_server, sends

pytestmark = pytest.mark.usefixtures("_hasty")


BODY = bytes(range(256)) * 4000  # 1,024,000 bytes


async def half_then(connection: Connection, *headers: str) -> None:
    """Half of the body, so that the client has read it before the connection breaks."""
    await connection.send(ok(len(BODY), *headers), BODY[: len(BODY) // 2])
    await asyncio.sleep(0.05)


def rest_of(*headers: str) -> Script:
    async def script(connection: Connection) -> None:
        wanted = connection.header("Range")
        assert wanted is not None
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        head = ok(
            len(BODY) - start,
            f"Content-Range: bytes {start}-{len(BODY) - 1}/{len(BODY)}",
            *headers,
            status="206 Partial Content",
        )
        await connection.send(head, BODY[start:])

    return script


async def test_a_download_tells_size_name_and_type(client: HttpClient) -> None:
    answer = sends(ok(3, "Content-Type: text/plain; charset=utf-8"), b"abc")
    async with raw_server(answer) as server, client.get(server.url + "/up/a%20b.txt?key=1#f") as download:
        assert (download.size, download.name, download.media_type) == (3, "a b.txt", "text/plain")
        assert [piece async for piece in download.chunks()] == [b"abc"]
        (head,) = server.heads
    assert head.startswith("GET /up/a%20b.txt?key=1 HTTP/1.1\r\n")
    assert "Accept-Encoding: identity" in head
    assert "Range" not in head


async def test_an_escaped_url_goes_out_as_it_came(client: HttpClient) -> None:
    """Quoting anew would break signed URLs."""
    async with raw_server(sends(ok(0))) as server:
        await fetched(client, server.url + "/%7Ea%2Db/x%2fy?sig=%2B+%7e")
        assert server.heads[0].startswith("GET /%7Ea%2Db/x%2fy?sig=%2B+%7e HTTP/1.1")


async def test_a_chunked_answer_has_no_size(client: HttpClient) -> None:
    answer = sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    async with raw_server(answer) as server, client.get(server.url) as download:
        assert download.size is None
        assert download.name is None
        assert download.media_type is None
        assert b"".join([piece async for piece in download.chunks()]) == b"abcde"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%BC.txt", "ü.txt"),
        ('attachment; filename="../../etc/passwd"', "../../etc/passwd"),  # raw: safe_name comes later
        ("inline; filename=x.txt", "x.txt"),
        ("attachment; filename*=no-such-charset''x; filename", "last"),
        ("attachment; filename*=UTF-8''%ff%fe", "last"),
        (";;;===", "last"),
        ('attachment; filename="' + "x" * 5000 + '"', "x" * 5000),
        ("attachment; filename*0=a; filename*1=b", "ab"),
    ],
)
async def test_the_name_is_the_servers_if_it_can_be_read(
    client: HttpClient, disposition: str, name: str
) -> None:
    async with (
        raw_server(sends(ok(0, f"Content-Disposition: {disposition}"))) as server,
        client.get(server.url + "/x/last") as download,
    ):
        assert download.name == name


async def test_cookies_are_not_kept(client: HttpClient) -> None:
    async with raw_server(sends(ok(0, "Set-Cookie: a=b"))) as server:
        await fetched(client, server.url)
        await fetched(client, server.url)
        assert not any("Cookie" in head for head in server.heads)


@pytest.mark.parametrize("status", [204, 206, 401, 404, 410, 416, 500])
async def test_another_status_is_a_refusal(client: HttpClient, status: int) -> None:
    async with raw_server(sends(ok(0, status=f"{status} Whatever"))) as server:
        with pytest.raises(Refused) as caught:
            await fetched(client, server.url)
    assert caught.value.status == status


# --- broken connections -----------------------------------------------------------------------------


async def test_a_broken_download_goes_on_where_it_broke(client: HttpClient) -> None:
    async def breaks(connection: Connection) -> None:
        await half_then(connection, 'ETag: "v1"')
        connection.cut()

    async with raw_server(breaks, rest_of('ETag: "v1"')) as server:
        assert await fetched(client, server.url) == BODY
        assert len(server.heads) == 2
        assert 'If-Range: "v1"' in server.heads[1]
        assert "bytes=0-" not in server.heads[1]


async def test_a_break_before_the_first_byte_asks_for_everything_again(client: HttpClient) -> None:
    async with raw_server(sends(ok(len(BODY))), sends(ok(len(BODY)), BODY)) as server:
        assert await fetched(client, server.url) == BODY
        assert "Range" not in server.heads[1]


async def test_a_server_without_ranges_sends_all_again(client: HttpClient) -> None:
    async with raw_server(half_then, sends(ok(len(BODY)), BODY)) as server:
        assert await fetched(client, server.url, hashed=True) == BODY
        assert "Range: bytes=" in server.heads[1]
        assert "If-Range" not in server.heads[1]


async def test_a_server_that_refuses_ranges_is_asked_without(client: HttpClient) -> None:
    refuses = sends(ok(0, status="416 Range Not Satisfiable"))
    async with raw_server(half_then, refuses, sends(ok(len(BODY)), BODY)) as server:
        assert await fetched(client, server.url, hashed=True) == BODY
        assert "Range" not in server.heads[2]


async def test_a_server_that_restarts_is_given_time(client: HttpClient) -> None:
    busy = sends(ok(0, status="503 Service Unavailable"))
    async with raw_server(half_then, busy, busy, rest_of()) as server:
        assert await fetched(client, server.url, hashed=True) == BODY


@pytest.mark.parametrize(
    "second",
    [
        sends(ok(5, "Content-Range: bytes 0-4/1024000", status="206 x"), b"abcde"),
        sends(ok(5, "Content-Range: bytes 600000-600004/1024000", status="206 x"), b"abcde"),
        sends(ok(5, "Content-Range: bytes */1024000", status="206 x"), b"abcde"),
        sends(ok(5, "Content-Range: bytes 512000-512004/999", status="206 x"), b"abcde"),
        sends(ok(5, "Content-Range: bytes 512000-512004/2048000", status="206 x"), b"abcde"),
        sends(ok(5, "Content-Type: multipart/byteranges; boundary=x", status="206 x"), b"abcde"),
        sends(ok(7), b"another"),
        sends(ok(len(BODY), 'ETag: "v2"'), BODY),
        sends(ok(len(BODY)), BODY),
    ],
)
async def test_a_part_that_does_not_fit_is_not_joined(client: HttpClient, second: Script) -> None:
    async def breaks(connection: Connection) -> None:
        await half_then(connection, 'ETag: "v1"')

    async with raw_server(breaks, second) as server:
        with pytest.raises((PeerProtocolError, Unresumable)) as caught:
            await fetched(client, server.url)
        assert len(server.heads) == 2
    assert not isinstance(caught.value, SizeMismatch)


async def test_a_file_that_vanished_meanwhile_is_a_refusal(client: HttpClient) -> None:
    async with raw_server(half_then, sends(ok(0, status="404 Gone"))) as server:
        with pytest.raises(Refused):
            await fetched(client, server.url, hashed=True)


async def test_fewer_bytes_than_announced_are_told_after_the_retries(client: HttpClient) -> None:
    async with raw_server(sends(ok(10), b"abc")) as server:
        with pytest.raises((SizeMismatch, PeerGone)):
            await fetched(client, server.url, hashed=True)
        assert len(server.heads) == 4


async def test_a_part_shorter_than_the_file_is_too_few_bytes_too(client: HttpClient) -> None:
    short = sends(ok(5, "Content-Range: bytes 512000-512004/1024000", status="206 x"), b"abcde")
    async with raw_server(half_then, short) as server:
        with pytest.raises(PeerProtocolError):
            await fetched(client, server.url, hashed=True)


async def test_bytes_beyond_the_announced_ones_are_not_taken(client: HttpClient) -> None:
    async with raw_server(sends(ok(3), b"abcdef")) as server:
        with suppress(TransferError):  # as good
            assert await fetched(client, server.url) == b"abc"


async def test_a_chunked_answer_cut_short_is_no_whole_file(client: HttpClient) -> None:
    async with raw_server(
        sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc")
    ) as server:
        with pytest.raises(TransferError):
            await fetched(client, server.url)


# --- what is joined without a hash ------------------------------------------------------------------

MONDAY, TUESDAY = "Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT"


def saved(on: str) -> str:
    return f"Last-Modified: {on}"


class Breaking:
    """Begins to send a file and breaks when the client has what came."""

    def __init__(self, *headers: str, size: int | None = len(BODY)) -> None:
        """Without a ``size`` the file comes in chunks, and nobody is told how large it is."""
        length = "Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"
        self._head = "\r\n".join(["HTTP/1.1 200 OK", length, *headers, "", ""])
        self._frame = (b"64\r\n", b"\r\n") if size is None else (b"", b"")
        self._has_come = asyncio.Event()

    async def __call__(self, connection: Connection) -> None:
        await connection.send(self._head, self._frame[0] + BODY[:100] + self._frame[1])
        await self._has_come.wait()

    async def fetched(self, client: HttpClient, url: str, *, hashed: bool = False) -> bytes:
        got = b""
        async with client.get(url, hashed=hashed) as download:
            async for piece in download.chunks():
                got += piece
                self._has_come.set()
        return got


async def cuts(connection: Connection) -> None:
    connection.cut()


@pytest.mark.parametrize("answer", [rest_of(saved(MONDAY)), sends(ok(len(BODY), saved(MONDAY)), BODY)])
async def test_a_file_that_has_not_changed_since_is_gone_on_with(
    client: HttpClient, answer: Script
) -> None:
    breaks = Breaking(saved(MONDAY), f"Date: {TUESDAY}")
    async with raw_server(breaks, answer) as server:
        assert await breaks.fetched(client, server.url) == BODY
        assert f"If-Range: {MONDAY}" in server.heads[1]


@pytest.mark.parametrize("answer", [rest_of(saved(TUESDAY)), sends(ok(len(BODY), saved(TUESDAY)), BODY)])
async def test_a_file_that_has_changed_since_is_not(client: HttpClient, answer: Script) -> None:
    breaks = Breaking(saved(MONDAY))
    async with raw_server(breaks, answer) as server:
        with pytest.raises(Unresumable):
            await breaks.fetched(client, server.url)
        assert len(server.heads) == 2


@pytest.mark.parametrize("size", [len(BODY), None])
async def test_nothing_is_joined_to_what_cannot_be_recognized(client: HttpClient, size: int | None) -> None:
    breaks = Breaking(size=size)
    async with raw_server(breaks, rest_of()) as server:
        with pytest.raises(Unresumable):
            await breaks.fetched(client, server.url)
        assert len(server.heads) == 1


@pytest.mark.parametrize("size", [len(BODY), None])
async def test_a_hash_lets_a_download_resume_without_entity_tag(
    client: HttpClient, size: int | None
) -> None:
    breaks = Breaking(size=size)
    async with raw_server(breaks, rest_of()) as server:
        assert await breaks.fetched(client, server.url, hashed=True) == BODY


@pytest.mark.parametrize("hashed", [True, False])
async def test_the_end_of_a_part_is_not_taken_for_the_end_of_the_file(
    client: HttpClient, *, hashed: bool
) -> None:
    breaks = Breaking('ETag: "v1"', size=None)
    part = ok(50, "Content-Range: bytes 100-149/1024000", 'ETag: "v1"', status="206 Partial Content")
    async with raw_server(breaks, sends(part, BODY[100:150]), cuts) as server:
        with pytest.raises(SizeMismatch) as caught:
            await breaks.fetched(client, server.url, hashed=hashed)
    assert (caught.value.announced_bytes, caught.value.received_bytes) == (len(BODY), 150)


async def test_a_part_of_a_file_of_unknown_size_is_not_joined(client: HttpClient) -> None:
    breaks = Breaking('ETag: "v1"', size=None)
    part = ok(50, "Content-Range: bytes 100-149/*", 'ETag: "v1"', status="206 Partial Content")
    async with raw_server(breaks, sends(part, BODY[100:150])) as server:
        with pytest.raises(PeerProtocolError):
            await breaks.fetched(client, server.url)


# --- standstill, and no end -------------------------------------------------------------------------


async def stall(connection: Connection) -> None:
    await asyncio.sleep(3600)


@in_virtual_time
async def test_no_answer_is_a_timeout() -> None:
    async with HttpClient(LAX, idle_s=60.0) as client, raw_server(stall) as server:
        with pytest.raises(TransferTimeout):
            await fetched(client, server.url)


@in_virtual_time
async def test_a_stall_in_the_middle_is_a_timeout() -> None:
    async def stalls(connection: Connection) -> None:
        await connection.send(ok(10), b"abc")
        await stall(connection)

    async with HttpClient(LAX, idle_s=60.0) as client, raw_server(stalls) as server:
        with pytest.raises(TransferTimeout):
            await fetched(client, server.url)


@in_virtual_time
async def test_a_slow_server_is_no_stall() -> None:
    async def trickles(connection: Connection) -> None:
        await connection.send(ok(8))
        for _ in range(8):
            await connection.send(b"x")
            await asyncio.sleep(12)

    async with HttpClient(LAX, idle_s=60.0) as client, raw_server(trickles) as server:
        assert await fetched(client, server.url) == b"x" * 8


async def hints(connection: Connection) -> None:
    while True:
        await connection.send("HTTP/1.1 103 Early Hints\r\n\r\n")
        await asyncio.sleep(10)


async def headers_one_by_one(connection: Connection) -> None:
    await connection.send("HTTP/1.1 200 OK\r\n")
    for number in range(100):
        await connection.send(f"X-{number}: a\r\n")
        await asyncio.sleep(10)


async def redirects_slowly(connection: Connection) -> None:
    await asyncio.sleep(50)
    path = connection.head.split()[1]
    await connection.send(ok(0, f"Location: {path}x", status="302 Found"))


@pytest.mark.parametrize("script", [hints, headers_one_by_one, redirects_slowly])
@in_virtual_time
async def test_an_answer_has_to_begin_some_time(script: Script) -> None:
    async with HttpClient(LAX, idle_s=60.0) as client, raw_server(script) as server:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TransferError, match="no answer"):
            await fetched(client, server.url)
        assert asyncio.get_running_loop().time() - began == pytest.approx(120, abs=1)
        assert not await client.alive(server.url, 3)


@in_virtual_time
async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    async def slow(connection: Connection) -> None:
        await connection.send(ok(10))
        for _ in range(10):
            await asyncio.sleep(50)
            await connection.send(b"x")

    async with HttpClient(LAX, idle_s=60.0) as client, raw_server(slow) as server:
        assert await fetched(client, server.url) == b"x" * 10


@in_virtual_time
async def test_a_slow_reader_is_no_stall() -> None:
    async with (
        HttpClient(LAX, idle_s=60.0) as client,
        raw_server(sends(ok(10 * len(BODY)), BODY * 10)) as server,
        client.get(server.url) as download,
    ):
        size = 0
        async for piece in download.chunks():
            size += len(piece)
            if size < 2 * len(BODY):
                await asyncio.sleep(80)
        assert size == 10 * len(BODY)


async def test_an_endless_answer_is_read_only_as_far_as_the_caller_wants(client: HttpClient) -> None:
    sent = 0

    async def endless(connection: Connection) -> None:
        nonlocal sent
        await connection.send("HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await connection.send(BODY)
            sent += len(BODY)

    async def is_held_back() -> bool:
        before = sent
        await loop_turns(1000)
        return sent == before

    async with raw_server(endless) as server, client.get(server.url) as download:
        async for _ in download.chunks():
            break
        await until_answered(is_held_back)


async def test_cancelling_closes_the_connection(client: HttpClient) -> None:
    asked, closed = asyncio.Event(), asyncio.Event()

    async def watches(connection: Connection) -> None:
        await connection.send(ok(10), b"abc")
        asked.set()
        await connection.reader.read()
        closed.set()

    async with raw_server(watches) as server:
        task = asyncio.create_task(fetched(client, server.url))
        await asked.wait()
        await loop_turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closed.wait(), 30)


# --- what is no HTTP, and nobody there --------------------------------------------------------------


async def test_what_is_no_http_breaks_the_protocol(client: HttpClient) -> None:
    async with raw_server(sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as server:
        with pytest.raises(PeerProtocolError):
            await fetched(client, server.url)


async def test_a_closed_port_is_a_peer_gone(client: HttpClient) -> None:
    async with raw_server(stall) as server:
        pass
    with pytest.raises(PeerGone):
        await fetched(client, server.url)


async def test_an_unknown_host_is_a_peer_gone(client: HttpClient) -> None:
    with pytest.raises(PeerGone):
        await fetched(client, "http://no-such-host.invalid/x")


# --- redirects --------------------------------------------------------------------------------------


def moved(to: str) -> Script:
    return sends(ok(0, f"Location: {to}", status="302 Found"))


async def test_redirects_are_followed_and_the_name_stays_the_first_urls(client: HttpClient) -> None:
    async with (
        raw_server(moved("../b?x=%2B"), sends(ok(3), b"abc")) as server,
        client.get(server.url + "/a/name.txt") as download,
    ):
        assert [piece async for piece in download.chunks()] == [b"abc"]
        assert download.name == "name.txt"
        assert server.heads[1].startswith("GET /b?x=%2B ")


async def test_redirects_end(client: HttpClient) -> None:
    async with raw_server(moved("/again")) as server:
        with pytest.raises(ForbiddenTarget) as caught:
            await fetched(client, server.url)
        assert caught.value.reason == "redirect_loop"
        assert len(server.heads) == 2


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("file:///etc/passwd", "scheme"),
        ("ftp://127.0.0.1/", "scheme"),
        ("http://[::1/", "malformed"),
        ("http://user:pw@127.0.0.1/", "malformed"),
    ],
)
async def test_a_redirect_is_checked_like_any_url(client: HttpClient, to: str, reason: str) -> None:
    async with raw_server(moved(to)) as server:
        with pytest.raises(ForbiddenTarget) as caught:
            await fetched(client, server.url)
    assert caught.value.reason == reason


async def test_a_redirect_into_the_own_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat 127.0.0.1 as public; the redirect goes to 127.0.0.2, which is not."""
    allows = AddressPolicy.allows
    monkeypatch.setattr(
        AddressPolicy, "allows", lambda self, address: address == "127.0.0.1" or allows(self, address)
    )
    async with raw_server(moved("http://127.0.0.2/")) as server, HttpClient(AddressPolicy(True)) as client:
        with pytest.raises(ForbiddenTarget) as caught:
            await fetched(client, server.url)
    assert caught.value.reason == "private"


async def test_a_redirect_without_a_place_is_a_refusal(client: HttpClient) -> None:
    async with raw_server(sends(ok(0, status="302 Found"))) as server:
        with pytest.raises(Refused):
            await fetched(client, server.url)


async def test_nothing_private_is_connected_to_by_default() -> None:
    async with raw_server(sends(ok(0))) as server, HttpClient(AddressPolicy(allow_insecure=True)) as client:
        for url in (server.url, f"http://localhost:{server.port}/"):
            with pytest.raises(ForbiddenTarget) as caught:
                await fetched(client, url)
            assert caught.value.reason == "private"
        assert server.heads == []


# --- alive ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "alive"),
    [
        (ok(3), True),
        (ok(4), False),
        ("HTTP/1.1 200 OK\r\n\r\n", False),
        (ok(3, status="404 Not Found"), False),
        (ok(3, status="206 x"), False),
        ("nonsense\r\n\r\n", False),
        ("", False),
        (ok(3, "Location: file:///etc/passwd", status="302 x"), False),
    ],
)
async def test_alive_is_a_head_with_the_right_size(client: HttpClient, answer: str, *, alive: bool) -> None:
    async with raw_server(sends(answer)) as server:
        assert bool(await client.alive(server.url + "/x", 3)) is alive
        assert server.heads[0].startswith("HEAD /x HTTP/1.1")


@pytest.mark.parametrize("head", [ok(0, status="405 x"), ok(0, status="403 x"), "HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize(
    ("answer", "alive"),
    [
        (ok(1, "Content-Range: bytes 0-0/3", status="206 x"), True),
        (ok(1, "Content-Range: bytes 0-0/4", status="206 x"), False),
        (ok(1, status="206 x"), False),
        (ok(3), True),
        (ok(0, status="404 x"), False),
        (ok(3, status="403 x"), False),
    ],
)
async def test_where_a_head_says_little_a_byte_is_asked_for(
    client: HttpClient, head: str, answer: str, *, alive: bool
) -> None:
    async with raw_server(sends(head), sends(answer)) as server:
        assert bool(await client.alive(server.url + "/x", 3)) is alive
        assert server.heads[1].startswith("GET /x HTTP/1.1")
        assert "Range: bytes=0-0" in server.heads[1]


async def test_nobody_there_is_not_alive() -> None:
    async with HttpClient(LAX, idle_s=0.5) as client:
        async with raw_server(stall) as server:
            assert not await client.alive(server.url, 3)
        assert not await client.alive(server.url, 3)
        assert not await client.alive("ftp://x/", 3)


# --- beginning where an earlier download ended -------------------------------------------------------


async def test_the_rest_is_asked_for_and_the_size_is_that_of_the_whole(client: HttpClient) -> None:
    async with raw_server(rest_of()) as server:
        async with client.get(server.url, 1000) as download:
            assert download.size == len(BODY)
            assert b"".join([piece async for piece in download.chunks()]) == BODY[1000:]
        assert "Range: bytes=1000-\r\n" in server.heads[0]
        assert "If-Range" not in server.heads[0]


async def test_a_server_without_ranges_sends_all_and_the_known_part_is_skipped(client: HttpClient) -> None:
    async with raw_server(sends(ok(len(BODY)), BODY)) as server:
        assert await fetched(client, server.url, 1000) == BODY[1000:]


async def test_a_server_that_refuses_the_rest_is_asked_for_all(client: HttpClient) -> None:
    no = sends(ok(0, "Content-Range: bytes */1", status="416 Range Not Satisfiable"))
    async with raw_server(no, sends(ok(len(BODY)), BODY)) as server:
        assert await fetched(client, server.url, 1000) == BODY[1000:]
        assert "Range" not in server.heads[1]


async def test_a_rest_that_breaks_is_gone_on_with_from_there(client: HttpClient) -> None:
    async def some(connection: Connection) -> None:
        part = f"Content-Range: bytes 1000-{len(BODY) - 1}/{len(BODY)}"
        head = ok(len(BODY) - 1000, part, status="206 Partial Content")
        await connection.send(head, BODY[1000:500_000])
        await asyncio.sleep(0.05)

    async with raw_server(some, rest_of()) as server:
        assert await fetched(client, server.url, 1000) == BODY[1000:]
        assert "Range: bytes=500000-" in server.heads[1]


@pytest.mark.parametrize(
    "answer",
    [
        sends(ok(999), BODY[:999]),
        sends(ok(10, "Content-Range: bytes 0-9/20", status="206 Partial Content"), BODY[:10]),
        sends(ok(10, "Content-Range: bytes 1001-1010/2000", status="206 Partial Content"), BODY[:10]),
        sends(ok(10, status="206 Partial Content"), BODY[:10]),
    ],
    ids=["shorter", "an earlier part", "a later part", "an unknown part"],
)
async def test_an_answer_that_does_not_go_on_from_there_is_refused(
    client: HttpClient, answer: Script
) -> None:
    async with raw_server(answer) as server:
        with pytest.raises(PeerProtocolError):
            await fetched(client, server.url, 1000)


@pytest.mark.parametrize(("first", "last"), [(0, 9), (1, len(BODY) - 1)])
async def test_a_part_that_nobody_asked_for_is_refused(client: HttpClient, first: int, last: int) -> None:
    part = f"Content-Range: bytes {first}-{last}/{len(BODY)}"
    content = BODY[first : last + 1]
    async with raw_server(sends(ok(len(content), part, status="206 Partial Content"), content)) as server:
        with pytest.raises(Refused):
            await fetched(client, server.url)


async def test_a_part_that_is_all_of_the_file_is_taken(client: HttpClient) -> None:
    part = f"Content-Range: bytes 0-{len(BODY) - 1}/{len(BODY)}"
    async with raw_server(sends(ok(len(BODY), part, status="206 Partial Content"), BODY)) as server:
        assert await fetched(client, server.url) == BODY
