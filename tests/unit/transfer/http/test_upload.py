"""Uploads: exactly the promised bytes, and what may go wrong with them."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from filebot.errors import (
    BlobCorrupt,
    ForbiddenTarget,
    PeerGone,
    PeerProtocolError,
    Refused,
    TransferError,
    TransferTimeout,
)
from filebot.model import Slot
from filebot.transfer.http.client import HttpClient
from tests.support.virtual_time import in_virtual_time
from tests.unit.transfer.http.conftest import LAX
from tests.unit.transfer.raw_server import Connection, Script, ok, raw_server, sends

PIECE = bytes(range(256)) * 2731


class Files:
    """Makes files to upload."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, content: bytes) -> Path:
        path = self._folder / "blob"
        path.write_bytes(content)
        return path


@pytest.fixture
def file(tmp_path: Path) -> Files:
    return Files(tmp_path)


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
async def test_exactly_the_bytes_arrive_with_the_slots_headers(
    client: HttpClient, file: Files, status: str
) -> None:
    takes = Takes(status)
    data = PIECE * 4 + b"x"
    async with raw_server(takes) as server:
        target = slot(server.url + "/put/%C3%BC.bin?v=%2B", Authorization="Bearer secret", Expires="never")
        await client.put(target, file(data), "image/x-thing")
        (head,) = server.heads
    assert takes.digest.digest() == hashlib.sha256(data).digest()
    assert head.startswith("PUT /put/%C3%BC.bin?v=%2B HTTP/1.1\r\n")
    for line in ("Authorization: Bearer secret", "Expires: never", "Content-Type: image/x-thing"):
        assert f"\r\n{line}\r\n" in head
    assert f"\r\nContent-Length: {len(data)}\r\n" in head
    assert "chunked" not in head
    assert "Expect" not in head


async def test_a_file_of_no_bytes_can_be_sent(client: HttpClient, file: Files) -> None:
    async with raw_server(sends(ok(0, status="201 Created"))) as server:
        await client.put(slot(server.url), file(b""), "text/plain")
        assert "Content-Length: 0\r\n" in server.heads[0]


@pytest.mark.parametrize("status", [301, 307, 400, 403, 409, 413, 500])
async def test_another_status_is_a_refusal_and_no_redirect_is_followed(
    client: HttpClient, file: Files, status: int
) -> None:
    async with raw_server(Takes(f"{status} No\r\nLocation: /elsewhere")) as server:
        with pytest.raises(Refused) as caught:
            await client.put(slot(server.url), file(PIECE), "text/plain")
        assert len(server.heads) == 1
    assert caught.value.status == status


async def refuses_at_once(connection: Connection) -> None:
    await connection.send(ok(0, status="413 Too Large"))
    await asyncio.sleep(1)


async def test_a_refusal_before_the_end_ends_the_upload(client: HttpClient, file: Files) -> None:
    async with raw_server(refuses_at_once) as server:
        with pytest.raises(Refused) as caught:
            await client.put(slot(server.url), file(PIECE * 200), "text/plain")
        assert caught.value.status == 413


async def test_success_before_the_end_is_not_believed(client: HttpClient, file: Files) -> None:
    async def hasty(connection: Connection) -> None:
        await connection.send(ok(0, status="201 Created"))
        await asyncio.sleep(1)

    async with raw_server(hasty) as server:
        with pytest.raises(PeerProtocolError):
            await client.put(slot(server.url), file(PIECE * 200), "text/plain")


async def test_a_server_that_hangs_up_is_a_peer_gone(client: HttpClient, file: Files) -> None:
    async def cuts(connection: Connection) -> None:
        connection.cut()

    async with raw_server(cuts) as server:
        with pytest.raises(PeerGone):
            await client.put(slot(server.url), file(PIECE * 50), "text/plain")


async def reads_nothing(connection: Connection) -> None:
    await asyncio.sleep(3600)


async def reads_all_and_is_silent(connection: Connection) -> None:
    await connection.reader.read(10)
    await asyncio.sleep(3600)


@pytest.mark.parametrize(("script", "count"), [(reads_nothing, 200), (reads_all_and_is_silent, 1)])
@in_virtual_time
async def test_standstill_is_a_timeout(file: Files, script: Script, count: int) -> None:
    async with HttpClient(LAX, idle_s=60.0) as client, raw_server(script) as server:
        with pytest.raises(TransferTimeout):
            await client.put(slot(server.url), file(PIECE * count), "text/plain")


@in_virtual_time
async def test_a_slow_server_is_no_standstill(file: Files) -> None:
    """The whole takes longer than the idle limit, but bytes move all the time."""
    size = 8 << 20

    async def slow(connection: Connection) -> None:
        for _ in range(size // 65536):
            await connection.reader.readexactly(65536)
            await asyncio.sleep(1)
        await connection.send(ok(0, status="201 Created"))

    async with HttpClient(LAX, idle_s=60.0) as client, raw_server(slow) as server:
        await client.put(slot(server.url), file(bytes(size)), "text/plain")


async def test_a_file_that_shrinks_meanwhile_is_corrupt(client: HttpClient, file: Files) -> None:
    path = file(PIECE * 40)

    async def shrinks(connection: Connection) -> None:
        await connection.reader.readexactly(1000)
        os.truncate(path, 0)
        await Takes()(connection)

    async with raw_server(shrinks) as server:
        with pytest.raises((BlobCorrupt, PeerGone)):
            await client.put(slot(server.url), path, "text/plain")


async def test_a_cancelled_upload_leaves_no_file_open(client: HttpClient, file: Files) -> None:
    path = file(PIECE * 200)
    begun = asyncio.Event()

    async def waits(connection: Connection) -> None:
        begun.set()
        await asyncio.sleep(3600)

    async with raw_server(waits) as server:
        task = asyncio.create_task(client.put(slot(server.url), path, "text/plain"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
    opened = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    assert path not in opened


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "nonsense"])
async def test_the_slot_is_under_the_policy_too(client: HttpClient, file: Files, url: str) -> None:
    with pytest.raises(ForbiddenTarget):
        await client.put(slot(url), file(b"x"), "text/plain")


async def test_nobody_there_is_a_transfer_error(client: HttpClient, file: Files) -> None:
    async with raw_server(reads_nothing) as server:
        pass
    with pytest.raises(TransferError):
        await client.put(slot(server.url), file(b"x"), "text/plain")
