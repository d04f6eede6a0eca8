"""The bot's own stream host: who gets in, who is cut off, and that nothing stays behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress

import pytest

from filebot.errors import LocalProtocolError, PeerGone, TransferTimeout
from filebot.protocol.bytestreams import destination, destinations
from filebot.system.descriptors import MOST_HANDSHAKES
from filebot.transfer.socks5 import listener as socks5_listener
from filebot.transfer.socks5.listener import Listener
from tests.support.waiting import loop_turns
from tests.unit.transfer.leaks import descriptors, nothing_left

SESSION = destinations("sid", "a@x/1", "b@y/2")
HASH = destination("sid", "a@x/1", "b@y/2")
GREETING = b"\x05\x01\x00"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def connect(hashed: str) -> bytes:
    return b"\x05\x01\x00\x03\x28" + hashed.encode() + b"\0\0"


def reply(hashed: str) -> bytes:
    return b"\x05\x00\x00\x03\x28" + hashed.encode() + b"\0\0"


class Guests:
    """Clients of the listener, closed at the end of the test."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writers: list[asyncio.StreamWriter] = []

    async def come(self, *said: bytes, address: str = "127.0.0.1") -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        self.writers.append(writer)
        for part in said:
            writer.write(part)
            await writer.drain()
        return reader, writer

    async def enter(self, hashed: str) -> Streams:
        reader, writer = await self.come(GREETING)
        assert await reader.readexactly(2) == b"\x05\x00"
        writer.write(connect(hashed))
        assert await reader.readexactly(47) == reply(hashed)
        return reader, writer

    async def leave(self) -> None:
        for writer in self.writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture
def most_unknown() -> int:
    return MOST_HANDSHAKES


@pytest.fixture
async def listener(most_unknown: int) -> AsyncIterator[Listener]:
    async with nothing_left(), Listener("127.0.0.1", 0, most_unknown) as made:
        yield made


@pytest.fixture
async def guests(listener: Listener) -> AsyncIterator[Guests]:
    made = Guests(listener.port)
    yield made
    await made.leave()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return the bytes received until the other side closed the connection."""
    try:
        return await asyncio.wait_for(reader.read(), 2)
    except ConnectionError:
        return b""


@pytest.mark.conformance(59)
@pytest.mark.parametrize("hashed", sorted(SESSION))
async def test_the_peer_gets_in_by_either_hash(listener: Listener, guests: Guests, hashed: str) -> None:
    with listener.expect(SESSION) as session:
        reader, writer = await guests.enter(hashed)
        connection = await session.connected(1)
    writer.write(b"hello")
    loop = asyncio.get_running_loop()
    assert await loop.sock_recv(connection.sock, 100) == b"hello"
    await loop.sock_sendall(connection.sock, b"bye")
    connection.close()
    assert await ended(reader) == b"bye"


async def test_it_may_be_waited_for_before_it_comes(listener: Listener, guests: Guests) -> None:
    with listener.expect(SESSION) as session:
        waiting = asyncio.create_task(session.connected(2))
        await loop_turns()
        await guests.enter(HASH)
        (await waiting).close()


async def test_what_comes_with_the_handshake_is_not_lost(listener: Listener, guests: Guests) -> None:
    with listener.expect(SESSION) as session:
        await guests.come(GREETING + connect(HASH) + b"first bytes")
        connection = await session.connected(1)
        assert connection.rest == b"first bytes"
        connection.close()


async def test_the_handshake_may_come_byte_by_byte(listener: Listener, guests: Guests) -> None:
    with listener.expect(SESSION) as session:
        await guests.come(*(bytes((byte,)) for byte in GREETING + connect(HASH)))
        (await session.connected(2)).close()


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x04\x01",
        b"\x05\x01\x02",
        GREETING + connect("0" * 40),
        GREETING + b"H",
    ],
)
async def test_strangers_are_cut_off_at_once(listener: Listener, guests: Guests, said: bytes) -> None:
    with listener.expect(SESSION):
        reader, _ = await guests.come(said)
        assert len(await ended(reader)) <= 12


async def test_a_session_ends_with_its_context(listener: Listener, guests: Guests) -> None:
    with listener.expect(SESSION):
        reader, _ = await guests.enter(HASH)
    assert await ended(reader) == b""
    reader, _ = await guests.come(GREETING + connect(HASH))
    assert (await ended(reader))[:4] == b"\x05\x00\x05\x02"


async def test_a_second_connection_is_refused_while_the_first_lives(
    listener: Listener, guests: Guests
) -> None:
    with listener.expect(SESSION) as session:
        _, first = await guests.enter(HASH)
        reader, _ = await guests.come(GREETING + connect(HASH))
        assert (await ended(reader))[:4] == b"\x05\x00\x05\x02"
        first.close()
        await loop_turns()
        await guests.enter(HASH)
        connection = await session.connected(1)
        reader, _ = await guests.come(GREETING + connect(HASH))
        assert (await ended(reader))[:4] == b"\x05\x00\x05\x02"
        connection.close()


async def test_a_peer_that_left_again_is_waited_for_anew(listener: Listener, guests: Guests) -> None:
    with listener.expect(SESSION) as session:
        _, first = await guests.enter(HASH)
        first.close()
        await loop_turns()
        with pytest.raises(TransferTimeout):
            await session.connected(0.05)


async def test_waiting_for_a_guest_who_never_comes_times_out(listener: Listener) -> None:
    with listener.expect(SESSION) as session, pytest.raises(TransferTimeout):
        await session.connected(0.05)


async def test_two_sessions_do_not_share_a_hash(listener: Listener) -> None:
    with listener.expect(SESSION):
        with pytest.raises(LocalProtocolError), listener.expect({HASH}):
            pass
        with listener.expect(destinations("other", "a@x/1", "b@y/2")):
            pass


@pytest.mark.parametrize("length", range(len(GREETING) + 47))
async def test_a_stall_after_any_byte_ends_in_time(
    listener: Listener, guests: Guests, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(socks5_listener, "HANDSHAKE_S", 0.03)
    with listener.expect(SESSION) as session:
        reader, _ = await guests.come((GREETING + connect(HASH))[:length])
        assert await ended(reader) in {b"", b"\x05\x00"}
        assert session.is_free()


@pytest.mark.parametrize("length", range(len(GREETING) + 47))
async def test_a_cut_after_any_byte_leaves_nothing(listener: Listener, guests: Guests, length: int) -> None:
    async with nothing_left():
        with listener.expect(SESSION) as session:
            _, writer = await guests.come((GREETING + connect(HASH))[:length])
            if length % 2:
                writer.transport.abort()
            else:
                writer.close()
            await loop_turns()
            assert session.is_free()


async def test_a_hundred_at_once_each_get_their_own(listener: Listener, guests: Guests) -> None:
    async def meet(number: int) -> None:
        hashed = destination(str(number), "a", "b")
        with listener.expect({hashed}) as session:
            coming = asyncio.create_task(guests.enter(hashed))
            connection = await session.connected(5)
            reader, _ = await coming
            await asyncio.get_running_loop().sock_sendall(connection.sock, hashed.encode())
            connection.close()
            assert await reader.read() == hashed.encode()

    await asyncio.gather(*(meet(number) for number in range(100)))


@pytest.mark.parametrize("most_unknown", [10])
async def test_a_crowd_of_silent_ones_keeps_nobody_out(listener: Listener, guests: Guests) -> None:
    crowd = [await guests.come(b"\x05") for _ in range(20)]
    with listener.expect(SESSION) as session:
        await guests.enter(HASH)
        (await session.connected(1)).close()
    cut = [reader.at_eof() for reader, _ in crowd]
    assert cut[:15] == [True] * 15
    assert not any(cut[-4:])


@pytest.mark.parametrize("most_unknown", [4])
async def test_all_addresses_together_have_a_bound_too(guests: Guests) -> None:
    oldest, _ = await guests.come(address="127.0.0.2")
    for number in range(3, 7):
        await guests.come(address=f"127.0.0.{number}")
    assert await ended(oldest) == b""


async def test_closing_ends_everything() -> None:
    async with nothing_left():
        with ExitStack() as sessions:
            async with Listener("::", 0) as listener:
                guests = Guests(listener.port)
                silent, _ = await guests.come()
                session = sessions.enter_context(listener.expect(SESSION))
                second = sessions.enter_context(listener.expect({"0" * 40}))
                held, _ = await guests.enter(HASH)
                waiting = asyncio.create_task(second.connected(5))
                await asyncio.sleep(0)
            with pytest.raises(PeerGone):
                await waiting
            with pytest.raises(PeerGone):
                await session.connected(5)
        assert await ended(silent) == await ended(held) == b""
        with pytest.raises(ConnectionRefusedError):
            await guests.come()
        await guests.leave()


async def test_cancelling_the_wait_leaves_nothing(listener: Listener, guests: Guests) -> None:
    async with nothing_left():
        with listener.expect(SESSION) as session:
            waiting = asyncio.create_task(session.connected(5))
            await loop_turns()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting


async def test_the_port_may_be_taken(listener: Listener) -> None:
    before = descriptors()
    with pytest.raises(OSError, match="in use"):
        async with Listener("127.0.0.1", listener.port):
            pass
    assert descriptors() == before
