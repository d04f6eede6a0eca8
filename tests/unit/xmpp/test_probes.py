"""Measuring without a file: what is sent is little, what does not answer is no rate, nothing is left."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from filebot.errors import PeerGone, PeerProtocolError, TransferError, TransferTimeout
from filebot.protocol.bytestreams import StreamHost
from filebot.protocol.ibb import IBB, USUAL_BLOCK, decode
from filebot.xmpp import probes
from filebot.xmpp.express import Express
from filebot.xmpp.probes import RateProbe, reachable
from tests.unit.xmpp.conftest import Outbox

PEER = "anna@example.org/phone"


class Client:
    """Answers each block as told, after a while; counts."""

    def __init__(self, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.express = Express(outbox.stream)
        self.condition = "item-not-found"
        self.delay_s: Callable[[], float | None] = lambda: 0.0
        self.name_of: Callable[[str], str] = lambda stanza_id: stanza_id
        self.sent_bytes = self.in_flight = self.most_in_flight = 0
        self.sids: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._take = outbox.stream.express
        monkeypatch.setattr(outbox.stream, "post", self._post)

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


@pytest.fixture
async def client(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(probes, "RATE_S", 0.3)
    monkeypatch.setattr(probes, "SILENCE_S", 0.5)
    return Client(outbox, monkeypatch)


async def test_a_quick_path_is_measured_with_no_more_than_a_megabyte(
    outbox: Outbox, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "RATE_S", 30.0)
    rate = await RateProbe(outbox.stream, client.express, PEER).measure()
    assert rate > 0
    assert probes.RATE_BYTES <= client.sent_bytes < probes.RATE_BYTES + USUAL_BLOCK
    assert client.most_in_flight <= probes.PACE.most_bytes
    assert len(client.sids) == 1
    assert not client.express._askers


async def test_where_blocks_queue_up_hardly_any_is_on_its_way(
    outbox: Outbox, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of 20 kB/s: each block comes through after all before it."""
    monkeypatch.setattr(probes, "RATE_S", 2.0)
    free_at = 0.0

    def queued() -> float:
        nonlocal free_at
        now = asyncio.get_running_loop().time()
        free_at = max(free_at, now) + USUAL_BLOCK / 20_000
        return free_at - now

    client.delay_s = queued
    rate = await RateProbe(outbox.stream, client.express, PEER).measure()
    assert client.most_in_flight <= 4 * USUAL_BLOCK
    assert 5_000 < rate < 25_000


async def test_a_path_so_slow_that_one_block_takes_longer_is_waited_for(
    outbox: Outbox, client: Client
) -> None:
    client.delay_s = lambda: 0.4
    rate = await RateProbe(outbox.stream, client.express, PEER).measure()
    assert client.sent_bytes == USUAL_BLOCK
    assert rate < USUAL_BLOCK / 0.4


async def test_a_client_that_answers_nothing_has_no_rate(outbox: Outbox, client: Client) -> None:
    client.delay_s = lambda: None
    with pytest.raises(TransferTimeout):
        await RateProbe(outbox.stream, client.express, PEER).measure()
    assert client.sent_bytes == USUAL_BLOCK
    assert not client.express._askers


@pytest.mark.parametrize(
    ("condition", "name_of", "error"),
    [
        ("remote-server-not-found", lambda each: each, PeerGone),
        ("recipient-unavailable", lambda each: each, PeerGone),
        ("item-not-found", lambda each: each[:-1] + "7", PeerProtocolError),
    ],
)
async def test_who_is_not_there_or_lies_has_no_rate(
    outbox: Outbox,
    client: Client,
    condition: str,
    name_of: Callable[[str], str],
    error: type[TransferError],
) -> None:
    client.condition, client.name_of = condition, name_of
    with pytest.raises(error):
        await RateProbe(outbox.stream, client.express, PEER).measure()
    assert not client.express._askers


async def test_answers_under_another_name_are_nobodys(outbox: Outbox, client: Client) -> None:
    client.name_of = lambda stanza_id: "x" + stanza_id
    with pytest.raises(TransferTimeout):
        await RateProbe(outbox.stream, client.express, PEER).measure()


async def test_a_probe_that_is_cancelled_leaves_nothing(outbox: Outbox, client: Client) -> None:
    client.delay_s = lambda: None
    task = asyncio.create_task(RateProbe(outbox.stream, client.express, PEER).measure())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not client.express._askers


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
            raise PeerGone("refused")
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
        "proxy0.example.org": False,
        "proxy1.example.org": True,
        "proxy2.example.org": False,
    }
    assert connections.open == 0
    assert len(connections.destinations) == 3
    assert await reachable(connections, []) == {}
