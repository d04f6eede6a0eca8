"""Uploads: exactly the promised bytes, and what may go wrong with them."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from filebot.errors import (
    BlobCorrupt,
    ForbiddenTarget,
    LocalProtocolError,
    PeerGone,
    PeerProtocolError,
    Refused,
    TransferError,
    TransferTimeout,
)
from filebot.model import Slot
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http import HttpClient
from tests.unit.transfer.raw_server import Connection, Script, ok, raw_server, sends

LAX = AddressPolicy(allow_insecure=True, allow_private=True)
PIECE = bytes(range(256)) * 2731


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient(LAX, idle_s=0.25) as made:
        yield made


async def pieces(*parts: bytes) -> AsyncGenerator[bytes, None]:
    for part in parts:
        yield part


def slot(url: str, **headers: str) -> Slot:
    return Slot(put_url=url, get_url="https://unused.example/", headers=headers)


class Takes:
    """Reads an upload whole and answers it."""

    def __init__(self, status: str = "201 Created") -> None:
        self.status = status
        self.size = 0
        self.digest = hashlib.sha256()

    async def __call__(self, connection: Connection) -> None:
        left = int(connection.header("Content-Length") or -1)
        while left:
            data = await connection.reader.readexactly(min(left, 50_000))
            left -= len(data)
            self.size += len(data)
            self.digest.update(data)
        await connection.send(ok(0, status=self.status))


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content", "299 Fine"])
async def test_exactly_the_bytes_arrive_with_the_slots_headers(client: HttpClient, status: str) -> None:
    takes = Takes(status)
    parts = (PIECE, b"", b"x", PIECE * 3)
    data = b"".join(parts)
    async with raw_server(takes) as server:
        target = slot(server.url + "/put/%C3%BC.bin?v=%2B", Authorization="Bearer secret", Expires="never")
        await client.put(target, pieces(*parts), len(data), "image/x-thing")
        (head,) = server.heads
    assert takes.digest.digest() == hashlib.sha256(data).digest()
    assert head.startswith("PUT /put/%C3%BC.bin?v=%2B HTTP/1.1\r\n")
    for line in ("Authorization: Bearer secret", "Expires: never", "Content-Type: image/x-thing"):
        assert f"\r\n{line}\r\n" in head
    assert f"\r\nContent-Length: {len(data)}\r\n" in head
    assert "chunked" not in head
    assert "Expect" not in head


async def test_a_file_of_no_bytes_can_be_sent(client: HttpClient) -> None:
    async with raw_server(sends(ok(0, status="201 Created"))) as server:
        await client.put(slot(server.url), pieces(), 0, "text/plain")
        assert "Content-Length: 0\r\n" in server.heads[0]


@pytest.mark.parametrize("status", [301, 307, 400, 403, 409, 413, 500])
async def test_another_status_is_a_refusal_and_no_redirect_is_followed(
    client: HttpClient, status: int
) -> None:
    async with raw_server(Takes(f"{status} No\r\nLocation: /elsewhere")) as server:
        with pytest.raises(Refused) as caught:
            await client.put(slot(server.url), pieces(PIECE), len(PIECE), "text/plain")
        assert len(server.heads) == 1
    assert caught.value.status == status


async def refuses_at_once(connection: Connection) -> None:
    await connection.send(ok(0, status="413 Too Large"))
    await asyncio.sleep(1)


async def test_a_refusal_before_the_end_ends_the_upload(client: HttpClient) -> None:
    source = pieces(*[PIECE] * 200)
    async with raw_server(refuses_at_once) as server:
        with pytest.raises(Refused) as caught:
            await client.put(slot(server.url), source, len(PIECE) * 200, "text/plain")
        assert caught.value.status == 413
    await source.aclose()


async def test_success_before_the_end_is_not_believed(client: HttpClient) -> None:
    async def hasty(connection: Connection) -> None:
        await connection.send(ok(0, status="201 Created"))
        await asyncio.sleep(1)

    async with raw_server(hasty) as server:
        with pytest.raises(PeerProtocolError):
            await client.put(slot(server.url), pieces(*[PIECE] * 200), len(PIECE) * 200, "text/plain")


async def test_a_server_that_hangs_up_is_a_peer_gone(client: HttpClient) -> None:
    async def cuts(connection: Connection) -> None:
        connection.cut()

    async with raw_server(cuts) as server:
        with pytest.raises(PeerGone):
            await client.put(slot(server.url), pieces(*[PIECE] * 50), len(PIECE) * 50, "text/plain")


async def reads_nothing(connection: Connection) -> None:
    await asyncio.sleep(30)


async def reads_all_and_is_silent(connection: Connection) -> None:
    await connection.reader.read(10)
    await asyncio.sleep(30)


@pytest.mark.parametrize(("script", "count"), [(reads_nothing, 200), (reads_all_and_is_silent, 1)])
async def test_standstill_is_a_timeout(client: HttpClient, script: Script, count: int) -> None:
    async with raw_server(script) as server:
        with pytest.raises(TransferTimeout):
            await client.put(slot(server.url), pieces(*[PIECE] * count), len(PIECE) * count, "text/plain")


async def test_a_slow_server_is_no_standstill(client: HttpClient) -> None:
    """The whole takes longer than the idle limit, but bytes move all the time."""
    size = 8 << 20

    async def slow(connection: Connection) -> None:
        for _ in range(size // 65536):
            await connection.reader.readexactly(65536)
            await asyncio.sleep(0.004)
        await connection.send(ok(0, status="201 Created"))

    async with raw_server(slow) as server:
        await client.put(slot(server.url), pieces(bytes(size)), size, "text/plain")


@pytest.mark.parametrize("size", [len(PIECE) - 1, len(PIECE) + 1, 0])
async def test_a_source_that_breaks_its_promise_is_a_bug(client: HttpClient, size: int) -> None:
    async with raw_server(Takes()) as server:
        with pytest.raises(LocalProtocolError):
            await client.put(slot(server.url), pieces(PIECE), size, "text/plain")


async def test_what_the_source_raises_comes_through(client: HttpClient) -> None:
    async def corrupt() -> AsyncGenerator[bytes, None]:
        yield PIECE
        raise BlobCorrupt("gone")

    async with raw_server(Takes()) as server:
        with pytest.raises(BlobCorrupt):
            await client.put(slot(server.url), corrupt(), 2 * len(PIECE), "text/plain")


async def test_after_a_cancellation_nobody_is_inside_the_source(client: HttpClient) -> None:
    """Else its owner could not close it: 'asynchronous generator is already running'."""
    inside = asyncio.Event()
    left = False

    async def source() -> AsyncGenerator[bytes, None]:
        nonlocal left
        yield PIECE
        try:
            inside.set()
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.02)  # a store waits for its thread
            left = True

    chunks = source()
    async with raw_server(Takes()) as server:
        task = asyncio.create_task(
            client.put(slot(server.url), chunks, 2 * len(PIECE), "application/octet-stream")
        )
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left
        await chunks.aclose()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "nonsense"])
async def test_the_slot_is_under_the_policy_too(client: HttpClient, url: str) -> None:
    with pytest.raises(ForbiddenTarget):
        await client.put(slot(url), pieces(b"x"), 1, "text/plain")


async def test_nobody_there_is_a_transfer_error(client: HttpClient) -> None:
    async with raw_server(reads_nothing) as server:
        pass
    with pytest.raises(TransferError):
        await client.put(slot(server.url), pieces(b"x"), 1, "text/plain")
