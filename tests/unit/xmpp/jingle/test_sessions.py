"""Jingle sessions with a peer that is played: the order of stanzas, who may touch what, what is left."""

import asyncio
import socket
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from filebot.errors import LocalProtocolError, PeerGone, PeerProtocolError, Refused
from filebot.model import Method, Negotiation, StreamMethod
from filebot.protocol.bytestreams import destination
from filebot.protocol.jingle.actions import Action, Content
from filebot.protocol.jingle.namespaces import FILES, SOCKS5
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.quirks import STANDARD, Quirks, quirks_of
from filebot.protocol.jingle.transports import CandidateType, Socks5Transport
from filebot.protocol.stanza_error import StanzaError
from filebot.transfer.socks5.listener import Listener
from filebot.xmpp.bytestreams.socks5_proxies import Proxies
from filebot.xmpp.jingle.candidates import expected, own_candidates, to_dial
from tests.support.jingle_world import candidate as value
from tests.support.stream_lab import (
    BOT,
    PEER,
    SOCKS5_ONLY,
    Lab,
    accepts,
    candidate,
    file_offer,
    in_band,
    jingle,
    lab,
    names_in,
    net,
    our_proxy,
    reasons,
    sid_of,
    socks5,
)
from tests.support.streams import block, closing, entry, opening
from tests.support.virtual_time import in_virtual_time

HASH = "tdQEXD9Gb6kf4sxqvnkjKhpXzfEE96JubAVd0b1EXi8="


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789")
    return path


def agreeable(peer: Lab) -> None:
    """The peer acknowledges everything."""
    for kind in ("session-accept", "session-info", "session-terminate", "transport-info", "content-reject"):
        peer.answers(kind)
    for kind in ("transport-accept", "transport-reject", "transport-replace", "open", "data", "close"):
        peer.answers(kind)


async def met(said: Element, peer: Lab, port: int) -> socket.socket:
    """The peer connects to what the bot has offered, and says so; its connection."""
    loop = asyncio.get_running_loop()
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setblocking(False)
    hashed = destination(sid_of(said), BOT, PEER).encode()
    await loop.sock_sendall(sock, b"\x05\x01\x00")
    assert await loop.sock_recv(sock, 10) == b"\x05\x00"
    await loop.sock_sendall(sock, b"\x05\x01\x00\x03\x28" + hashed + b"\0\0")
    assert len(await loop.sock_recv(sock, 100)) == 47
    cid = next(each.get("cid") for each in said.iter(f"{{{SOCKS5}}}candidate"))
    used = socks5(sid_of(said), f"<candidate-used cid='{cid}'/>")
    peer.ask(jingle("transport-info", str(said.get("sid")), used))
    return sock


async def until(peer: Lab, kind: str) -> Element:
    """The bot has said this; its payload."""
    await peer.until(lambda: peer.heard(kind))
    return peer.heard(kind)[0]


# --- answers at once ------------------------------------------------------------------------------------


@pytest.mark.conformance(42)
@in_virtual_time
async def test_everything_is_answered_at_once_and_before_anything_is_done() -> None:
    async with lab() as peer:
        agreeable(peer)
        peer.on_offer = peer.take
        asked = peer.ask(file_offer("s", in_band("t")))
        assert [each.get("id") for each in peer.said] == [asked]
        assert peer.answer_to(asked).get("type") == "result"
        await until(peer, "session-accept")
        # Some of them end the session; what comes then is answered, too.
        for action in Action:
            before = len(peer.said)
            name = peer.ask(jingle(action.value, "s", content="c"))
            assert peer.said[before].get("id") == name, action
        await peer.settled()
        assert isinstance(peer.came[0], Refused)


@pytest.mark.conformance(42)
@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        (file_offer("s", "<transport xmlns='x:y'/>"), "unsupported-transports"),
        (jingle("session-initiate", "s", "<description xmlns='x:y'/>"), "unsupported-applications"),
        (file_offer("s", in_band("t") + "<security xmlns='x:y'/>"), "security-error"),
    ],
)
@in_virtual_time
async def test_what_is_declined_is_acknowledged_first(offered: str, reason: str) -> None:
    async with lab() as peer:
        agreeable(peer)
        asked = peer.ask(offered)
        await peer.settled()
        assert peer.said[0].get("id") == asked
        assert (peer.answer_to(asked).get("type"), reasons(peer)) == ("result", [reason])
        assert not peer.offers


@pytest.mark.conformance(54)
@in_virtual_time
async def test_nobody_else_can_touch_a_session() -> None:
    async with lab() as peer:
        agreeable(peer)
        peer.on_offer = peer.take
        peer.ask(file_offer("s", in_band("t")))
        await until(peer, "session-accept")
        others = ("anna@example.org/tablet", "anna@example.org", "boris@example.org/phone")
        for other in others:
            for action in ("session-terminate", "session-info", "transport-replace", "content-remove"):
                name = peer.ask(jingle(action, "s", content="c"), other)
                assert "unknown-session" in names_in(peer.answer_to(name))
            for payload in (opening("t"), block("t", 0, "QUJD"), closing("t")):
                assert "item-not-found" in names_in(peer.answer_to(peer.ask(payload, other)))
        # The same sid of somebody else is another session.
        peer.ask(file_offer("s", in_band("t")), others[0])
        await peer.settled()
        assert len(peer.offers) == 2
        for sender in (PEER, others[0]):
            peer.ask(opening("t"), sender)
            peer.ask(block("t", 0, "QUJD"), sender)
        await asyncio.sleep(5)
        assert peer.came == [b"ABC", b"ABC"]


# --- what the bot offers --------------------------------------------------------------------------------


@pytest.mark.compat("Conversations, Dino): read one content, in which the initiator alone sends")
@pytest.mark.conformance(44)
@in_virtual_time
async def test_an_offer_has_one_content_with_name_size_and_senders(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        peer.answers("session-initiate", StanzaError("service-unavailable"))
        with pytest.raises(PeerGone):
            await peer.send(file)
        [offered] = peer.heard("session-initiate")
        [content] = offered
        assert (content.get("senders"), content.get("creator")) == ("initiator", "initiator")
        files = list(content.iter(f"{{{FILES}}}file"))
        assert len(files) == 1
        texts = {each.tag.partition("}")[2]: each.text for each in files[0]}
        assert (texts["name"], texts["size"]) == ("a.bin", "10")


@pytest.mark.compat("Dino): breaks ties in its own way")
@pytest.mark.conformance(55, 56)
@in_virtual_time
async def test_our_candidates_are_complete_and_their_priorities_are_nobody_elses() -> None:
    async with net() as connections, lab(connections) as peer:
        our_proxy(peer, 5000)
        proxies = Proxies(peer.stream)
        made = [await own_candidates(connections, proxies, "t", BOT, PEER) for _ in range(8)]
        for transport in made:
            direct, proxy = transport.element()
            for each in (direct, proxy):
                assert set(each.keys()) == {"cid", "host", "jid", "port", "priority", "type"}
                assert all(each.attrib.values())
                assert int(each.get("priority", "0")) > 0
            assert (direct.get("type"), proxy.get("type")) == ("direct", "proxy")
            lower = {each.priority & 0xFFFF for each in transport.candidates}
            assert all(each % 2 for each in lower)
            assert len(lower) == 2
        # At random, so that they do not meet those of a client that counts from somewhere.
        assert len({transport.candidates[0].priority for transport in made}) > 1
        # Never above what a better type has, nor below a worse one.
        assert all(each.candidates[0].priority >> 16 == CandidateType.DIRECT.preference for each in made)


@pytest.mark.conformance(97)
@pytest.mark.parametrize("negotiation", [Negotiation.JINGLE, Negotiation.SI])
@in_virtual_time
async def test_nothing_is_sent_to_an_occupant_of_a_room(file: Path, negotiation: Negotiation) -> None:
    async with lab() as peer:
        way = StreamMethod(negotiation, Method.IBB)
        for to in ("den@conference.example.org/anna", "anna@example.org"):
            with pytest.raises(LocalProtocolError):
                await peer.streams.send(to, file, entry(file), way, lambda _: None)
        assert peer.said == []


@pytest.mark.conformance(97)
@in_virtual_time
async def test_an_offer_through_a_room_is_declined() -> None:
    async with lab() as peer:
        agreeable(peer)
        peer.ask(file_offer("s", in_band("t")), "den@conference.example.org/anna")
        await peer.settled()
        assert (reasons(peer), peer.offers) == (["decline"], [])


# --- one thing after the other --------------------------------------------------------------------------


@pytest.mark.compat("Conversations): takes two of them for reordered")
@pytest.mark.conformance(58)
@in_virtual_time
async def test_nothing_is_said_before_what_was_said_before_is_acknowledged() -> None:
    async with net(listens=False) as connections, lab(connections) as peer:
        peer.on_offer = peer.take
        peer.ask(file_offer("s", socks5("t")))
        await until(peer, "session-accept")
        await asyncio.sleep(10)
        # There is nothing to dial, so the outcome is known since long.
        assert peer.heard("transport-info") == []
        accept = next(each for each in peer.said if len(each) and each[0].get("action") == "session-accept")
        result = Element("{jabber:client}iq", {"type": "result", "id": accept.get("id", ""), "from": PEER})
        peer.stream._spawn_event(result)
        notice = await until(peer, "transport-info")
        assert "candidate-error" in names_in(notice)
        agreeable(peer)
        peer.ask(jingle("session-terminate", "s", "<reason><cancel/></reason>", content=None))
        await asyncio.sleep(20)
        assert len(peer.heard("transport-info")) == 1
        assert isinstance(peer.came[0], Refused)


@pytest.mark.compat("Gajim): leaves it at both although only one side sends")
@in_virtual_time
async def test_senders_may_be_both() -> None:
    async with lab() as peer:
        agreeable(peer)
        peer.on_offer = peer.take
        peer.ask(file_offer("s", in_band("t")).replace(" senders='initiator'", ""))
        await until(peer, "session-accept")
        peer.ask(opening("t"))
        peer.ask(block("t", 0, "QUJD"))
        await asyncio.sleep(5)
        assert (peer.came, reasons(peer)) == ([b"ABC"], ["success"])


@pytest.mark.compat("Dino): a close throws away what is not read yet")
@pytest.mark.conformance(76)
@in_virtual_time
async def test_the_stream_is_closed_when_the_receiver_has_the_file(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        accepts(peer, in_band)
        peer.answers("open")
        peer.answers("data")
        sending = asyncio.create_task(peer.send(file))
        await until(peer, "data")
        await asyncio.sleep(20)
        assert "close" not in peer.order
        sid = peer.heard("session-initiate")[0].get("sid")
        peer.ask(jingle("session-info", str(sid), f"<received xmlns='{FILES}'/>", content=None))
        assert await sending is Method.IBB
        assert peer.order[-1] == "close"


@pytest.mark.conformance(47)
@in_virtual_time
async def test_hashes_that_come_late_are_handed_to_who_stores_the_file() -> None:
    late: list[set[str]] = []

    async def take(offer: Any) -> None:
        async with offer.accept() as download:
            assert b"".join([bytes(each) async for each in download.chunks()]) == b"ABC"
            late.append({f"{name} {len(digest)}" for name, digest in download.late_hashes.items()})

    async with lab() as peer:
        agreeable(peer)
        peer.on_offer = take
        promised = "<size>3</size><hash-used xmlns='urn:xmpp:hashes:2' algo='sha-256'/>"
        peer.ask(file_offer("s", in_band("t"), promised))
        await until(peer, "session-accept")
        peer.ask(opening("t"))
        peer.ask(block("t", 0, "QUJD"))
        await asyncio.sleep(10)
        assert late == []
        hashes = (
            f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{HASH}</hash>"
            "<hash xmlns='urn:xmpp:hashes:1' algo='sha-1'>w0mcJylzCn+AfvuGdqkty2+KP48=</hash>"
        )
        checksum = f"<checksum xmlns='{FILES}'><file>{hashes}</file></checksum>"
        peer.ask(jingle("session-info", "s", checksum, content=None))
        await asyncio.sleep(1)
        assert late == [{"sha-256 32", "sha-1 20"}]
        assert reasons(peer) == ["success"]


# --- connections ----------------------------------------------------------------------------------------


def terms(*, initiating: bool, quirks: Quirks = STANDARD) -> SessionParameters:
    return SessionParameters("session", Content("file"), initiating, quirks=quirks)


@pytest.mark.compat("Gajim, 1.x): makes them of the session's sid, too")
@pytest.mark.conformance(59)
def test_the_listener_lets_in_by_either_order_of_the_jids_and_either_sid() -> None:
    hashes = expected(terms(initiating=True), "transport", BOT, PEER)
    assert hashes == {
        destination(sid, *order) for sid in ("transport", "session") for order in ((BOT, PEER), (PEER, BOT))
    }


@pytest.mark.compat("iris, Gajim): make it of the initiator and the responder, whoever offers")
@pytest.mark.parametrize("initiating", [True, False])
def test_a_direct_candidate_is_asked_by_both_orders_where_they_differ(*, initiating: bool) -> None:
    theirs = Socks5Transport("t", (value("c", CandidateType.DIRECT),))
    asked = [each.destination for each in to_dial(terms(initiating=initiating), theirs, BOT, PEER)]
    by_offerer, by_initiator = destination("t", PEER, BOT), destination("t", BOT, PEER)
    # If the bot is the responder, the peer both offers the candidate and is the initiator.
    assert asked == ([by_offerer, by_initiator] if initiating else [by_offerer])


@pytest.mark.conformance(68)
@pytest.mark.parametrize("initiating", [True, False])
def test_a_proxy_is_asked_for_the_dstaddr_that_the_peer_gives(*, initiating: bool) -> None:
    for dstaddr in ("a" * 40, ""):
        theirs = Socks5Transport("t", (value("c", CandidateType.PROXY),), dstaddr)
        [asked] = to_dial(terms(initiating=initiating), theirs, BOT, PEER)
        assert asked.destination == (dstaddr or destination("t", PEER, BOT))


def test_the_candidates_of_gajim_are_not_dialled() -> None:
    theirs = Socks5Transport("t", (value("c", CandidateType.DIRECT),))
    quirks = quirks_of("https://gajim.org")
    assert to_dial(terms(initiating=True, quirks=quirks), theirs, BOT, PEER) == {}


@pytest.mark.conformance(67)
@in_virtual_time
async def test_every_connection_that_lost_is_closed_and_the_door_is_shut(file: Path) -> None:
    """Both sides connect to each other; the peer's candidate wins, and ours is not needed any more."""
    async with (
        net() as connections,
        Listener("127.0.0.1", 0) as theirs,
        lab(connections) as peer,
    ):
        assert connections.listener is not None
        peer.knows(SOCKS5_ONLY)
        loop = asyncio.get_running_loop()
        offered: list[Element] = []
        peer.answers("session-initiate", "", offered.append)
        for kind in ("transport-info", "session-terminate"):
            peer.answers(kind)
        sending = asyncio.create_task(peer.send(file, Method.SOCKS5))
        await until(peer, "session-initiate")
        await peer.settled()
        [said] = offered
        transport_sid, session_sid = sid_of(said), str(said.get("sid"))
        better = candidate("c", theirs.port, kind="direct").replace("priority='9'", "priority='2147483647'")
        with theirs.expect([destination(transport_sid, PEER, BOT)]) as guest:
            peer.ask(jingle("session-accept", session_sid, socks5(transport_sid, better)))
            winning = await guest.connected(5)
            losing = await met(said, peer, connections.listener.port)
            # The losing one is closed: its end is seen.
            async with asyncio.timeout(5):
                assert await loop.sock_recv(losing, 10) == b""
            assert connections.listener._expected == {}
            assert winning.is_open()
            async with asyncio.timeout(30):
                came = b""
                while len(came) < 10:
                    came += await loop.sock_recv(winning.sock, 100)
            winning.close()
            received = f"<received xmlns='{FILES}'/>"
            peer.ask(jingle("session-info", session_sid, received, content=None))
            assert await sending is Method.SOCKS5
        losing.close()
        assert came == b"0123456789"


@pytest.mark.conformance(67)
@in_virtual_time
async def test_a_connection_that_the_bot_made_in_vain_is_closed_before_the_file_moves(file: Path) -> None:
    """Both sides connect to each other, and the candidate of the bot wins."""
    async with (
        net() as connections,
        Listener("127.0.0.1", 0) as theirs,
        lab(connections) as peer,
    ):
        assert connections.listener is not None
        peer.knows(SOCKS5_ONLY)
        loop = asyncio.get_running_loop()
        for kind in ("session-initiate", "transport-info", "session-terminate"):
            peer.answers(kind)
        sending = asyncio.create_task(peer.send(file, Method.SOCKS5))
        said = await until(peer, "session-initiate")
        transport_sid, session_sid = sid_of(said), str(said.get("sid"))
        with theirs.expect([destination(transport_sid, PEER, BOT)]) as guest:
            worse = candidate("c", theirs.port, kind="direct")
            peer.ask(jingle("session-accept", session_sid, socks5(transport_sid, worse)))
            losing = await guest.connected(5)
            winning = await met(said, peer, connections.listener.port)
            async with asyncio.timeout(5):
                assert await loop.sock_recv(losing.sock, 10) == b""
                assert await loop.sock_recv(winning, 100) == b"0123456789"
            assert not sending.done()
            winning.close()
            losing.close()
            peer.ask(jingle("session-info", session_sid, f"<received xmlns='{FILES}'/>", content=None))
            assert await sending is Method.SOCKS5


@in_virtual_time
async def test_a_session_that_is_accepted_and_then_terminated_leaves_nothing(file: Path) -> None:
    async with net() as connections, lab(connections) as peer:
        peer.knows()
        accepts(peer, socks5)

        def end(said: Element) -> None:
            bye = jingle(
                "session-terminate", str(said.get("sid")), "<reason><media-error/></reason>", content=None
            )
            peer.ask(bye)

        peer.answers("transport-info", "", end)
        with pytest.raises(PeerProtocolError, match="media-error"):
            await peer.send(file, Method.SOCKS5)
        assert connections.listener is not None
        assert connections.listener._expected == {}
        # Whoever ended it is not told so.
        assert reasons(peer) == []


@pytest.mark.conformance(53)
@pytest.mark.parametrize("how", ["peer", "stream"])
@in_virtual_time
async def test_a_session_ends_with_the_presence_of_its_peer_and_with_our_stream(
    file: Path, how: str
) -> None:
    async with lab() as peer:
        peer.knows()
        accepts(peer, in_band)
        peer.answers("open")
        sending = asyncio.create_task(peer.send(file))
        await until(peer, "data")
        if how == "peer":
            peer.streams.gone("anna@example.org/another")
            await peer.settled()
            assert not sending.done()
            peer.streams.gone(PEER)
        else:
            peer.streams.renewed()
        began = asyncio.get_running_loop().time()
        with pytest.raises(PeerGone):
            await sending
        assert asyncio.get_running_loop().time() == began


@pytest.mark.conformance(53)
@pytest.mark.parametrize("how", ["peer", "stream"])
@in_virtual_time
async def test_a_session_that_has_no_bytes_yet_ends_so_too(file: Path, how: str) -> None:
    """It waits for what comes of the candidates, so nothing of it is in-band."""
    async with net() as connections, lab(connections) as peer:
        peer.knows(SOCKS5_ONLY)
        accepts(peer, socks5)
        sending = asyncio.create_task(peer.send(file, Method.SOCKS5))
        await until(peer, "transport-info")
        began = asyncio.get_running_loop().time()
        if how == "peer":
            peer.streams.gone(PEER)
        else:
            peer.streams.renewed()
        with pytest.raises(PeerGone):
            await sending
        assert asyncio.get_running_loop().time() == began
