"""Measuring without a file: what is sent is little, what does not answer is no rate, nothing is left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from filebot.errors import PeerGone, PeerProtocolError, StreamHostRefused, TransferError, TransferTimeout
from filebot.model import ProxyState
from filebot.protocol.bytestreams import StreamHost
from filebot.protocol.ibb import IBB, USUAL_BLOCK, decode
from filebot.xmpp.bytestreams import probes
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.bytestreams.probes import RateProbe, reachable
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.connection.stream_setup import build
from tests.support.virtual_time import in_virtual_time, seconds

PEER = "anna@example.org/phone"


class Client:
    """Answers each block as told, after a while; counts."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.fast_path = IqFastPath(stream)
        self.condition = "item-not-found"
        self.delay_s: Callable[[], float | None] = lambda: 0.0
        self.name_of: Callable[[str], str] = lambda stanza_id: stanza_id
        self.sent_bytes = self.in_flight = self.most_in_flight = 0
        self.sids: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._take = stream.fast_path
        stream.post = self._post  # type: ignore[method-assign]  # nothing is connected to it

    async def measure(self) -> float:
        return await RateProbe(self.stream, self.fast_path, PEER, "bot@example.org/filebot").measure()

    def _post(self, text: str) -> None:
        stanza = fromstring(text)
        [data] = stanza
        assert data.tag == f"{{{IBB}}}data"
        self.sids.add(data.attrib["sid"])
        size = len(decode(data.text))
        self.sent_bytes += size
        self.in_flight += size
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        delay_s = self.delay_s()
        if delay_s is not None:
            self._loop.call_later(delay_s, self._answer, stanza.attrib["id"], size)

    def _answer(self, stanza_id: str, size: int) -> None:
        self.in_flight -= size
        assert self._take is not None
        error = f"<{self.condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        self._take(
            fromstring(
                f"<iq xmlns='jabber:client' type='error' from='{PEER}' id='{self.name_of(stanza_id)}'>"
                f"<error type='cancel'>{error}</error></iq>"
            )
        )


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    stream = build(SessionSettings("bot@example.org", "secret", host="127.0.0.1", port=1))
    try:
        yield Client(stream)
    finally:
        await stream.close(0.0)


@in_virtual_time
async def test_a_quick_path_is_measured_with_no_more_than_a_megabyte() -> None:
    async with client() as peer:
        assert await peer.measure() > 0
        assert probes.RATE_BYTES <= peer.sent_bytes < probes.RATE_BYTES + USUAL_BLOCK
        assert peer.most_in_flight <= probes.PACE.most_bytes
        assert len(peer.sids) == 1
        assert not peer.fast_path._askers


@in_virtual_time
async def test_where_blocks_queue_up_hardly_any_is_on_its_way() -> None:
    """A line of 20 kB/s: each block comes through after all before it."""
    free_at = 0.0

    def queued() -> float:
        nonlocal free_at
        now = asyncio.get_running_loop().time()
        free_at = max(free_at, now) + USUAL_BLOCK / 20_000
        return free_at - now

    async with client() as peer:
        peer.delay_s = queued
        rate = await peer.measure()
        assert peer.most_in_flight <= 4 * USUAL_BLOCK
        assert 5_000 < rate < 25_000


@in_virtual_time
async def test_a_path_so_slow_that_one_block_takes_longer_is_waited_for() -> None:
    assert probes.RATE_S < 4.0 < probes.SILENCE_S
    async with client() as peer:
        peer.delay_s = lambda: 4.0
        assert await peer.measure() == pytest.approx(USUAL_BLOCK / 4.0)
        assert peer.sent_bytes == USUAL_BLOCK


@in_virtual_time
async def test_a_client_that_answers_nothing_has_no_rate() -> None:
    async with client() as peer:
        peer.delay_s = lambda: None
        measuring = asyncio.create_task(peer.measure())
        assert await seconds(measuring) == pytest.approx(probes.SILENCE_S)
        with pytest.raises(TransferTimeout):
            await measuring
        assert peer.sent_bytes == USUAL_BLOCK
        assert not peer.fast_path._askers


@pytest.mark.parametrize(
    ("condition", "name_of", "error"),
    [
        ("remote-server-not-found", lambda each: each, PeerGone),
        ("recipient-unavailable", lambda each: each, PeerGone),
        ("item-not-found", lambda each: each[:-1] + "7", PeerProtocolError),
    ],
)
@in_virtual_time
async def test_who_is_not_there_or_lies_has_no_rate(
    condition: str, name_of: Callable[[str], str], error: type[TransferError]
) -> None:
    async with client() as peer:
        peer.condition, peer.name_of = condition, name_of
        with pytest.raises(error):
            await peer.measure()
        assert not peer.fast_path._askers


@in_virtual_time
async def test_answers_under_another_name_are_nobodys() -> None:
    async with client() as peer:
        peer.name_of = lambda stanza_id: "x" + stanza_id
        with pytest.raises(TransferTimeout):
            await peer.measure()


@in_virtual_time
async def test_a_probe_that_is_cancelled_leaves_nothing() -> None:
    async with client() as peer:
        peer.delay_s = lambda: None
        task = asyncio.create_task(peer.measure())
        await asyncio.sleep(probes.RATE_S / 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not peer.fast_path._askers


# --- proxies -----------------------------------------------------------------------------------------


class Connections:
    """Some hosts let in, others do not."""

    def __init__(self, *lets_in: str) -> None:
        self._lets_in = lets_in
        self.destinations: set[str] = set()
        self.open = 0

    def addresses(self) -> Sequence[tuple[str, int]]:
        return []

    async def dial(
        self, hosts: Sequence[StreamHost], destination: str, *, trusted: bool = False
    ) -> tuple[StreamHost, "Connections"]:
        assert trusted
        self.destinations.add(destination)
        await asyncio.sleep(0)
        if hosts[0].host not in self._lets_in:
            raise StreamHostRefused("refused") if hosts[0].host == "10.0.0.2" else PeerGone("not there")
        self.open += 1
        return hosts[0], self

    async def close(self) -> None:
        self.open -= 1

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not to be used")


async def test_each_proxy_is_tried_by_itself_and_left_again() -> None:
    hosts = [StreamHost(f"proxy{n}.example.org", f"10.0.0.{n}", 5000) for n in range(3)]
    connections = Connections("10.0.0.1")
    found = await reachable(connections, hosts)
    assert found == {
        "proxy0.example.org": ProxyState.FAILS,
        "proxy1.example.org": ProxyState.WORKS,
        "proxy2.example.org": ProxyState.POSSIBLE,
    }
    assert connections.open == 0
    assert len(connections.destinations) == 3
    assert await reachable(connections, []) == {}
