"""Files by byte streams on a real server: between two of our sessions, and with slixmpp's own plugins."""

import asyncio
import base64
import io
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import pytest_asyncio
from slixmpp import JID

from filebot.errors import (
    LocalProtocolError,
    PeerGone,
    PeerProtocolError,
    SizeMismatch,
    TransferTimeout,
)
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from filebot.model import Client, Method, Negotiation, StreamMethod
from filebot.ports import StreamOffer
from filebot.protocol.jingle.features import OWN_IN_BAND
from filebot.protocol.jingle.namespaces import SOCKS5 as JINGLE_SOCKS5
from filebot.xmpp.bytestreams.ibb_receiver import WAITING_BYTES
from filebot.xmpp.bytestreams.registry import StreamLimits
from filebot.xmpp.connection.disco_features import CAPS_NODE, FEATURES
from tests.servers import private_server
from tests.support.streams import (
    BYTESTREAMS,
    FILE_TRANSFER,
    IBB,
    LIMIT_S,
    SI,
    StreamPeer,
    accepted,
    ask,
    block,
    closing,
    entry,
    offer,
    opening,
    requests,
    stream_hosts,
    stream_peer,
)
from tests.support.waiting import until_answered

pytestmark = pytest.mark.asyncio(loop_scope="module")

DISCO = "{http://jabber.org/protocol/disco#info}"
SIZES = [0, 1, 4096, 1_000_000]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("streams")
    async with private_server(folder / "server", users=["bot", "other", "anna", "eve"]) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bot(server: Server) -> AsyncIterator[StreamPeer]:
    async with stream_peer(server, "bot") as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def anna(server: Server) -> AsyncIterator[Peer]:
    async with await Peer.of(server, "anna") as peer:
        yield peer


def a_file(folder: Path, size: int) -> tuple[Path, bytes]:
    content = os.urandom(size)
    path = folder / "Grüße & <Küsse>.bin"
    path.write_bytes(content)
    return path, content


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


# --- what is announced -------------------------------------------------------------------------------


@pytest.mark.parametrize("socks5", [True, False])
async def test_only_what_works_is_announced(server: Server, anna: Peer, *, socks5: bool) -> None:
    async with stream_peer(server, "bot", socks5=socks5) as bot:
        iq = anna.client.make_iq_get(DISCO[1:-1], ito=JID(bot.jid))
        answer = (await iq.send(timeout=LIMIT_S)).xml  # type: ignore[no-untyped-call]
        announced = {each.get("var") for each in answer.iter(f"{DISCO}feature")}
        # The server has a proxy, so that others can meet the bot by socks5.
        met = {BYTESTREAMS, JINGLE_SOCKS5} if socks5 else set()
        assert announced == FEATURES | {SI, FILE_TRANSFER, IBB} | OWN_IN_BAND | met


async def test_clients_are_known_by_their_presence_and_features(server: Server, anna: Peer) -> None:
    async with stream_peer(server, "bot") as bot, stream_peer(server, "other") as other:
        for one, two in ((bot, "other@localhost"), (other, server.jid("bot"))):
            one.session._stream.send_presence(pto=JID(two))
        anna.client.send_presence(pto=JID(server.jid("bot")))
        both = dict.fromkeys(Negotiation, frozenset({Method.SOCKS5, Method.IBB}))
        wanted = [Client(other.jid, both, CAPS_NODE)]

        async def is_known(*clients: Client) -> bool:
            return await bot.session.streams.clients("other@localhost") == [*clients]

        await until_answered(lambda: is_known(*wanted), LIMIT_S)
        assert await bot.session.streams.clients("anna@localhost") == []
        other.session._stream.send_presence(pto=JID(server.jid("bot")), ptype="unavailable")
        await until_answered(is_known, LIMIT_S)


# --- between two of ours -----------------------------------------------------------------------------


@pytest.mark.core
@pytest.mark.parametrize("size", SIZES)
async def test_a_file_goes_in_band(server: Server, bot: StreamPeer, tmp_path: Path, size: int) -> None:
    async with stream_peer(server, "other") as other:
        path, content = a_file(tmp_path, size)
        reported = await bot.send(other.jid, path, Method.IBB)
        assert await other.file() == content
        assert reported == sorted(reported)
        assert (reported or [0])[-1] == size
        offered = other.offers[0]
        assert (offered.offer.name, offered.offer.size, offered.resumable) == (path.name, size, True)
        assert (offered.sender.jid, offered.sender.address.jid) == (server.jid("bot"), bot.jid)


@pytest.mark.smoke
@pytest.mark.parametrize("listens", [True, False], ids=["direct", "by the proxy"])
@pytest.mark.parametrize("size", SIZES)
async def test_a_file_goes_by_socks5(
    server: Server, tmp_path: Path, size: int, caplog: pytest.LogCaptureFixture, *, listens: bool
) -> None:
    async with stream_peer(server, "bot", listens=listens) as bot, stream_peer(server, "other") as other:
        path, content = a_file(tmp_path, size)
        await bot.send(other.jid, path, Method.SOCKS5)
        assert await other.file() == content
    assert "going on in-band" not in caplog.text


# --- with slixmpp's own plugins ----------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize("size", [1, 100_000])
async def test_slixmpp_sends_in_band(bot: StreamPeer, anna: Peer, size: int) -> None:
    anna.client.register_plugin("xep_0047")
    content = os.urandom(size)
    assert (await ask(anna, bot.jid, offer("s1", size, IBB))).kind == "result"
    stream = await anna.client.plugin["xep_0047"].open_stream(JID(bot.jid), sid="s1")
    await stream.sendfile(io.BytesIO(content))
    await stream.close()
    assert await bot.file() == content


@pytest.mark.smoke
@pytest.mark.conformance(72)
@pytest.mark.parametrize(("size", "largest"), [(1, 8192), (300_000, 4096), (300_000, 8192)])
async def test_slixmpp_receives_in_band(
    bot: StreamPeer, anna: Peer, tmp_path: Path, size: int, largest: int
) -> None:
    plugin_options = {"auto_accept": True, "max_block_size": largest}
    anna.client.register_plugin("xep_0047", plugin_options)
    offers = requests(anna, f"{{{SI}}}si")
    streams: asyncio.Queue[object] = asyncio.Queue()
    anna.client.add_event_handler("ibb_stream_start", streams.put_nowait)
    path, content = a_file(tmp_path, size)
    sending = asyncio.create_task(bot.send(anna.jid, path, Method.IBB))
    asked = await asyncio.wait_for(offers.get(), LIMIT_S)
    asked.reply().set_payload(accepted(IBB)).send()
    stream = await asyncio.wait_for(streams.get(), LIMIT_S)
    await sending
    queue = stream.recv_queue  # type: ignore[attr-defined]
    came = b"".join(queue.get_nowait() for _ in range(queue.qsize()))
    assert came == content


@pytest.mark.core
async def test_slixmpp_sends_through_the_proxy(bot: StreamPeer, anna: Peer) -> None:
    anna.client.register_plugin("xep_0065")
    content = os.urandom(100_000)
    assert (await ask(anna, bot.jid, offer("s2", len(content), BYTESTREAMS, IBB))).kind == "result"
    plugin = anna.client.plugin["xep_0065"]
    connection = await plugin.handshake(JID(bot.jid), sid="s2", timeout=10)  # type: ignore[no-untyped-call]
    await connection.write(content)
    connection.transport.close()
    assert await bot.file() == content


@pytest.mark.core
async def test_slixmpp_receives_through_the_proxy(bot: StreamPeer, anna: Peer, tmp_path: Path) -> None:
    anna.client.register_plugin("xep_0065", {"auto_accept": True})
    offers = requests(anna, f"{{{SI}}}si")
    came = bytearray()
    anna.client.add_event_handler("socks5_data", came.extend)
    closed = asyncio.Event()
    anna.client.add_event_handler("socks5_closed", lambda _: closed.set())
    path, content = a_file(tmp_path, 100_000)
    sending = asyncio.create_task(bot.send(anna.jid, path, Method.SOCKS5))
    asked = await asyncio.wait_for(offers.get(), LIMIT_S)
    asked.reply().set_payload(accepted(BYTESTREAMS)).send()
    await sending
    await asyncio.wait_for(closed.wait(), LIMIT_S)
    assert bytes(came) == content


# --- from SOCKS5 to in-band --------------------------------------------------------------------------


@pytest.mark.conformance(81)
async def test_after_a_failed_connection_the_sender_may_open_in_band(bot: StreamPeer, anna: Peer) -> None:
    assert (await ask(anna, bot.jid, offer("p", 5, BYTESTREAMS, IBB))).kind == "result"
    nowhere = stream_hosts("p", (anna.jid, "127.0.0.1", 1), fast=True)
    assert (await ask(anna, bot.jid, nowhere)).condition == "item-not-found"
    assert (await ask(anna, bot.jid, opening("p"))).kind == "result"
    assert (await ask(anna, bot.jid, block("p", 0, text(b"hello")))).kind == "result"
    assert await bot.file() == b"hello"
    assert (await ask(anna, bot.jid, closing("p"))).kind == "result"


@pytest.mark.conformance(82)
async def test_a_receiver_that_cannot_connect_gets_it_in_band(
    bot: StreamPeer, anna: Peer, tmp_path: Path
) -> None:
    anna.client.register_plugin("xep_0047", {"auto_accept": True})
    offers, queries = requests(anna, f"{{{SI}}}si"), requests(anna, f"{{{BYTESTREAMS}}}query")
    path, _ = a_file(tmp_path, 10_000)
    sending = asyncio.create_task(bot.send(anna.jid, path, Method.SOCKS5))
    asked = await asyncio.wait_for(offers.get(), LIMIT_S)
    asked.reply().set_payload(accepted(BYTESTREAMS)).send()
    query = await asyncio.wait_for(queries.get(), LIMIT_S)
    hosts = [each.get("jid") for each in query.xml.iter(f"{{{BYTESTREAMS}}}streamhost")]
    assert [JID(each).bare for each in hosts] == ["proxy.localhost"]  # ejabberd gives its own a resource
    refusal = query.reply()
    refusal["type"] = "error"
    refusal["error"]["condition"] = "item-not-found"
    refusal.send()
    assert (await sending)[-1] == 10_000


# --- bad input ---------------------------------------------------------------------------------------


@pytest.mark.conformance(77)
@pytest.mark.parametrize(
    ("seq", "content", "condition"),
    [
        ("0", "QU*D", "bad-request"),
        ("0", "=AAA", "bad-request"),
        ("0", text(b"x" * 4097), "bad-request"),
        ("x", "QUJD", "bad-request"),
        ("1", "QUJD", "unexpected-request"),
        ("0", text(b"x" * 101), "bad-request"),
    ],
)
async def test_a_bad_block_ends_the_stream(
    bot: StreamPeer, anna: Peer, seq: str, content: str, condition: str
) -> None:
    size = 100 if len(content) < 200 else 10_000
    await ask(anna, bot.jid, offer("b", size))
    await ask(anna, bot.jid, opening("b"))
    assert (await ask(anna, bot.jid, block("b", seq, content))).condition == condition
    with pytest.raises(PeerProtocolError):
        await bot.file()
    assert (await ask(anna, bot.jid, block("b", 0, "QUJD"))).condition == "item-not-found"


async def test_bytes_beyond_the_promise_are_seen(bot: StreamPeer, anna: Peer) -> None:
    await ask(anna, bot.jid, offer("m", 3))
    await ask(anna, bot.jid, opening("m"))
    assert (await ask(anna, bot.jid, block("m", 0, "QUJD"))).kind == "result"
    assert (await ask(anna, bot.jid, block("m", 1, "QUJD"))).condition == "bad-request"
    with pytest.raises(SizeMismatch):
        await bot.file()


async def test_a_close_too_early_is_seen(bot: StreamPeer, anna: Peer) -> None:
    await ask(anna, bot.jid, offer("c", 300))
    await ask(anna, bot.jid, opening("c"))
    await ask(anna, bot.jid, block("c", 0, "QUJD"))
    assert (await ask(anna, bot.jid, closing("c"))).kind == "result"
    with pytest.raises(SizeMismatch):
        await bot.file()


async def test_nobody_else_can_touch_a_session(server: Server, bot: StreamPeer, anna: Peer) -> None:
    async with await Peer.of(server, "eve") as eve:
        await ask(anna, bot.jid, offer("n", 3))
        await ask(anna, bot.jid, opening("n"))
        for payload in (block("n", 0, "QUJD"), closing("n"), opening("n"), stream_hosts("n")):
            assert (await ask(eve, bot.jid, payload)).condition == "item-not-found"
    for payload in (block("other", 0, "QUJD"), closing("other"), opening("other"), stream_hosts("other")):
        assert (await ask(anna, bot.jid, payload)).condition == "item-not-found"
    assert (await ask(anna, bot.jid, block("n", 0, "QUJD"))).kind == "result"
    assert await bot.file() == b"ABC"


@pytest.mark.conformance(71)
async def test_blocks_in_messages_are_taken(bot: StreamPeer, anna: Peer) -> None:
    await ask(anna, bot.jid, offer("g", 9))
    await ask(anna, bot.jid, opening("g"))
    for number in range(3):
        message = anna.client.make_message(JID(bot.jid))
        message.append(block("g", number, "QUJD"))
        message.send()
    assert await bot.file() == b"ABCABCABC"


async def test_a_stream_that_is_never_opened_has_an_end(server: Server, anna: Peer) -> None:
    async with stream_peer(server, "bot", limits=StreamLimits(open_s=1.0)) as bot:
        assert (await ask(anna, bot.jid, offer("never opened", 3))).kind == "result"
        with pytest.raises(TransferTimeout):
            await bot.file()


async def test_a_stream_without_a_block_has_an_end(server: Server, anna: Peer) -> None:
    async with stream_peer(server, "bot", limits=StreamLimits(idle_s=1.0)) as bot:
        assert (await ask(anna, bot.jid, offer("opened", 3))).kind == "result"
        assert (await ask(anna, bot.jid, opening("opened"))).kind == "result"
        with pytest.raises(TransferTimeout):
            await bot.file()


async def test_an_offer_without_an_answer_has_an_end(server: Server, anna: Peer, tmp_path: Path) -> None:
    offers = requests(anna, f"{{{SI}}}si")
    path, _ = a_file(tmp_path, 100)
    async with stream_peer(server, "bot", limits=StreamLimits(answer_s=1.0)) as bot:
        with pytest.raises(TransferTimeout):
            await bot.send(anna.jid, path, Method.IBB)
    assert offers.qsize() == 1


async def test_a_receiver_that_acknowledges_no_block_has_an_end(
    server: Server, anna: Peer, tmp_path: Path
) -> None:
    offers, opens = requests(anna, f"{{{SI}}}si"), requests(anna, f"{{{IBB}}}open")
    blocks = requests(anna, f"{{{IBB}}}data")
    path, _ = a_file(tmp_path, 100)
    async with stream_peer(server, "bot", limits=StreamLimits(idle_s=1.0)) as bot:
        sending = asyncio.create_task(bot.send(anna.jid, path, Method.IBB))
        (await asyncio.wait_for(offers.get(), LIMIT_S)).reply().set_payload(accepted(IBB)).send()
        (await asyncio.wait_for(opens.get(), LIMIT_S)).reply().send()
        with pytest.raises(TransferTimeout):
            await sending
    assert blocks.qsize() == 1


@pytest.mark.conformance(74)
async def test_a_slow_reader_slows_the_sender(server: Server, anna: Peer) -> None:
    go_on = asyncio.Event()

    async def wait_then_take(own: StreamPeer, offer: StreamOffer) -> None:
        async with offer.accept() as download:
            await go_on.wait()
            own.files.put_nowait(b"".join([bytes(piece) async for piece in download.chunks()]))

    async with stream_peer(server, "bot", on_offer=wait_then_take) as bot:
        size, count = 8192, 48
        await ask(anna, bot.jid, offer("w", size * count))
        await ask(anna, bot.jid, opening("w", size))
        answers = [
            asyncio.create_task(ask(anna, bot.jid, block("w", number, text(b"x" * size))))
            for number in range(count)
        ]
        await asyncio.sleep(0.7)
        assert sum(task.done() for task in answers) * size <= WAITING_BYTES
        go_on.set()
        assert await bot.file() == b"x" * size * count
        assert {(await task).kind for task in answers} == {"result"}


async def test_who_takes_no_notice_of_acknowledgements_is_stopped(server: Server, anna: Peer) -> None:
    async def only_open(own: StreamPeer, offer: StreamOffer) -> None:
        with suppress(PeerProtocolError):
            async with offer.accept():
                await asyncio.sleep(LIMIT_S)

    async with stream_peer(server, "bot", on_offer=only_open) as bot:
        await ask(anna, bot.jid, offer("f", 10_000_000))
        await ask(anna, bot.jid, opening("f", 65535))
        full = text(b"x" * 49152)
        answers = [
            asyncio.create_task(ask(anna, bot.jid, block("f", number, full))) for number in range(100)
        ]
        done, _ = await asyncio.wait(answers[-1:], timeout=LIMIT_S)
        assert done.pop().result().condition == "item-not-found"
        await bot.session.stop()
        await asyncio.gather(*answers)


# --- who may, and how much ---------------------------------------------------------------------------


@pytest.mark.conformance(83)
async def test_strangers_are_told_once(server: Server, bot: StreamPeer) -> None:
    async with await Peer.of(server, "eve") as eve:
        told = [await ask(eve, bot.jid, offer(f"s{number}", 3)) for number in range(3)]
    assert [each.condition for each in told] == ["forbidden"] * 3
    assert [each.text for each in told] == ["Not for you.", "", ""]
    assert bot.offers == []


@pytest.mark.conformance(97)
async def test_offers_through_a_room_are_declined_and_never_made(
    server: Server, anna: Peer, tmp_path: Path
) -> None:
    room = f"den@{server.conference}"
    async with stream_peer(server, "bot") as bot:
        bot.session._rooms._rooms[room] = None  # type: ignore[assignment]
        try:
            path, _ = a_file(tmp_path, 10)
            with pytest.raises(LocalProtocolError):
                await bot.send(f"{room}/anna", path, Method.IBB)
        finally:
            del bot.session._rooms._rooms[room]


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (offer("x", 3, "jabber:iq:oob"), "bad-request"),
        (Element(f"{{{SI}}}si"), "bad-request"),
        (Element(f"{{{SI}}}si", {"id": "x", "profile": "urn:other"}), "bad-request"),
    ],
)
async def test_an_offer_that_cannot_be_taken_is_answered(
    bot: StreamPeer, anna: Peer, payload: Element, condition: str
) -> None:
    assert (await ask(anna, bot.jid, payload)).condition == condition


@pytest.mark.conformance(98)
async def test_a_thousand_offers_are_answered_and_few_are_taken(server: Server, anna: Peer) -> None:
    over = asyncio.Event()

    async def never(_: StreamPeer, __: StreamOffer) -> None:
        await over.wait()

    limits = StreamLimits(offer_s=1.0)
    async with stream_peer(server, "bot", on_offer=never, limits=limits) as bot:
        asked = (ask(anna, bot.jid, offer(f"s{number}", 3)) for number in range(1000))
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(LIMIT_S):
            answers = await asyncio.gather(*asked)
        took_s = asyncio.get_running_loop().time() - began
        assert {each.condition for each in answers} == {"resource-constraint"}
        assert all(each.text for each in answers)
        # Ten at once; and each that nobody has answered in time makes room for one more.
        assert len(bot.offers) <= 10 * (1 + took_s / limits.offer_s)
        over.set()


async def test_an_offer_that_is_not_handled_is_answered(server: Server, anna: Peer) -> None:
    async def fail(_: StreamPeer, __: StreamOffer) -> None:
        raise RuntimeError("a bug")

    async with stream_peer(server, "bot", on_offer=fail) as bot:
        assert (await ask(anna, bot.jid, offer("s", 3))).condition == "resource-constraint"


async def test_the_same_sid_twice_is_a_conflict(bot: StreamPeer, anna: Peer) -> None:
    assert (await ask(anna, bot.jid, offer("twice", 3))).kind == "result"
    assert (await ask(anna, bot.jid, offer("twice", 3))).condition == "conflict"
    # The first of them is as good as before.
    await ask(anna, bot.jid, opening("twice"))
    assert (await ask(anna, bot.jid, block("twice", 0, "QUJD"))).kind == "result"
    assert await bot.file() == b"ABC"


# --- the XMPP session beneath ------------------------------------------------------------------------


@pytest.mark.needs("stream management")
async def test_a_broken_connection_is_resumed_and_the_file_arrives(server: Server, tmp_path: Path) -> None:
    async with stream_peer(server, "bot") as bot, stream_peer(server, "other") as other:
        path, content = a_file(tmp_path, 1_000_000)
        began = asyncio.Event()
        sending = asyncio.create_task(
            bot.session.streams.send(
                other.jid,
                path,
                entry(path),
                StreamMethod(Negotiation.SI, Method.IBB),
                lambda _: began.set(),
            )
        )
        await asyncio.wait_for(began.wait(), LIMIT_S)
        bot.session._stream.abort()
        await asyncio.wait_for(sending, LIMIT_S)
        assert await other.file() == content


@pytest.mark.conformance(100)
async def test_a_command_does_not_wait_behind_a_file(tmp_path: Path) -> None:
    server = private_server(tmp_path / "server", users=["bot", "other", "anna"], client_kb_per_s=10)
    async with (
        server,
        stream_peer(server, "bot") as bot,
        stream_peer(server, "other") as other,
        await Peer.of(server, "anna") as anna,
    ):
        path, content = a_file(tmp_path, 60_000)
        sending = asyncio.create_task(bot.send(other.jid, path, Method.IBB))
        waits = []
        while not sending.done():
            await asyncio.sleep(0.3)
            asked_at = asyncio.get_running_loop().time()
            anna.say("ls", server.jid("bot"))
            await anna.next_message()
            waits.append(asyncio.get_running_loop().time() - asked_at)
        await sending
        assert await other.file() == content
        assert max(waits) < 5.0


async def until_seen(bot: StreamPeer, peer: Peer) -> None:
    """Let the bot see that this person is online."""
    peer.client.send_presence(pto=JID(bot.jid).bare)
    await until_answered(lambda: bot.session.streams.present(JID(peer.jid).bare), LIMIT_S)


@pytest.mark.parametrize("stage", ["offered", "hosts named", "opening"])
async def test_who_goes_offline_is_waited_for_no_longer(
    server: Server, anna: Peer, tmp_path: Path, stage: str
) -> None:
    """Not for the person's answer, nor for the client's choice of a host, nor for its in-band stream."""
    method = Method.IBB if stage == "opening" else Method.SOCKS5
    path, _ = a_file(tmp_path, 100)
    async with stream_peer(server, "bot") as bot:
        await until_seen(bot, anna)
        offers, opens = requests(anna, f"{{{SI}}}si"), requests(anna, f"{{{IBB}}}open")
        queries = requests(anna, f"{{{BYTESTREAMS}}}query")
        sending = asyncio.create_task(bot.send(anna.jid, path, method))
        offered = await asyncio.wait_for(offers.get(), LIMIT_S)
        if stage != "offered":
            offered.reply().set_payload(accepted(IBB if stage == "opening" else BYTESTREAMS)).send()
            await asyncio.wait_for((opens if stage == "opening" else queries).get(), LIMIT_S)
        await anna.client.disconnect()
        with pytest.raises(PeerGone):
            await asyncio.wait_for(sending, 10.0)


async def test_a_sender_that_goes_offline_before_its_stream_is_waited_for_no_longer(
    server: Server, anna: Peer
) -> None:
    async with stream_peer(server, "bot") as bot:
        await until_seen(bot, anna)
        assert (await ask(anna, bot.jid, offer("never opened", 3))).kind == "result"
        await anna.client.disconnect()
        with pytest.raises(PeerGone):
            await asyncio.wait_for(bot.file(), 10.0)
