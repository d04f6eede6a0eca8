"""Servers that compress unasked, change their files, redirect with cookies, send pages, and are busy."""

import gzip
import zlib
from collections.abc import Callable

import pytest
from aiohttp import web

from filebot.errors import (
    ForbiddenTarget,
    PeerProtocolError,
    Refused,
    Unresumable,
    WebPageInstead,
)
from filebot.transfer.http import content_coding
from filebot.transfer.http.client import MAX_REDIRECTS, HttpClient
from tests.unit.transfer.http.conftest import fetched
from tests.unit.transfer.raw_server import Connection, Script, ok, raw_server, sends

pytestmark = pytest.mark.usefixtures("_hasty")


TEXT = b"a,b\r\n" * 20_800  # 104,000 bytes
NOISE = bytes((i * i * 31 + i // 7) % 251 for i in range(300_000))


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


# --- content codings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("gzip, identity", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
        ("gzip", lambda data: gzip.compress(data[:70_000]) + gzip.compress(data[70_000:])),
        ("gzip", lambda data: gzip.compress(data) + b"\0" * 512),
        ("gzip", lambda data: data),  # it only says so
        ("utf-8", lambda data: data),
        ("identity", lambda data: data),
    ],
)
async def test_what_comes_compressed_is_unpacked(
    client: HttpClient, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(TEXT)
    answer = sends(ok(len(packed), f"Content-Encoding: {coding}", "Content-Type: text/csv"), packed)
    async with raw_server(answer) as server:
        assert await fetched(client, f"{server.url}/report.csv") == TEXT


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/source.tar.gz", ("Content-Encoding: x-gzip", "Content-Type: application/x-tar")),
        ("/source.tgz", ("Content-Encoding: gzip",)),
        ("/drawing.svgz", ("Content-Encoding: gzip", "Content-Type: image/svg+xml")),
        ("/download", ("Content-Encoding: gzip", "Content-Type: application/x-gzip")),
        ("/d", ("Content-Encoding: gzip", 'Content-Disposition: attachment; filename="a.tar.gz"')),
    ],
)
async def test_a_gzip_file_stays_one(client: HttpClient, path: str, headers: tuple[str, ...]) -> None:
    packed = gzip.compress(TEXT)
    async with (
        raw_server(sends(ok(len(packed), *headers), packed)) as server,
        client.get(server.url + path) as download,
    ):
        assert download.size == len(packed)
        assert b"".join([piece async for piece in download.chunks()]) == packed


async def test_the_size_of_a_compressed_file_is_not_known(client: HttpClient) -> None:
    packed = gzip.compress(TEXT)
    async with (
        raw_server(sends(ok(len(packed), "Content-Encoding: gzip"), packed)) as server,
        client.get(server.url) as download,
    ):
        assert download.size is None


async def test_a_bomb_comes_out_in_small_pieces(client: HttpClient) -> None:
    packed = gzip.compress(b"\0" * 64 * 1024 * 1024)
    async with (
        raw_server(sends(ok(len(packed), "Content-Encoding: gzip"), packed)) as server,
        client.get(server.url) as download,
    ):
        got = 0
        async for piece in download.chunks():
            assert len(piece) <= content_coding.PIECE_BYTES
            got += len(piece)
            if got > 1_000_000:
                break  # as the intake does when a limit is reached
    assert got < 2_000_000


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip, gzip"])
async def test_a_coding_that_cannot_be_undone_is_an_error(client: HttpClient, coding: str) -> None:
    async with raw_server(sends(ok(3, f"Content-Encoding: {coding}"), b"abc")) as server:
        with pytest.raises(PeerProtocolError):
            await fetched(client, server.url)


@pytest.mark.parametrize("left_out", [slice(-9, None), slice(40, None), slice(10, -8)])
async def test_a_compressed_file_that_is_not_whole_is_an_error(client: HttpClient, left_out: slice) -> None:
    packed = bytearray(gzip.compress(TEXT))
    del packed[left_out]
    async with raw_server(sends(ok(len(packed), "Content-Encoding: gzip"), bytes(packed))) as server:
        with pytest.raises(PeerProtocolError):
            await fetched(client, server.url)


async def test_a_compressed_file_goes_on_after_a_break(client: HttpClient) -> None:
    packed, tag = gzip.compress(NOISE), ("Content-Encoding: gzip", 'ETag: "v1"')

    async def breaks(connection: Connection) -> None:
        await connection.send(ok(len(packed), *tag), packed[: len(packed) // 2])

    async def rest(connection: Connection) -> None:
        start = int((connection.header("Range") or "").removeprefix("bytes=").removesuffix("-"))
        span = f"Content-Range: bytes {start}-{len(packed) - 1}/{len(packed)}"
        await connection.send(
            ok(len(packed) - start, span, *tag, status="206 Partial Content"), packed[start:]
        )

    async with raw_server(breaks, rest) as server:
        assert await fetched(client, server.url) == NOISE
        assert "If-Range" in server.heads[1]


async def test_an_offset_counts_what_comes_out(client: HttpClient) -> None:
    packed = gzip.compress(NOISE)

    async def serve(connection: Connection) -> None:
        if connection.header("Range"):
            span = f"Content-Range: bytes 1000-{len(packed) - 1}/{len(packed)}"
            await connection.send(
                ok(len(packed) - 1000, span, "Content-Encoding: gzip", status="206 Partial Content"),
                packed[1000:],
            )
        else:
            await connection.send(ok(len(packed), "Content-Encoding: gzip"), packed)

    async with raw_server(serve) as server:
        assert await fetched(client, server.url, 1000, hashed=True) == NOISE[1000:]
        with pytest.raises(PeerProtocolError, match="shorter"):
            await fetched(client, server.url, len(NOISE) + 1, hashed=True)


# --- a file that changes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (('ETag: "v1"',), ('ETag: "v2"',)),
        (('ETag: "v1"',), ()),
        (('ETag: W/"v1"',), ('ETag: W/"v1"',)),
        (
            ("Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT",),
            ("Last-Modified: Mon, 23 Nov 2026 11:00:00 GMT",),
        ),
        ((), ()),
    ],
)
async def test_another_version_is_not_joined(
    client: HttpClient, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    async def breaks(connection: Connection) -> None:
        await connection.send(ok(len(NOISE), *first), NOISE[:100_000])

    async with raw_server(breaks, sends(ok(len(TEXT), *second), TEXT)) as server:
        with pytest.raises(Unresumable):
            await fetched(client, server.url)
        assert await fetched(client, server.url) == TEXT


# --- redirects ------------------------------------------------------------------------------------


async def hops(connection: Connection) -> None:
    """Send the client in a circle until it brings the cookie."""
    if connection.header("Cookie") == "pass=yes":
        await connection.send(ok(3), b"abc")
    else:
        here = connection.head.split()[1]
        await connection.send(
            ok(0, f"Location: {here}", "Set-Cookie: pass=yes; Path=/; HttpOnly", status="302 Found")
        )


async def test_a_cookie_of_a_redirect_is_sent_back_within_the_fetch(client: HttpClient) -> None:
    async with raw_server(hops) as server:
        assert await fetched(client, f"{server.url}/file.bin") == b"abc"
        assert await fetched(client, f"{server.url}/file.bin") == b"abc"
        assert ["Cookie: pass=yes" in head for head in server.heads] == [False, True, False, True]


async def test_a_cookie_goes_to_no_other_host(client: HttpClient) -> None:
    async with raw_server(sends(ok(3), b"abc")) as other:
        away = f"Location: http://localhost:{other.port}/file.bin"
        cookie = "Set-Cookie: pass=yes; Domain=localhost"
        async with raw_server(sends(ok(0, away, cookie, status="302 Found"))) as server:
            assert await fetched(client, server.url) == b"abc"
        assert "Cookie" not in other.heads[0]


@pytest.mark.parametrize(
    "cookie", ["pass=yes; Secure", "pass=yes; Path=/elsewhere", "pass=yes; Max-Age=0", "pass="]
)
async def test_a_cookie_that_does_not_fit_stays_away(client: HttpClient, cookie: str) -> None:
    moved = sends(ok(0, "Location: /there", f"Set-Cookie: {cookie}", status="302 Found"))
    async with raw_server(moved, sends(ok(3), b"abc")) as server:
        assert await fetched(client, server.url) == b"abc"
        assert "Cookie" not in server.heads[1]


async def test_cookies_are_bounded(client: HttpClient) -> None:
    many = [f"Set-Cookie: c{number}={'x' * 1000}" for number in range(40)]
    async with raw_server(
        sends(ok(0, "Location: /there", *many, status="302 Found")), sends(ok(3), b"abc")
    ) as server:
        assert await fetched(client, server.url) == b"abc"
        [line] = [line for line in server.heads[1].split("\r\n") if line.startswith("Cookie: ")]
        assert len(line) < 5_000


async def test_a_circle_and_too_many_redirects_are_told_apart(client: HttpClient) -> None:
    async with raw_server(sends(ok(0, "Location: /", status="302 Found"))) as server:
        with pytest.raises(ForbiddenTarget, match="redirect_loop"):
            await fetched(client, server.url)
        assert len(server.heads) <= 2

    async def on(connection: Connection) -> None:
        number = int(connection.head.split()[1].strip("/") or 0)
        await connection.send(ok(0, f"Location: /{number + 1}", status="302 Found"))

    async with raw_server(on) as server:
        with pytest.raises(ForbiddenTarget, match="redirects"):
            await fetched(client, server.url)
        assert len(server.heads) == MAX_REDIRECTS + 1


# --- what is no file ------------------------------------------------------------------------------


PAGE = b"\r\n<!DOCTYPE html>\n<title>Log in</title>"


@pytest.mark.parametrize("path", ["/report.pdf", "/a.docx?download=1", "/photo.JPG", "/data.csv"])
async def test_a_page_in_place_of_a_file_is_said(client: HttpClient, path: str) -> None:
    answer = sends(ok(len(PAGE), "Content-Type: text/html; charset=utf-8"), PAGE)
    async with raw_server(answer) as server:
        with pytest.raises(WebPageInstead) as caught:
            await fetched(client, server.url + path)
    assert caught.value.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "content"),
    [("/index.html", PAGE), ("/", PAGE), ("/page", PAGE), ("/x.php", PAGE), ("/report.pdf", b"%PDF-1.4")],
)
async def test_a_page_that_was_asked_for_is_a_file(client: HttpClient, path: str, content: bytes) -> None:
    async with raw_server(sends(ok(len(content), "Content-Type: text/html"), content)) as server:
        assert await fetched(client, server.url + path) == content


async def test_a_busy_server_is_asked_once_more(client: HttpClient) -> None:
    busy = sends(ok(0, "Retry-After: 0", status="503 Service Unavailable"))
    async with raw_server(busy, sends(ok(3), b"abc")) as server:
        assert await fetched(client, server.url) == b"abc"
    async with raw_server(busy) as server:
        with pytest.raises(Refused):
            await fetched(client, server.url)
        assert len(server.heads) == 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("999999999", 86_400.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)],
)
async def test_a_server_that_is_busy_for_long_is_told(
    client: HttpClient, value: str, seconds: float | None
) -> None:
    async with raw_server(sends(ok(0, f"Retry-After: {value}", status="429 Too Many"))) as server:
        with pytest.raises(Refused) as caught:
            await fetched(client, server.url)
        assert len(server.heads) == 1
    assert (caught.value.status, caught.value.retry_after_s) == (429, seconds)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "header", "name"),
    [
        (
            "/x",
            "Content-Disposition: attachment; filename=Annual report 2024.pdf",
            "Annual report 2024.pdf",
        ),
        ("/x", 'Content-Disposition: filename="bare.pdf"', "bare.pdf"),
        ("/x.pdf", 'Content-Disposition: attachment; filename=""', "x.pdf"),
        ("/download.php?file=report.pdf", "X: y", "report.pdf"),
        ("/d?id=5&filename=%E6%8A%A5%E5%91%8A.pdf", "X: y", "报告.pdf"),
        ("/d?path=/a/b/c.png", "X: y", "c.png"),
        ("/report.pdf?file=other.png", "X: y", "report.pdf"),
        ("/AbC123", "X: y", "AbC123"),
        ("/", "X: y", None),
    ],
)
async def test_a_name_is_found_wherever_it_is(
    client: HttpClient, path: str, header: str, name: str | None
) -> None:
    async with raw_server(sends(ok(0, header))) as server, client.get(server.url + path) as download:
        assert download.name == name


async def test_a_short_link_has_the_name_of_what_it_leads_to(client: HttpClient) -> None:
    moved = sends(ok(0, "Location: /files/report.pdf", status="302 Found"))
    async with raw_server(moved, sends(ok(0))) as server, client.get(f"{server.url}/s/AbC") as download:
        assert download.name == "report.pdf"


# --- whether a file is there ----------------------------------------------------------------------


@pytest.mark.parametrize("to_head", [405, 403, 501, 400, 500])
@pytest.mark.parametrize("ranges", [True, False])
async def test_a_file_is_found_where_head_is_refused(
    client: HttpClient, to_head: int, *, ranges: bool
) -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD":
            return web.Response(status=to_head)
        if ranges:
            assert request.headers["Range"] == "bytes=0-0"
            span = {"Content-Range": f"bytes 0-0/{len(TEXT)}"}
            return web.Response(status=206, body=TEXT[:1], headers=span)
        return web.Response(body=TEXT)

    app = web.Application()
    app.router.add_route("*", "/{name}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/a.csv"
    assert await client.alive(url, len(TEXT)) is True
    assert await client.alive(url, len(TEXT) + 1) is False
    await runner.cleanup()


@pytest.mark.parametrize(
    ("head", "get", "alive"),
    [
        (sends(ok(0)), sends(ok(9, status="200 OK"), b"x" * 9), True),  # HEAD says 0
        (sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), sends(ok(9), b"x" * 9), True),
        (sends(ok(0, status="404 Not Found")), sends(ok(9), b"x" * 9), False),
        (sends(ok(0, status="405 No")), sends(ok(0, status="404 Not Found")), False),
        (sends(ok(0, status="405 No")), sends(ok(0, status="503 Busy")), None),
        (sends(ok(0, status="405 No")), sends(ok(8), b"x" * 8), False),
    ],
)
async def test_an_answer_tells_whether_a_file_is_there(
    client: HttpClient, head: Script, get: Script, *, alive: bool | None
) -> None:
    async with raw_server(head, get) as server:
        assert await client.alive(f"{server.url}/a", 9) is alive


async def test_a_server_that_is_not_there_says_nothing(client: HttpClient) -> None:
    async with raw_server(sends(ok(0))) as server:
        pass
    assert await client.alive(server.url, 1) is None
