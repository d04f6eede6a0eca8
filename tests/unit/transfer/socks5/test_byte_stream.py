"""Byte streams over real sockets: whole files, cuts, stalls, lies, and that nothing stays behind."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from filebot.errors import BlobCorrupt, PeerGone, SizeMismatch, TransferTimeout
from filebot.transfer.socks5 import receive
from filebot.transfer.socks5 import send as byte_sink
from filebot.transfer.socks5.connections import ByteStream
from filebot.transfer.socks5.socket import SocketConnection
from tests.support.virtual_time import in_virtual_time
from tests.support.waiting import loop_turns, until
from tests.unit.transfer.leaks import nothing_left

BODY = bytes(range(256)) * 8000  # 2,048,000 bytes


@pytest.fixture(autouse=True)
async def _clean(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(receive, "GRACE_S", 0.03)
    monkeypatch.setattr(receive, "COOL_S", 0.05)
    monkeypatch.setattr(byte_sink, "CLOSE_S", 0.1)
    monkeypatch.setattr(byte_sink, "_POLL_S", 0.01)
    async with nothing_left():
        yield


class Peer:
    """The other end, written to and read from by hand."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            await asyncio.get_running_loop().sock_sendall(self.sock, part)

    async def read_all(self) -> bytes:
        loop, taken = asyncio.get_running_loop(), bytearray()
        while data := await loop.sock_recv(self.sock, 1 << 20):
            taken += data
        return bytes(taken)

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Close so that the other side learns of it by an error."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def pair(*, idle_s: float = 30.0, rest: bytes = b"") -> tuple[ByteStream, Peer]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ByteStream(SocketConnection(ours, rest), idle_s=idle_s), Peer(theirs)


@asynccontextmanager
async def used(stream: ByteStream) -> AsyncIterator[ByteStream]:
    """A stream that is closed afterwards, as its holder has to do."""
    try:
        yield stream
    finally:
        await stream.close()


async def received(stream: ByteStream, size: int | None) -> bytes:
    async with used(stream):
        return b"".join([bytes(piece) async for piece in stream.chunks(size)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.write_bytes(BODY)
    return made


# --- receiving ----------------------------------------------------------------------------------


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("length", [0, 1, 32768, 65537, len(BODY)])
async def test_a_file_arrives_whole(length: int, *, announced: bool) -> None:
    stream, peer = pair()
    taking = asyncio.create_task(received(stream, length if announced else None))
    await peer.send(BODY[:length])
    peer.close()
    assert await taking == BODY[:length]


async def test_a_peer_need_not_close_when_the_size_is_known() -> None:
    stream, peer = pair()
    taking = asyncio.create_task(received(stream, 5))
    await peer.send(b"hello")
    assert await taking == b"hello"
    peer.close()


async def test_what_came_with_the_handshake_comes_first() -> None:
    stream, peer = pair(rest=b"hel")
    await peer.send(b"lo")
    assert await received(stream, 5) == b"hello"
    peer.close()
    stream, peer = pair(rest=b"hello")
    assert await received(stream, 5) == b"hello"
    peer.close()


async def test_pieces_do_not_change_afterwards() -> None:
    stream, peer = pair()
    sending = asyncio.create_task(peer.send(BODY))
    async with used(stream), aclosing(stream.chunks(len(BODY))) as chunks:
        pieces = [piece async for piece in chunks]
        assert b"".join(pieces) == BODY
    await sending
    peer.close()


@pytest.mark.parametrize("more", [1, 100_000])
@pytest.mark.parametrize("pause_s", [0.0, 0.01])
async def test_more_bytes_than_promised_are_refused(
    more: int, pause_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "GRACE_S", 30.0)
    stream, peer = pair(rest=b"h")
    taking = asyncio.create_task(received(stream, 5))
    await peer.send(b"ello")
    await asyncio.sleep(pause_s)
    await peer.send(b"!" * more)
    with pytest.raises(SizeMismatch) as caught:
        await taking
    assert caught.value.announced_bytes == 5
    assert caught.value.received_bytes > 5
    peer.close()


async def test_more_than_promised_with_the_handshake_is_no_better() -> None:
    stream, peer = pair(rest=b"hello!")
    with pytest.raises(SizeMismatch):
        await received(stream, 5)
    peer.close()


@pytest.mark.parametrize("length", range(12))
async def test_a_cut_after_any_byte(length: int) -> None:
    stream, peer = pair()
    await peer.send(b"hello world!"[:length])
    peer.close()
    with pytest.raises(SizeMismatch) as caught:
        await received(stream, 12)
    assert caught.value.received_bytes == length


@pytest.mark.parametrize("length", range(12))
async def test_a_reset_after_any_byte(length: int) -> None:
    stream, peer = pair()
    taking = asyncio.create_task(received(stream, 12))
    await peer.send(b"hello world!"[:length])
    await loop_turns()
    peer.reset()
    with pytest.raises(PeerGone):
        await taking


async def test_a_reset_after_the_last_byte_does_no_harm() -> None:
    stream, peer = pair()
    taking = asyncio.create_task(received(stream, 5))
    await peer.send(b"hello")
    await loop_turns()
    peer.reset()
    assert await taking == b"hello"


@pytest.mark.parametrize("length", range(12))
async def test_a_stall_after_any_byte(length: int) -> None:
    stream, peer = pair(idle_s=0.02 if length % 2 else 0.06)
    await peer.send(b"hello world!"[:length])
    with pytest.raises(TransferTimeout):
        await received(stream, 12)
    peer.close()


@in_virtual_time
async def test_slow_is_not_stalled() -> None:
    stream, peer = pair(idle_s=0.1)
    taking = asyncio.create_task(received(stream, 6))
    for byte in b"slowly":
        await asyncio.sleep(0.06)
        await peer.send(bytes((byte,)))
    assert await taking == b"slowly"
    peer.close()


async def test_what_trickles_in_is_handed_on_in_larger_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "GATHER_S", 30.0)
    monkeypatch.setattr(receive, "COOL_S", 30.0)
    stream, peer = pair()
    body = BODY[:100_000]

    async def trickle() -> None:
        for start in range(0, len(body), 1000):
            await peer.send(body[start : start + 1000])
            await asyncio.sleep(0)

    sending = asyncio.create_task(trickle())
    async with used(stream), aclosing(stream.chunks(len(body))) as chunks:
        pieces = [bytes(piece) async for piece in chunks]
    await sending
    assert b"".join(pieces) == body
    assert len(pieces) <= 1 + len(body) // receive.SMALLEST_BYTES
    peer.close()


@in_virtual_time
async def test_a_taker_that_does_not_ask_slows_the_peer_and_is_not_blamed() -> None:
    stream, peer = pair(idle_s=0.05)
    body = BODY * 10  # more than the kernel keeps for us

    sending = asyncio.create_task(peer.send(body))
    async with used(stream), aclosing(stream.chunks(len(body))) as chunks:
        taken = [await anext(chunks)]
        await asyncio.sleep(0.15)
        assert not sending.done()
        second = await anext(chunks)
        assert len(second) <= receive.LARGEST_BYTES
        taken += [second, *[piece async for piece in chunks]]
    await sending
    assert b"".join(taken) == body
    peer.close()


async def test_an_idle_transfer_keeps_no_buffer() -> None:
    stream, peer = pair()
    async with used(stream):
        landing = receive._Landing(missing=None)
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: landing, sock=stream.connection.sock
        )
        await peer.send(BODY[:100_000])
        taken = 0
        while taken < 100_000:
            assert await landing.arrival(30)
            taken += len(landing.take())
        waiting = asyncio.create_task(landing.arrival(30))
        await until(lambda: not landing._buffer)
        await peer.send(b"and on")
        assert await waiting
        assert bytes(landing.take()) == b"and on"
        assert len(landing._buffer) <= 64 * 1024
        transport.abort()
    peer.close()


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.1])
async def test_cancelling_a_receiver_leaves_nothing(after_s: float) -> None:
    stream, peer = pair()
    async with nothing_left():
        taking = asyncio.create_task(received(stream, 100))
        await asyncio.sleep(after_s)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        stream.connection.close()  # cancelled before it began, nothing was entered
    assert await peer.read_all() == b""
    peer.close()


async def test_stopping_early_closes_the_connection() -> None:
    stream, peer = pair()
    await peer.send(b"hel")
    async with used(stream), aclosing(stream.chunks(5)) as chunks:
        assert await anext(chunks) == b"hel"
    assert await peer.read_all() == b""
    peer.close()


async def test_a_stream_that_is_not_used_is_closed() -> None:
    stream, peer = pair()
    async with used(stream):
        pass
    assert await peer.read_all() == b""
    peer.close()


# --- sending ------------------------------------------------------------------------------------


async def sent(stream: ByteStream, file: Path, offset: int, size: int) -> list[int]:
    told: list[int] = []
    async with used(stream):
        await stream.send_file(file, offset, size, told.append)
    return told


@pytest.mark.conformance(85)
@pytest.mark.parametrize(
    ("offset", "size"), [(0, len(BODY)), (0, 0), (0, 1), (1000, 5000), (len(BODY) - 1, 1), (7, 0)]
)
async def test_a_part_of_a_file_is_sent_and_the_stream_ended(file: Path, offset: int, size: int) -> None:
    stream, peer = pair()
    sending = asyncio.create_task(sent(stream, file, offset, size))
    assert await peer.read_all() == BODY[offset : offset + size]
    peer.close()
    told = await sending
    assert told == sorted(told)
    assert not size or told[-1] == size


async def test_a_peer_that_has_all_and_does_not_close_is_not_waited_for_long(file: Path) -> None:
    stream, peer = pair()
    sending = asyncio.create_task(sent(stream, file, 0, 5))
    assert await peer.read_all() == BODY[:5]
    async with asyncio.timeout(15):  # half of the limit for a standstill
        await sending
    peer.close()


async def test_what_the_receiver_says_is_ignored(file: Path) -> None:
    stream, peer = pair()
    sending = asyncio.create_task(sent(stream, file, 0, 1000))
    await peer.send(b"chatter" * 1000)
    assert await peer.read_all() == BODY[:1000]
    await peer.send(b"thank you")
    peer.close()
    await sending


async def test_a_receiver_that_had_nothing_to_say_from_the_start_gets_all(file: Path) -> None:
    """It closed its sending half before; that is not the end of the file's way."""
    stream, peer = pair()
    peer.sock.shutdown(socket.SHUT_WR)
    sending = asyncio.create_task(sent(stream, file, 0, len(BODY)))
    await loop_turns()
    assert not sending.done()
    assert await peer.read_all() == BODY
    await sending
    peer.close()


async def test_a_peer_that_takes_nothing_is_given_up(file: Path, tmp_path: Path) -> None:
    stream, peer = pair(idle_s=0.1)
    large = tmp_path / "large"
    with large.open("wb") as opened:
        os.truncate(opened.fileno(), 100_000_000)
    with pytest.raises(TransferTimeout):
        await sent(stream, large, 0, 100_000_000)
    peer.close()


async def test_bytes_that_only_our_kernel_has_are_not_delivered(file: Path) -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    ours.setblocking(False)
    stream, peer = ByteStream(SocketConnection(ours), idle_s=0.1), Peer(theirs)
    told: list[int] = []
    async with used(stream):
        with pytest.raises(TransferTimeout):
            await stream.send_file(file, 0, 500_000, told.append)
    assert told[-1] == 500_000
    peer.close()


@pytest.mark.parametrize("size", [1_000, len(BODY)])
@pytest.mark.parametrize("reset", [True, False])
async def test_a_peer_that_goes_is_noticed(file: Path, size: int, *, reset: bool) -> None:
    """Closing with bytes unread is a reset, too."""
    stream, peer = pair()
    sending = asyncio.create_task(sent(stream, file, 0, size))
    await loop_turns()
    peer.reset() if reset else peer.close()
    with pytest.raises(PeerGone):
        async with asyncio.timeout(15):  # half of the limit for a standstill
            await sending


async def test_a_file_that_shrank_is_damaged(file: Path) -> None:
    stream, peer = pair()
    sending = asyncio.create_task(sent(stream, file, 0, len(BODY) + 1))
    await peer.read_all()
    with pytest.raises(BlobCorrupt):
        await sending
    peer.close()


async def test_a_file_that_is_gone_is_damaged(tmp_path: Path) -> None:
    stream, peer = pair()
    with pytest.raises(BlobCorrupt):
        await sent(stream, tmp_path / "none", 0, 1)
    peer.close()


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.02])
async def test_cancelling_a_sender_leaves_nothing(file: Path, after_s: float) -> None:
    stream, peer = pair()
    async with nothing_left():
        sending = asyncio.create_task(sent(stream, file, 0, len(BODY)))
        await asyncio.sleep(after_s)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        stream.connection.close()  # cancelled before it began, nothing was entered
    peer.close()


# --- many ---------------------------------------------------------------------------------------


async def test_a_hundred_at_once_half_of_them_stalled(file: Path) -> None:
    async def good(number: int) -> None:
        stream, peer = pair()
        receiver = ByteStream(SocketConnection(peer.sock), idle_s=30)
        sending = asyncio.create_task(sent(stream, file, number, len(BODY) - number))
        assert await received(receiver, len(BODY) - number) == BODY[number:]
        await sending

    async def stalled() -> None:
        stream, peer = pair(idle_s=0.2)
        await peer.send(b"x")
        with pytest.raises(TransferTimeout):
            await received(stream, 2)
        peer.close()

    await asyncio.gather(*(good(number) for number in range(50)), *(stalled() for _ in range(50)))
