"""A stream host that refused or stalled costs its time once, and is then left alone for a while."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import tostring

import pytest

from filebot.errors import PeerGone, TransferError, TransferTimeout
from filebot.model import Method, Negotiation, ProxyState
from filebot.protocol.bytestreams import StreamHost, destination
from filebot.protocol.jingle.namespaces import SOCKS5
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import BYTESTREAMS
from filebot.transfer.socks5.listener import Listener
from filebot.xmpp.bytestreams import avoided_hosts
from filebot.xmpp.bytestreams.avoided_hosts import AVOIDED_FOR_S, AvoidedHosts
from tests.support.stream_lab import (
    BOT,
    PEER,
    SOCKS5_ONLY,
    Lab,
    accepts,
    candidate,
    file_offer,
    jingle,
    lab,
    net,
    our_proxy,
    sid_of,
    socks5,
    their_proxy,
)
from tests.support.streams import accepted, offer, stream_hosts
from tests.support.virtual_time import in_virtual_time
from tests.unit.test_waits import takes

PROXY = StreamHost("proxy.example.org", "10.0.0.1", 5000)
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789")
    return path


def kinds(said: Any) -> list[str]:
    """The types of the candidates in what was said."""
    return [each.get("type", "") for each in said.iter(f"{{{SOCKS5}}}candidate")]


def agreeable(peer: Lab) -> None:
    """The bot takes what is offered, and the peer acknowledges what it says."""
    peer.on_offer = peer.take
    for action in ("session-accept", "transport-info", "session-terminate"):
        peer.answers(action)


@in_virtual_time
async def test_one_that_failed_one_person_is_left_alone_for_them_and_only_for_a_while() -> None:
    hosts = AvoidedHosts()
    hosts.avoid([PROXY], "anna@example.org/phone")
    assert hosts.is_avoided(StreamHost("other.example.org", "10.0.0.1", 5000), "anna@example.org/desk")
    assert not hosts.is_avoided(PROXY, "bob@example.org/desk")
    assert not hosts.is_avoided(PROXY)
    hosts.avoid([PROXY])
    assert hosts.is_avoided(PROXY, "bob@example.org/desk")
    await asyncio.sleep(AVOIDED_FOR_S)
    assert not hosts.is_avoided(PROXY, "anna@example.org/phone")


async def test_nobody_fills_the_memory_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avoided_hosts, "MOST", 3)
    hosts = AvoidedHosts()
    many = [StreamHost("proxy.example.org", f"10.0.0.{number}", 5000) for number in range(9)]
    hosts.avoid(many)
    assert [hosts.is_avoided(host) for host in many] == [False] * 6 + [True] * 3


@in_virtual_time
async def test_a_proxy_of_ours_that_was_not_activated_is_not_named_again(file: Path) -> None:
    async with (
        net(listens=False) as connections,
        Listener("127.0.0.1", 0) as proxy,
        lab(connections) as peer,
        AsyncExitStack() as stack,
    ):
        peer.knows(SOCKS5_ONLY)
        our_proxy(peer, proxy.port)

        def accept(said: Any) -> None:
            cids = [each.get("cid") for each in said.iter(f"{{{SOCKS5}}}candidate")]
            peer.ask(jingle("session-accept", said.get("sid"), socks5(sid_of(said))))
            used = f"<candidate-used cid='{cids[0]}'/>" if cids else "<candidate-error/>"
            if cids:
                stack.enter_context(proxy.expect([destination(sid_of(said), BOT, PEER)]))
            peer.ask(jingle("transport-info", said.get("sid"), socks5(sid_of(said), used)))

        accepts(peer, socks5)
        peer.answers("session-initiate", "", accept)
        with takes(10.0), pytest.raises(PeerGone):
            await peer.send(file, Method.SOCKS5)
        with takes(0.0), pytest.raises(PeerGone):
            await peer.send(file, Method.SOCKS5)
        assert [kinds(each) for each in peer.heard("session-initiate")] == [["proxy"], []]
        # Whoever asks how files travel is told.
        assert await peer.streams.proxies() == {"proxy.example.org": ProxyState.FAILS}


@in_virtual_time
async def test_who_makes_a_proxy_of_ours_refuse_takes_it_from_nobody_else(file: Path) -> None:
    async with (
        net(listens=False) as connections,
        Listener("127.0.0.1", 0) as proxy,
        lab(connections) as peer,
        AsyncExitStack() as stack,
    ):
        peer.knows(SOCKS5_ONLY)
        our_proxy(peer, proxy.port)

        def lie(said: Any) -> None:
            # They say that they are connected to it, and are not: so it does not know the session.
            peer.answers("query of bytestreams", StanzaError("item-not-found"))
            cids = [each.get("cid") for each in said.iter(f"{{{SOCKS5}}}candidate")]
            stack.enter_context(proxy.expect([destination(sid_of(said), BOT, PEER)]))
            peer.ask(jingle("session-accept", said.get("sid"), socks5(sid_of(said))))
            used = socks5(sid_of(said), f"<candidate-used cid='{cids[0]}'/>")
            peer.ask(jingle("transport-info", said.get("sid"), used))

        accepts(peer, socks5)
        peer.answers("session-initiate", "", lie)
        with pytest.raises(PeerGone):
            await peer.send(file, Method.SOCKS5)
        assert kinds(peer.heard("session-initiate")[0]) == ["proxy"]
        host = StreamHost("proxy.example.org", "127.0.0.1", proxy.port)
        assert peer.streams._tools.avoided.is_avoided(host, PEER)
        assert not peer.streams._tools.avoided.is_avoided(host, "bob@example.org/desk")


@in_virtual_time
async def test_a_proxy_of_theirs_that_was_not_activated_is_not_tried_again(file: Path) -> None:
    async with net() as connections, Listener("127.0.0.1", 0) as proxy, lab(connections) as peer:
        peer.knows(SOCKS5_ONLY)
        hashed = "a" * 40
        accepts(peer, their_proxy(proxy.port, hashed), then="<candidate-error/>")
        with proxy.expect([hashed]):
            with takes(30.0), pytest.raises(PeerGone):
                await peer.send(file, Method.SOCKS5)
            with takes(0.0), pytest.raises(PeerGone):
                await peer.send(file, Method.SOCKS5)


@pytest.mark.parametrize("answer", [None, StanzaError("item-not-found")])
@in_virtual_time
async def test_proxies_that_do_not_lead_to_a_person_are_not_named_to_them_again(
    file: Path, answer: StanzaError | None
) -> None:
    async with net(listens=False) as connections, lab(connections) as peer:
        our_proxy(peer, 5000)
        peer.answers("si", tostring(accepted(BYTESTREAMS), encoding="unicode"))

        peer.answers("open", StanzaError("not-acceptable"))

        async def send() -> None:
            with pytest.raises(TransferError):
                await peer.send(file, Method.SOCKS5, Negotiation.SI)

        await peer.streams.proxies()  # the search for them
        peer.answers("query of bytestreams", answer)
        with takes(60.0 if answer is None else 0.0):
            await send()
        with takes(0.0):
            await send()
        assert len(peer.heard("query of bytestreams")) == 2  # of the search, and of the first file


@pytest.mark.parametrize("by_jingle", [True, False])
@in_virtual_time
async def test_one_by_which_nothing_comes_is_left_alone(*, by_jingle: bool) -> None:
    async with net(idle_s=60.0) as connections, Listener("127.0.0.1", 0) as proxy, lab(connections) as peer:
        agreeable(peer)
        hashed = destination("t", PEER, BOT)

        async def offered() -> None:
            if by_jingle:
                peer.ask(file_offer("s", socks5("t", candidate("theirs", proxy.port))))
                await peer.until(lambda: peer.heard("transport-info"))
                peer.ask(jingle("transport-info", "s", socks5("t", "<candidate-error/>"), content="c"))
                activated = socks5("t", "<activated cid='theirs'/>")
                peer.ask(jingle("transport-info", "s", activated, content="c"))
            else:
                peer.ask(offer("t", 3, BYTESTREAMS))
                await peer.settled()
                peer.ask(stream_hosts("t", ("theirs", "127.0.0.1", proxy.port)))

        with proxy.expect([hashed]):
            await offered()
            await asyncio.sleep(61)
            assert [type(each) for each in peer.came] == [TransferTimeout]
        host = StreamHost("theirs", "127.0.0.1", proxy.port)
        assert peer.streams._tools.avoided.is_avoided(host, PEER)
        assert not peer.streams._tools.avoided.is_avoided(host, "bob@example.org/desk")


@pytest.mark.parametrize("theirs_too", [True, False])
@in_virtual_time
async def test_a_proxy_that_the_peer_names_is_not_named_by_us_as_well(*, theirs_too: bool) -> None:
    async with net() as connections, lab(connections) as peer:
        our_proxy(peer, 5000)
        agreeable(peer)
        port = 5000 if theirs_too else 5001
        peer.ask(file_offer("s", socks5("t", candidate("theirs", port))))
        await peer.settled()
        [accept] = peer.heard("session-accept")
        assert kinds(accept) == (["direct"] if theirs_too else ["direct", "proxy"])
        peer.ask(jingle("session-terminate", "s", "<reason><cancel/></reason>", content=None))


@pytest.mark.compat("Dino, 0.4.2")
@in_virtual_time
async def test_where_there_is_nothing_else_the_same_proxy_is_named() -> None:
    async with net(listens=False) as connections, lab(connections) as peer:
        our_proxy(peer, 5000)
        agreeable(peer)
        peer.ask(file_offer("s", socks5("t", candidate("theirs", 5000))))
        await peer.settled()
        [accept] = peer.heard("session-accept")
        assert kinds(accept) == ["proxy"]
        peer.ask(jingle("session-terminate", "s", "<reason><cancel/></reason>", content=None))


@in_virtual_time
async def test_a_proxy_that_serves_others_only_is_there_all_the_same(tmp_path: Path) -> None:
    async with net(listens=False) as connections, lab(connections) as peer:
        our_proxy(peer, 5000)
        peer.answers("query of bytestreams", StanzaError("forbidden", "auth"))
        assert await peer.streams.proxies() == {"proxy.example.org": ProxyState.FAILS}
        assert not await peer.streams.meets_by_socks5()
