"""Nothing hangs: every wait of byte streams is gone through, with a peer that falls silent just there.

The clock is virtual (see ``virtual_time``), so that each limit is waited for in full; a wait without one is
an error at once. Each test says which limits it has waited for, and the last ones compare them with all
that there are.
"""

import ast
import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, ParamSpec
from xml.etree.ElementTree import tostring

import pytest

import filebot
from filebot.errors import NoUploadService, PeerGone, SizeMismatch, TransferTimeout
from filebot.model import Method, Negotiation
from filebot.plugin import Context, Plugin
from filebot.protocol.bytestreams import StreamHost, destination
from filebot.protocol.ibb import IBB
from filebot.protocol.jingle.namespaces import SOCKS5
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import BYTESTREAMS
from filebot.testing import FakeBot
from filebot.testing.http import HostedFile, MemoryWeb
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.socks5.connections import ByteStream
from filebot.transfer.socks5.dial import dial
from filebot.transfer.socks5.listener import Listener
from filebot.transfer.socks5.socket import SocketConnection
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.bytestreams.socks5_proxies import Proxies
from filebot.xmpp.http_upload import UploadSlots
from tests.support.stream_lab import (
    BOT,
    PEER,
    SOCKS5_ONLY,
    Lab,
    accepts,
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
    their_proxy,
)
from tests.support.streams import accepted, block, closing, offer, opening, stream_hosts
from tests.support.virtual_time import in_virtual_time
from tests.unit.transfer.leaks import nothing_left

PACKAGE = Path(filebot.__file__).parent
PLACES = ("xmpp", "transfer", "protocol")

NO_WAITS = {
    "protocol/http_range._FIRST_DELAY_S": "a pause before another try",
    "protocol/http_range._LONGEST_DELAY_S": "a pause before another try",
    "protocol/ibb._SHORTEST_S": "what clocks do not tell from nothing",
    "transfer/socks5/send._POLL_S": "how often it is looked whether a limit is over",
    "transfer/socks5/receive.COOL_S": "a part of idle_s, after which memory is given back",
    "transfer/socks5/receive.GATHER_S": "bytes that are there are handed on after it; nobody is waited for",
    "protocol/http_range._DAY_S": "the longest pause that is told to people",
    "transfer/http/download.LONGEST_PAUSE_S": "a pause before another try",
    "transfer/http/upload._FLUSH_POLL_S": "how often it is looked whether a limit is over",
    "transfer/socks5/listener._PAUSE_S": "a pause, when the system has no more sockets",
    "xmpp/commands/runner.SWEEP_S": "a pause between two looks at the clock",
    "xmpp/bytestreams/avoided_hosts.AVOIDED_FOR_S": "how long something is left alone",
    "xmpp/archive/catchup.GATHER_S": "a pause before the archive is read",
    "xmpp/archive/page_reader.REST_S": "a pause between two parts of the archive",
    "xmpp/archive/catchup.REVIEW_S": "a pause before the archive is read on",
    "xmpp/archive/position_keeper.SAVE_AGAIN_S": "a pause before another try",
    "xmpp/archive/position_keeper.SAVE_EVERY_S": "a pause between two looks at the mark",
    "xmpp/archive/page_reader.FIRST_WAIT_S": "a pause before another try",
    "xmpp/archive/page_reader.LONGEST_WAIT_S": "a pause before another try",
    "xmpp/connection/reconnect.FIRST_WAIT_S": "a pause before the next login",
    "xmpp/connection/reconnect.LONGEST_WAIT_S": "a pause before the next login",
    "xmpp/connection/reconnect.PING_INTERVAL_S": "a pause between two pings",
    "xmpp/connection/reconnect.STABLE_AFTER_S": "how long a session lives before it counts as good",
    "xmpp/rooms/room_sender.AGAIN_S": "a pause before something is said again",
    "xmpp/rooms/room_sender.LONGEST_AGAIN_S": "a pause before something is said again",
    "xmpp/rooms/room_sender.BURST_S": "how fast the bot speaks",
    "xmpp/bytestreams/socks5_proxies.NOTHING_FOUND_FOR_S": "how long an answer is believed",
    "xmpp/presence/online_clients.SILENT_FOR_S": "how long an answer is believed",
    "xmpp/rooms/keeper.FIRST_WAIT_S": "a pause before the bot comes back",
    "xmpp/rooms/keeper.LONGEST_WAIT_S": "a pause before the bot comes back",
    "xmpp/rooms/keeper.FIRST_NOWHERE_PAUSE_S": "a pause before the bot comes back",
    "xmpp/rooms/keeper.KICKED_FOR_S": "a pause before the bot comes back",
    "xmpp/rooms/keeper.LONGEST_ABSENCE_S": "a pause before the bot comes back",
    "xmpp/rooms/keeper.SELF_PING_S": "a pause between two pings",
    "xmpp/rooms/keeper.STABLE_AFTER_S": "how long a stay lasts before it counts as good",
    "xmpp/archive/catchup.SAVE_AFTER_S": "a pause before the bot itself says something",
    "xmpp/messages/reader.SEEN_FOR_S": "how long something is remembered",
    "xmpp/messages/reader.RESENT_WITHIN_S": "how long something is remembered",
    "xmpp/connection/stream._ACK_WITHIN_S": "a pause before the bot itself says something",
    "xmpp/presence/subscribers.PAUSE_S": "a pause, so that others are heard as well",
    "xmpp/http_upload.NOTHING_FOUND_FOR_S": "how long an answer is believed",
    "protocol/jingle/session.ACTIVATED_AGAIN_S": "a pause before the bot itself says something",
}
"""Limits that nobody is waited for by, with the reason."""

NOT_OF_STREAMS = {
    "protocol/adhoc_sessions.CommandLimits.idle_s": "of ad-hoc commands; in test_runner",
    "xmpp/commands/runner.ANSWER_LIMIT_S": "of ad-hoc commands; in test_runner",
    "xmpp/commands/runner.STEP_LIMIT_S": "of ad-hoc commands; in test_runner",
    "xmpp/commands/runner.WORDS_LIMIT_S": "of ad-hoc commands; in test_runner",
    "xmpp/commands/discovery.ANSWER_LIMIT_S": "of ad-hoc commands; in test_discovery",
    "xmpp/messages/router.FINISH_S": "for our own handlers at a stop; in test_router",
    "xmpp/presence/online_clients.CHECK_LIMIT_S": "before an answer in chat; in test_online_clients",
    "xmpp/presence/online_clients.BELIEVED_FOR_S": "how long something is remembered",
    "xmpp/presence/online_clients.PAUSE_S": "before an answer in chat; in test_online_clients",
    "xmpp/presence/online_clients.SETTLED_S": "a client's age",
    "xmpp/connection/account.FEATURES_LIMIT_S": "for the server, not for a peer",
    "xmpp/profile/publisher.ANSWER_LIMIT_S": "for the server, not for a peer",
    "xmpp/profile/publisher.PUBLISH_LIMIT_S": "for the server, not for a peer",
    "xmpp/messages/carbons.LIMIT_S": "for the server, not for a peer",
    "xmpp/archive/first_session.LIMIT_S": "for the server, not for a peer",
    "xmpp/archive/position_keeper.HEARD_AT_LAST_S": "for the server, not for a peer",
    "xmpp/archive/position_keeper.HEARD_LIMIT_S": "for the server, not for a peer",
    "xmpp/connection/reconnect.CONNECT_LIMIT_S": "of the login",
    "xmpp/connection/reconnect.NEGOTIATION_LIMIT_S": "of the login",
    "xmpp/connection/reconnect.PING_LIMIT_S": "for the server, not for a peer",
    "transfer/http/client.ANSWER_S": "of downloads by HTTP",
    "transfer/http/resolver.LOOK_UP_S": "of names",
    "xmpp/archive/mam_query.LIMIT_S": "of message archives",
    "xmpp/rooms/room_sender.ENTRY_LIMIT_S": "of rooms",
    "xmpp/rooms/keeper.ANSWER_LIMIT_S": "of rooms",
    "xmpp/rooms/trust.DESCRIPTION_LIMIT_S": "of rooms",
    "xmpp/rooms/joined_rooms.ENTERING_LIMIT_S": "of rooms",
    "xmpp/rooms/keeper.NOWHERE_PAUSE_S": "of rooms",
    "xmpp/archive/server_time.LIMIT_S": "of the login",
    "xmpp/archive/sent_messages.LIMIT_S": "for an archive, not for a peer",
    "xmpp/rooms/keeper.SELF_PING_LIMIT_S": "of rooms",
    "xmpp/session.CLOSE_LIMIT_S": "of the logout",
    "xmpp/session.PROXY_LIMIT_S": "of the login",
    "xmpp/session.ROOMS_LIMIT_S": "of rooms",
    "xmpp/presence/roster.ROSTER_LIMIT_S": "of the login",
    "xmpp/connection/authentication._FIRST_WAIT_S": "of the login",
    "xmpp/connection/authentication.LONGEST_REFUSED_WAIT_S": "of the login",
    "xmpp/connection/resend.ACK_LIMIT_S": "for the server, not for a peer",
}
"""Waits that no byte stream has."""

WALKED: set[str] = set()

P = ParamSpec("P")


def walks(*limits: str) -> Callable[[Callable[P, Coroutine[Any, Any, None]]], Callable[P, None]]:
    """The test waits for these limits, in virtual time."""
    WALKED.update(limits)
    return in_virtual_time


def limits_of(module: Path) -> set[str]:
    """Every limit in a module: constants that end in ``_S``, and the fields of what is called Limits."""
    found: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.Assign):
            found |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.ClassDef) and node.name.endswith("Limits"):
            fields = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
            found |= {f"{node.name}.{each.id}" for each in fields if isinstance(each, ast.Name)}
    place = module.relative_to(PACKAGE).with_suffix("")
    return {f"{place}.{name}" for name in found if name.lower().endswith("_s")}


def now() -> float:
    return asyncio.get_running_loop().time()


@contextmanager
def takes(limit_s: float) -> Any:
    """Assert that the block takes this long, or up to 0.3 s longer where sockets are polled."""
    began = now()
    yield
    assert limit_s <= now() - began <= limit_s + 0.3, now() - began


# --- pieces of a conversation ---------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789")
    return path


# --- files that go out by Jingle ------------------------------------------------------------------------


@walks(
    "xmpp/bytestreams/registry.StreamLimits.answer_s", "protocol/jingle/parameters.SessionLimits.answer_s"
)
async def test_a_person_who_does_not_answer_an_offer(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        peer.answers("session-initiate")
        with takes(300.0), pytest.raises(TransferTimeout):
            await peer.send(file)
        assert reasons(peer) == ["timeout"]


@in_virtual_time
async def test_a_client_that_is_known_never_to_answer_is_not_waited_for_as_long(file: Path) -> None:
    async with lab() as peer:
        peer.knows(node="https://gajim.org")
        peer.answers("session-initiate")
        with takes(45.0), pytest.raises(TransferTimeout):
            await peer.send(file)


@walks("xmpp/jingle/ordered_iqs.ANSWER_S")
async def test_a_client_that_does_not_acknowledge_an_offer(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        with takes(15.0), pytest.raises(PeerGone):
            await peer.send(file)


@walks("protocol/jingle/parameters.SessionLimits.check_s")
async def test_a_client_that_does_not_tell_what_came_of_our_candidates(file: Path) -> None:
    async with net() as connections, lab(connections) as peer:
        peer.knows(SOCKS5_ONLY)
        accepts(peer, socks5)
        with takes(30.0), pytest.raises(PeerGone):
            await peer.send(file, Method.SOCKS5)
        assert reasons(peer) == ["connectivity-error"]


@walks("protocol/jingle/parameters.SessionLimits.replace_s")
async def test_a_client_that_does_not_answer_a_replacement(file: Path) -> None:
    async with net() as connections, lab(connections) as peer:
        peer.knows()
        accepts(peer, socks5, then="<candidate-error/>")
        peer.answers("transport-replace")
        with takes(30.0), pytest.raises(PeerGone):
            await peer.send(file, Method.SOCKS5)
        assert reasons(peer) == ["failed-transport"]


@pytest.mark.conformance(66)
@walks("protocol/jingle/parameters.SessionLimits.activate_s")
async def test_a_client_that_does_not_activate_its_proxy(file: Path) -> None:
    async with net() as connections, Listener("127.0.0.1", 0) as proxy, lab(connections) as peer:
        peer.knows(SOCKS5_ONLY)
        hashed = "a" * 40
        accepts(peer, their_proxy(proxy.port, hashed), then="<candidate-error/>")
        with proxy.expect([hashed]), takes(30.0), pytest.raises(PeerGone):
            await peer.send(file, Method.SOCKS5)
        assert reasons(peer) == ["connectivity-error"]


@pytest.mark.conformance(66)
@walks("xmpp/bytestreams/socks5_proxies.ANSWER_LIMIT_S")
async def test_a_proxy_of_ours_that_does_not_answer_when_it_is_to_be_activated(file: Path) -> None:
    async with (
        net(listens=False) as connections,
        Listener("127.0.0.1", 0) as proxy,
        lab(connections) as peer,
    ):
        peer.knows(SOCKS5_ONLY)
        our_proxy(peer, proxy.port)
        hashes: list[str] = []

        def accept(said: Any) -> None:
            hashes.append(destination(sid_of(said), BOT, PEER))
            cid = next(each.get("cid") for each in said.iter(f"{{{SOCKS5}}}candidate"))
            stack.enter_context(proxy.expect(hashes))
            peer.ask(jingle("session-accept", said.get("sid"), socks5(sid_of(said))))
            used = f"<candidate-used cid='{cid}'/>"
            peer.ask(jingle("transport-info", said.get("sid"), socks5(sid_of(said), used)))

        accepts(peer, socks5)
        peer.answers("session-initiate", "", accept)
        async with AsyncExitStack() as stack:
            with takes(10.0), pytest.raises(PeerGone):
                await peer.send(file, Method.SOCKS5)
        notices = [each for each in peer.heard("transport-info") if "proxy-error" in names_in(each)]
        assert (len(notices), reasons(peer)) == (1, ["connectivity-error"])


@walks("xmpp/jingle/driver.CONNECTED_S")
async def test_a_client_that_says_it_has_connected_and_has_not(file: Path) -> None:
    async with net() as connections, lab(connections) as peer:
        peer.knows()

        def accept(said: Any) -> None:
            cid = next(each.get("cid") for each in said.iter(f"{{{SOCKS5}}}candidate"))
            peer.ask(jingle("session-accept", said.get("sid"), socks5(sid_of(said))))
            used = socks5(sid_of(said), f"<candidate-used cid='{cid}'/>")
            peer.ask(jingle("transport-info", said.get("sid"), used))

        accepts(peer, socks5)
        peer.answers("session-initiate", "", accept)
        with takes(5.0), pytest.raises(PeerGone):
            await peer.send(file, Method.SOCKS5)
        assert reasons(peer) == ["connectivity-error"]


@walks("protocol/jingle/parameters.SessionLimits.open_s")
async def test_a_client_that_does_not_answer_the_opening_of_a_stream(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        accepts(peer, in_band)
        with takes(30.0), pytest.raises(PeerGone):
            await peer.send(file)
        assert reasons(peer) == ["failed-transport"]


@pytest.mark.conformance(49, 76)
@walks("protocol/jingle/parameters.SessionLimits.finish_s")
async def test_a_client_that_does_not_say_that_it_has_the_file(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        accepts(peer, in_band)
        peer.answers("open")
        peer.answers("data")
        with takes(30.0):
            assert await peer.send(file) is Method.IBB
        assert reasons(peer) == ["success"]
        # A close of the stream would discard data that the receiver has not read yet.
        assert peer.order.index("session-terminate") < peer.order.index("close")


@in_virtual_time
async def test_a_client_that_does_not_acknowledge_blocks(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        accepts(peer, in_band)
        peer.answers("open")
        with takes(60.0), pytest.raises(TransferTimeout):
            await peer.send(file)


# --- files that come by Jingle --------------------------------------------------------------------------


@walks("xmpp/bytestreams/registry.StreamLimits.offer_s")
async def test_an_offer_that_nobody_here_answers() -> None:
    async with lab() as peer:
        peer.answers("session-terminate")
        peer.ask(file_offer("s", in_band("t")))
        with takes(60.0):
            await peer.until(lambda: reasons(peer))
        assert reasons(peer) == ["busy"]
        with pytest.raises(TransferTimeout):
            async with peer.offers[0].accept():
                pytest.fail("too late")


@in_virtual_time
async def test_an_offer_by_stream_initiation_that_nobody_here_answers() -> None:
    async with lab() as peer:
        asked = peer.ask(offer("s", 3))
        with takes(60.0):
            await peer.until(lambda: [each for each in peer.said if each.get("id") == asked])
        assert peer.answer_to(asked).get("type") == "error"


@in_virtual_time
async def test_a_request_that_nobody_here_answers() -> None:
    async with lab() as peer:
        peer.answers("session-terminate")
        peer.ask(file_offer("s", in_band("t")).replace("senders='initiator'", "senders='responder'"))
        with takes(60.0):
            await peer.until(lambda: reasons(peer))
        assert len(peer.requests) == 1


async def taken(peer: Lab, offered: str, *, limit_s: float, then: str = "") -> None:
    """An offer is taken; the peer acknowledges the session-accept and does one thing more."""

    def do_more(_: Any) -> None:
        if then:
            peer.ask(then)

    peer.on_offer = peer.take
    peer.answers("session-accept", "", do_more)
    for each in ("session-terminate", "session-info", "transport-info"):
        peer.answers(each)
    peer.ask(offered)
    with takes(limit_s):
        await peer.until(lambda: peer.came)
    await asyncio.sleep(0.1)


@in_virtual_time
async def test_a_sender_that_does_not_open_its_stream() -> None:
    async with lab() as peer:
        await taken(peer, file_offer("s", in_band("t")), limit_s=30.0)
        assert (type(peer.came[0]), reasons(peer)) == (PeerGone, ["failed-transport"])


@in_virtual_time
async def test_a_sender_that_does_not_tell_what_came_of_our_candidates() -> None:
    async with net() as connections, lab(connections) as peer:
        # The bot is the responder, so it then waits for the initiator to replace the transport.
        await taken(peer, file_offer("s", socks5("t")), limit_s=60.0)
        assert (type(peer.came[0]), reasons(peer)) == (PeerGone, ["failed-transport"])


def opened(sid: str) -> str:
    return f"<open xmlns='{IBB}' sid='{sid}' block-size='4096' stanza='iq'/>"


@walks("xmpp/bytestreams/registry.StreamLimits.idle_s")
async def test_a_sender_that_sends_no_blocks() -> None:
    async with lab() as peer:
        await taken(peer, file_offer("s", in_band("t")), limit_s=60.0, then=opened("t"))
        assert (type(peer.came[0]), reasons(peer)) == (TransferTimeout, ["timeout"])


@pytest.mark.parametrize(
    ("node", "file", "limit_s"),
    [
        ("n", "<size>3</size><hash-used xmlns='urn:xmpp:hashes:2' algo='sha-256'/>", 30.0),
        ("http://conversations.im", "<size>3</size>", 3.0),
        ("n", "<size>3</size>", 0.0),
    ],
)
@in_virtual_time
async def test_a_sender_that_does_not_tell_the_hash(node: str, file: str, limit_s: float) -> None:
    async with lab() as peer:
        peer.knows(node=node)

        def send(_: Any) -> None:
            peer.ask(opened("t"))
            peer.ask(block("t", 0, "QUJD"))
            peer.ask(closing("t"))

        peer.answers("session-accept", "", send)
        peer.on_offer = peer.take
        for each in ("session-terminate", "session-info"):
            peer.answers(each)
        peer.ask(file_offer("s", in_band("t"), file))
        with takes(limit_s):
            await peer.until(lambda: peer.came)
        assert peer.came == [b"ABC"]
        await asyncio.sleep(0.1)
        assert reasons(peer) == ["success"]


# --- stream initiation ----------------------------------------------------------------------------------


@in_virtual_time
async def test_a_person_who_does_not_answer_an_offer_by_stream_initiation(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        with takes(300.0), pytest.raises(TransferTimeout):
            await peer.send(file, Method.IBB, Negotiation.SI)


@walks("xmpp/si/outgoing.QUERY_LIMIT_S")
async def test_a_client_that_does_not_choose_a_stream_host(file: Path) -> None:
    async with net() as connections, lab(connections) as peer:
        peer.knows(SOCKS5_ONLY)
        peer.answers("si", tostring(accepted(BYTESTREAMS), encoding="unicode"))
        with takes(60.0), pytest.raises(TransferTimeout):
            await peer.send(file, Method.SOCKS5, Negotiation.SI)


@walks("xmpp/si/outgoing.CONNECTED_LIMIT_S")
async def test_a_client_that_says_it_uses_our_stream_host_and_does_not(file: Path) -> None:
    async with net() as connections, lab(connections) as peer:
        peer.knows()
        peer.answers("si", tostring(accepted(BYTESTREAMS), encoding="unicode"))
        used = f"<query xmlns='{BYTESTREAMS}'><streamhost-used jid='{BOT}'/></query>"
        peer.answers("query of bytestreams", used)
        with takes(5.0), pytest.raises(TransferTimeout):
            await peer.send(file, Method.SOCKS5, Negotiation.SI)


@walks("xmpp/bytestreams/ibb_sender.ANSWER_LIMIT_S")
async def test_a_client_that_does_not_answer_an_opening_by_stream_initiation(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        peer.answers("si", tostring(accepted(IBB), encoding="unicode"))
        with takes(30.0), pytest.raises(TransferTimeout):
            await peer.send(file, Method.IBB, Negotiation.SI)


@in_virtual_time
async def test_a_client_that_acknowledges_no_blocks_by_stream_initiation(file: Path) -> None:
    async with lab() as peer:
        peer.knows()
        peer.answers("si", tostring(accepted(IBB), encoding="unicode"))
        peer.answers("open")
        with takes(60.0), pytest.raises(TransferTimeout):
            await peer.send(file, Method.IBB, Negotiation.SI)


@walks("xmpp/bytestreams/registry.StreamLimits.open_s")
async def test_a_sender_that_begins_no_stream_at_all() -> None:
    async with lab() as peer:
        peer.on_offer = peer.take
        peer.ask(offer("s", 3))
        with takes(60.0):
            await peer.until(lambda: peer.came)
        assert isinstance(peer.came[0], TransferTimeout)


@in_virtual_time
async def test_a_sender_that_begins_no_other_stream_after_socks5_failed() -> None:
    async with net() as connections, lab(connections) as peer:
        peer.on_offer = peer.take
        peer.ask(offer("s", 3, BYTESTREAMS))
        await asyncio.sleep(50)
        await peer.settled()
        peer.ask(stream_hosts("s", (PEER, "127.0.0.1", 1)))
        with takes(60.0):
            await peer.until(lambda: peer.came)
        assert isinstance(peer.came[0], TransferTimeout)


@in_virtual_time
async def test_a_stream_host_that_is_still_dialled_when_the_time_is_up() -> None:
    limits = StreamLimits(open_s=1.0)
    with silent_host() as host:
        async with net() as connections, lab(connections, limits) as peer:
            peer.on_offer = peer.take
            peer.ask(offer("s", 3, BYTESTREAMS))
            await peer.settled()
            peer.ask(stream_hosts("s", (PEER, host.host, host.port)))
            with takes(1.0):
                await peer.until(lambda: peer.came)
            assert isinstance(peer.came[0], TransferTimeout)


@in_virtual_time
async def test_a_sender_that_stops_in_the_middle() -> None:
    async with lab() as peer:
        peer.on_offer = peer.take
        peer.ask(offer("s", 6))
        await peer.settled()
        peer.ask(opening("s"))
        await asyncio.sleep(40)
        peer.ask(block("s", 0, "QUJD"))
        with takes(60.0):
            await peer.until(lambda: peer.came)
        assert isinstance(peer.came[0], TransferTimeout)


@pytest.mark.parametrize(
    ("more", "limit_s"), [(None, 1.0), (closing("s"), 0.0), (block("s", 1, "QQ=="), 0.0)]
)
@walks("xmpp/bytestreams/registry.StreamLimits.linger_s")
async def test_a_sender_that_does_not_close(more: Any, limit_s: float) -> None:
    async with lab() as peer:
        peer.on_offer = peer.take
        peer.ask(offer("s", 3))
        await peer.settled()
        peer.ask(opening("s"))
        peer.ask(block("s", 0, "QUJD"))
        if more is not None:
            peer.ask(more)
        with takes(limit_s):
            await peer.until(lambda: peer.came)
        good = more is None or more.tag.endswith("}close")
        assert peer.came == [b"ABC"] if good else isinstance(peer.came[0], SizeMismatch)


# --- connections ----------------------------------------------------------------------------------------


@contextmanager
def silent_host() -> Any:
    """A stream host that lets everybody in and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield StreamHost("silent", "127.0.0.1", server.getsockname()[1])


@pytest.mark.conformance(64)
@walks("transfer/socks5/dial.CANDIDATE_S", "transfer/socks5/dial.STAGGER_S")
async def test_stream_hosts_that_say_nothing() -> None:
    async with nothing_left():
        with silent_host() as one, silent_host() as two:
            policy = AddressPolicy(allow_private=True)
            with takes(3.0), pytest.raises(PeerGone):
                await dial([one], "a" * 40, policy, own_addresses=())
            # Begun 200 ms apart, so the second one is given up so much later.
            began = now()
            with pytest.raises(PeerGone):
                await dial([one, two], "a" * 40, policy, own_addresses=())
            assert now() - began == pytest.approx(3.2, abs=0.01)


@pytest.mark.conformance(64)
@walks("transfer/socks5/dial.OVERALL_S")
async def test_as_many_stream_hosts_as_one_likes_that_say_nothing() -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(nothing_left())
        # 24 are tried; with a second between them they would take half a minute.
        hosts = [stack.enter_context(silent_host()) for _ in range(24)]
        stack.enter_context(_patched("filebot.transfer.socks5.dial.STAGGER_S", 1.0))
        with takes(10.0), pytest.raises(PeerGone, match="in time"):
            await dial(hosts, "a" * 40, AddressPolicy(allow_private=True), own_addresses=())


@contextmanager
def _patched(name: str, value: float) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(name, value)
        yield


@walks("transfer/socks5/listener.HANDSHAKE_S")
async def test_a_guest_who_says_nothing() -> None:
    async with nothing_left(), Listener("127.0.0.1", 0) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        with takes(5.0):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


@in_virtual_time
async def test_a_guest_who_does_not_come() -> None:
    async with nothing_left(), Listener("127.0.0.1", 0) as listener:
        with listener.expect(["a" * 40]) as expected, takes(5.0), pytest.raises(TransferTimeout):
            await expected.connected(5.0)


@asynccontextmanager
async def pair(idle_s: float = 60.0) -> AsyncIterator[tuple[ByteStream, socket.socket]]:
    """A byte stream, and the other end of it, which does nothing."""
    async with nothing_left():
        with socket.create_server(("127.0.0.1", 0)) as server:
            near = socket.create_connection(server.getsockname())
            far, _ = server.accept()
        near.setblocking(False)
        with far, near:
            yield ByteStream(SocketConnection(near), idle_s), far


@in_virtual_time
async def test_a_sender_that_stops_on_a_connection() -> None:
    async with pair() as (stream, far):
        far.sendall(b"abc")
        with takes(60.0), pytest.raises(TransferTimeout):
            async for _ in stream.chunks(10):
                pass


@walks("transfer/socks5/receive.GRACE_S")
async def test_a_sender_that_has_sent_all_and_does_not_close() -> None:
    async with pair() as (stream, far):
        far.sendall(b"abc")
        with takes(0.5):
            assert [bytes(each) async for each in stream.chunks(3)] == [b"abc"]


@walks("transfer/socks5/send.CLOSE_S")
async def test_a_receiver_that_has_all_and_does_not_close(file: Path) -> None:
    # Not TCP, in which the kernel's own patience with acknowledgements takes real time.
    async with nothing_left():
        near, far = socket.socketpair()
        near.setblocking(False)
        with far:
            asyncio.get_running_loop().call_later(0.05, far.recv, 100)
            with near:
                stream = ByteStream(SocketConnection(near), 60.0)
                with takes(5.0):
                    await stream.send_file(file, 0, 10, lambda _: None)


@pytest.mark.conformance(85)
@in_virtual_time
async def test_a_receiver_sees_the_end_of_the_file_without_waiting_for_it(file: Path) -> None:
    loop = asyncio.get_running_loop()
    async with nothing_left():
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        with far, near:
            stream = ByteStream(SocketConnection(near), 60.0)
            sending = asyncio.create_task(stream.send_file(file, 0, 10, lambda _: None))
            with takes(0.0):
                assert await loop.sock_recv(far, 100) == b"0123456789"
                assert await loop.sock_recv(far, 100) == b""
            far.close()
            await sending


@in_virtual_time
async def test_a_receiver_that_takes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as large:
        large.truncate(64_000_000)
    async with pair() as (stream, _):
        with takes(60.0), pytest.raises(TransferTimeout):
            await stream.send_file(path, 0, 64_000_000, lambda _: None)


# --- those who are asked before -------------------------------------------------------------------------


@in_virtual_time
async def test_a_server_that_does_not_say_what_it_has() -> None:
    async with lab() as peer:
        peer.answers("query of disco#items", None)
        with takes(10.0):
            assert await Proxies(peer.stream).hosts() == ()


@in_virtual_time
async def test_a_service_that_does_not_say_what_it_is_or_where() -> None:
    async with lab() as peer:
        our_proxy(peer, 1)
        peer.answers("query of bytestreams", None)
        with takes(10.0):
            assert await Proxies(peer.stream).hosts() == ()
        peer.answers("query of disco#info", None)
        with takes(10.0):
            assert await Proxies(peer.stream).hosts() == ()


@walks("xmpp/presence/online_clients.ANSWER_LIMIT_S")
async def test_a_client_that_does_not_say_what_it_can_do() -> None:
    async with lab() as peer:
        peer.knows()
        peer.resources._people["anna@example.org"][PEER].features = None
        with takes(10.0):
            assert await peer.streams.clients("anna@example.org") == []


@walks("xmpp/bytestreams/probes.SILENCE_S")
async def test_a_client_that_answers_nothing_while_its_rate_is_measured() -> None:
    async with lab() as peer:
        with takes(10.0), pytest.raises(TransferTimeout):
            await peer.streams.in_band_rate(PEER)


@walks("xmpp/bytestreams/probes.RATE_S")
async def test_a_client_that_falls_silent_while_its_rate_is_measured() -> None:
    async with lab() as peer:
        refused = StanzaError("item-not-found")
        peer.answers("data", refused, lambda _: peer.answers("data", None))
        with takes(3.0):
            assert await peer.streams.in_band_rate(PEER) > 0


@walks("xmpp/http_upload.ANSWER_LIMIT_S")
async def test_a_server_that_does_not_say_where_to_upload() -> None:
    async with lab() as peer:
        peer.answers("query of disco#items", None)
        # The server is asked what it is, and what it has.
        with takes(2 * 20.0), pytest.raises(NoUploadService):
            await UploadSlots(peer.stream).slot("a", 1, "text/plain")


# --- commands of plugins --------------------------------------------------------------------------------


@in_virtual_time
async def test_a_command_that_never_returns(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Plugin[None]("endless", api=1)

    @plugin.command("wait", usage="wait")
    async def wait(ctx: Context[None]) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    @plugin.command("rest", usage="rest", limit_s=10)
    async def rest(ctx: Context[None]) -> None:
        """Wait for ever, with a limit of its own."""
        await asyncio.Event().wait()

    async with FakeBot(plugin, may_fail=True) as bot:
        with takes(300.0):
            [answer] = await bot.say("wait")
        assert answer.startswith("wait took longer than 5 minutes, so I stopped it")
        with takes(10.0):
            assert "10 seconds" in (await bot.say("rest"))[0]
    logged = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert logged[0].startswith("plugin endless, command 'wait', ")
    assert logged[0].endswith(": command 'wait' of plugin endless took over 300 s")


@in_virtual_time
async def test_a_command_that_waits_for_a_slow_file_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    get = MemoryWeb.get

    @asynccontextmanager
    async def late(web: MemoryWeb, *arguments: Any, **other: Any) -> AsyncIterator[HostedFile]:
        await asyncio.sleep(3600)
        async with get(web, *arguments, **other) as file:
            yield file

    monkeypatch.setattr(MemoryWeb, "get", late)
    async with FakeBot() as bot:
        bot.web.hosted["https://example.org/a.txt"] = HostedFile(b"slow")
        with takes(3600.0):
            [answer] = await bot.say("fetch https://example.org/a.txt")
    assert answer.startswith("Stored")


# --- all of them ----------------------------------------------------------------------------------------


@pytest.mark.conformance(98)
def test_every_limit_is_walked_through_or_is_said_to_be_none() -> None:
    modules = (module for place in PLACES for module in (PACKAGE / place).rglob("*.py"))
    found = {name for module in modules for name in limits_of(module)}
    said = WALKED | NO_WAITS.keys() | NOT_OF_STREAMS.keys()
    assert found - said == set()
    assert said - found == set()


def test_a_new_limit_is_noticed(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.PACKAGE", tmp_path)
        module = tmp_path / "new.py"
        module.write_text(
            "NEW_S: Final = 1.0\nMOST: Final = 3\n"
            "class NewLimits:\n    long_s: float = 1.0\n    most: int = 2\n"
        )
        assert limits_of(module) == {"new.NEW_S", "new.NewLimits.long_s"}
