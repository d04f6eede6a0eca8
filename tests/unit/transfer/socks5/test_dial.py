"""Dialling stream hosts: order, limits, the address policy, and that no loser stays open."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from filebot.concurrency.locks import FairSemaphore, Shares
from filebot.errors import ForbiddenTarget, LocalProtocolError, PeerGone, PeerProtocolError, TransferError
from filebot.protocol.bytestreams import StreamHost, destination
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.resolver import NameLookup
from filebot.transfer.socks5 import dial as socks5_dial
from filebot.transfer.socks5 import listener as socks5_listener
from filebot.transfer.socks5.dial import dial
from filebot.transfer.socks5.listener import Listener
from filebot.transfer.socks5.staggered import first_to_succeed
from tests.support.waiting import loop_turns
from tests.unit.transfer.leaks import nothing_left

HASH = destination("sid", "a@x/1", "b@y/2")
LAX = AddressPolicy(allow_private=True)
STRICT = AddressPolicy()
QUICK_S = 20.0
"""Well below the limits, see ``_clean``, and long enough for a busy machine."""
CONNECT = b"\x05\x01\x00\x03\x28" + HASH.encode() + b"\0\0"

PRIVATE = [
    *("127.0.0.1", "127.1", "0x7f.1", "0.0.0.0", "10.1.2.3", "192.168.0.1", "169.254.169.254", "224.0.0.1"),
    *("::1", "::", "::ffff:127.0.0.1", "fe80::1", "fe80::1%lo", "fd00::1", "64:ff9b::7f00:1", "localhost"),
]

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
async def _clean(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(socks5_dial, "STAGGER_S", 0.02)
    monkeypatch.setattr(socks5_dial, "CANDIDATE_S", 60.0)
    monkeypatch.setattr(socks5_dial, "OVERALL_S", 60.0)
    async with nothing_left():
        yield


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[tuple[StreamHost, list[bool]]]:
    """A stream host that does as it is told; one entry a connection, True once the bot has closed it."""
    ended: list[bool] = []
    tasks = set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(ended)
        ended.append(False)
        try:
            await script(reader, writer)
            await reader.read()
            ended[number] = True
        except (ConnectionError, asyncio.IncompleteReadError):
            ended[number] = True
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield StreamHost("a@x/1", "127.0.0.1", server.sockets[0].getsockname()[1]), ended
        # A loser is closed at once, not when some limit is reached.
        _, late = await asyncio.wait(tasks, timeout=0.2) if tasks else ((), ())
        assert not late
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert await reader.read(100) == b"\x05\x01\x00"
    writer.write(b"\x05\x00")
    assert await reader.read(100) == CONNECT
    writer.write(b"\x05\x00" + CONNECT[2:])


def says(*parts: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            await reader.read(100)
            writer.write(part)

    return script


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and says nothing."""


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


@pytest.fixture
def black_hole() -> Iterator[StreamHost]:
    """A listener whose queue is full: the kernel does not answer any more."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield StreamHost("hole", "127.0.0.1", server.getsockname()[1])


def closed_port() -> StreamHost:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return StreamHost("closed", "127.0.0.1", server.getsockname()[1])


async def dialled(
    *hosts: StreamHost, policy: AddressPolicy = LAX, names: NameLookup | None = None
) -> StreamHost:
    used, connection = await dial(hosts, HASH, policy, own_addresses=(), names=names)
    connection.close()
    return used


@pytest.mark.conformance(63)
async def test_a_host_that_lets_us_in_is_used_and_its_first_bytes_are_kept() -> None:
    reply = b"\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50first"
    async with served(says(b"\x05\x00", reply)) as (host, _):
        used, connection = await dial([host], HASH, LAX, own_addresses=())
        assert (used, connection.rest) == (host, b"first")
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.close()


async def test_the_peers_order_decides_when_both_answer() -> None:
    async with served(welcome) as (one, _), served(welcome) as (two, _):
        for order in ((one, two), (two, one)):
            assert await dialled(*order) == order[0]


@pytest.mark.conformance(67)
@pytest.mark.parametrize(
    "bad", [silent, http, says(b"\x05\xff"), says(b"\x05\x00", b"\x05\x05"), says(b"\x04")]
)
async def test_a_bad_host_costs_a_moment_and_not_the_transfer(bad: Script) -> None:
    async with served(bad) as (one, ended), served(welcome) as (two, _):
        start = time.monotonic()
        assert await dialled(one, two) == two
        assert time.monotonic() - start < QUICK_S
    assert ended == [True]


async def test_a_black_hole_and_a_closed_port_cost_a_moment(black_hole: StreamHost) -> None:
    async with served(welcome) as (good, _):
        start = time.monotonic()
        assert await dialled(black_hole, closed_port(), good) == good
        assert time.monotonic() - start < QUICK_S


async def test_each_candidate_has_its_limit(
    black_hole: StreamHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socks5_dial, "CANDIDATE_S", 0.3)
    async with served(silent) as (host, _):
        start = time.monotonic()
        with pytest.raises(PeerGone):
            await dialled(host, black_hole)
        assert 0.25 < time.monotonic() - start < QUICK_S


async def test_all_of_them_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socks5_dial, "OVERALL_S", 0.1)
    async with served(silent) as (host, ended):
        start = time.monotonic()
        with pytest.raises(PeerGone, match="in time"):
            await dialled(host)
        assert time.monotonic() - start < QUICK_S
    assert ended == [True]


@pytest.mark.parametrize("length", range(2 + 47))
@pytest.mark.parametrize("cut", [True, False])
async def test_a_host_that_breaks_or_stalls_after_any_byte(
    length: int, monkeypatch: pytest.MonkeyPatch, *, cut: bool
) -> None:
    monkeypatch.setattr(socks5_dial, "CANDIDATE_S", 0.05)
    answer = b"\x05\x00" + b"\x05\x00" + CONNECT[2:]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer[: min(length, 2)])
        if length > 2:
            await reader.read(100)
            writer.write(answer[2:length])
        if cut:
            writer.close()

    async with served(script) as (host, _):
        with pytest.raises(PeerGone):
            await dialled(host)


async def test_dialling_no_hosts_raises_peer_gone() -> None:
    with pytest.raises(PeerGone):
        await dialled()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0.0.0.0",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "fe80::1",
        "fe80::1%lo",
        "fd00::1",
        "64:ff9b::7f00:1",
        "224.0.0.1",
        "255.255.255.255",
        "localhost",
    ],
)
async def test_private_places_are_not_dialled(host: str) -> None:
    async with served(silent) as (here, ended):
        with pytest.raises(ForbiddenTarget):
            await dialled(StreamHost("j", host, here.port), policy=STRICT)
    assert ended == []


async def test_a_forbidden_host_does_not_hide_a_failure() -> None:
    with pytest.raises(PeerGone):
        await dialled(StreamHost("j", "10.1.2.3", 80), StreamHost("j", "..", 80), policy=STRICT)


async def test_a_name_is_looked_up_once_and_its_allowed_addresses_are_dialled() -> None:
    asked = []

    def getaddrinfo(host: str, port: int, *_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]

    class Half(AddressPolicy):
        def allows(self, address: str) -> bool:
            return address == "127.0.0.1"

    async with served(welcome) as (here, _):
        host = StreamHost("j", "name.example", here.port)
        assert await dialled(host, policy=Half(), names=NameLookup(getaddrinfo)) == host
    assert asked == ["name.example"]


async def test_only_a_few_names_are_looked_up() -> None:
    asked = []

    def getaddrinfo(host: str, port: int, *_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(PeerGone):
        await dialled(
            *(StreamHost("j", f"n{number}.example", 80) for number in range(20)),
            names=NameLookup(getaddrinfo),
        )
    assert len(asked) == 4


@pytest.mark.parametrize("host", ["", "a" * 64 + ".example", "a\0b", "\ud800", "é" * 80, "..", "[::1]"])
async def test_what_is_no_host_at_all_is_a_failure_of_the_peer(host: str) -> None:
    with pytest.raises(TransferError):
        await dialled(StreamHost("j", host, 80), policy=STRICT)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::ffff:127.0.0.1", "localhost"])
async def test_the_bots_own_listener_is_never_dialled(host: str) -> None:
    async with Listener("0.0.0.0", 0) as listener:
        with listener.expect({HASH}) as session:
            own = [("203.0.113.5", listener.port)]
            with pytest.raises(ForbiddenTarget):
                await dial([StreamHost("j", host, listener.port)], HASH, LAX, own_addresses=own)
            assert session.is_free()


@pytest.mark.parametrize("host", ["203.0.113.5", "::ffff:203.0.113.5", "bot.example"])
async def test_nor_is_it_by_an_announced_address_that_leads_back(host: str) -> None:
    own = [("203.0.113.5", 5000), ("bot.example", 5000)]
    with pytest.raises(ForbiddenTarget):
        await dial([StreamHost("j", host, 5000)], HASH, LAX, own_addresses=own)


async def test_another_port_of_this_machine_is_not_the_listener() -> None:
    async with served(welcome) as (host, _):
        used, connection = await dial([host], HASH, LAX, own_addresses=[("127.0.0.1", 1)])
        connection.close()
        assert used == host


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.01, 0.03, 0.05])
async def test_cancelling_closes_everything(after_s: float, black_hole: StreamHost) -> None:
    async with nothing_left(), served(silent) as (one, ended), served(silent) as (two, _):
        task = asyncio.create_task(dialled(one, black_hole, two))
        await asyncio.sleep(after_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert all(ended)


async def test_fifty_dials_at_once_meet_the_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socks5_listener, "HANDSHAKE_S", 60.0)
    async with Listener("127.0.0.1", 0) as listener:

        async def meet(number: int) -> None:
            hashed = destination(str(number), "a", "b")
            with listener.expect({hashed}) as session:
                host = StreamHost("j", "127.0.0.1", listener.port)
                _, ours = await dial([host], hashed, LAX, own_addresses=())
                theirs = await session.connected(60)
                assert ours.sock.getsockname() == theirs.sock.getpeername()
                ours.close()
                theirs.close()

        await asyncio.gather(*(meet(number) for number in range(50)))


class _Thing:
    def __init__(self) -> None:
        self.thrown_away = False


async def test_a_second_winner_of_the_same_moment_is_thrown_away() -> None:
    made: list[_Thing] = []
    all_here = asyncio.Barrier(3)

    async def succeed() -> _Thing:
        await all_here.wait()
        made.append(_Thing())
        return made[-1]

    won = await first_to_succeed(
        [succeed, succeed, succeed], stagger_s=0, discard=lambda thing: setattr(thing, "thrown_away", True)
    )
    assert not won.thrown_away
    assert all(thing.thrown_away for thing in made if thing is not won)


async def test_a_winner_is_thrown_away_if_nobody_waits_any_more() -> None:
    """The loser takes its time to end, and meanwhile the caller is cancelled."""
    thing = _Thing()
    slow = asyncio.Event()

    async def win() -> _Thing:
        return thing

    async def lose() -> _Thing:
        try:
            await asyncio.sleep(60)
        finally:
            await slow.wait()
        raise AssertionError

    race = asyncio.create_task(
        first_to_succeed(
            [lose, win], stagger_s=0, discard=lambda thing: setattr(thing, "thrown_away", True)
        )
    )
    await loop_turns()
    race.cancel()
    with pytest.raises(asyncio.CancelledError):
        await race
    assert thing.thrown_away
    slow.set()


async def test_a_mistake_of_ours_is_not_taken_for_a_host_that_fails() -> None:
    async def mistaken() -> None:
        raise LocalProtocolError("a bug")

    async def failing() -> None:
        raise PeerProtocolError("no")

    with pytest.raises(LocalProtocolError):
        await first_to_succeed([failing, mistaken], stagger_s=0, discard=lambda _: None)


@pytest.mark.conformance(62)
async def test_the_request_waits_for_the_answer_to_the_greeting() -> None:
    came: list[bytes] = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read(100))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                came.append(await reader.read(100))
        writer.write(b"\x05\x00")
        came.append(await reader.read(100))
        writer.write(b"\x05\x00" + CONNECT[2:])

    async with served(look) as (host, _):
        _, connection = await dial([host], HASH, LAX, own_addresses=())
        connection.close()
    assert came == [b"\x05\x01\x00", CONNECT]
    assert len(CONNECT) == 47


async def test_attempts_to_connect_wait_for_each_other_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets = FairSemaphore(Shares(total=1, per_person=1))
    async with served(welcome) as (here, _), sockets.held("somebody"):
        with monkeypatch.context() as hasty:
            hasty.setattr(socks5_dial, "CANDIDATE_S", 0.3)
            with pytest.raises(PeerGone):
                await dial([here], HASH, LAX, own_addresses=(), sockets=sockets)
    async with served(welcome) as (here, _):
        used, connection = await dial([here], HASH, LAX, own_addresses=(), sockets=sockets)
        connection.close()
        assert used == here
