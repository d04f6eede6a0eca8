"""Files by Jingle on a real server: between our sessions, and with a peer that writes its own stanzas."""

import asyncio
import os
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
import pytest_asyncio

from filebot.errors import DigestMismatch, PeerGone, PeerProtocolError, Refused
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from filebot.model import Method
from filebot.ports import FileRequest, StreamOffer
from filebot.xmpp.bytestreams.registry import StreamLimits
from tests.servers import private_server
from tests.support.streams import (
    IBB,
    LIMIT_S,
    Answer,
    StreamPeer,
    ask,
    block,
    entry,
    opening,
    requests,
    stream_peer,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

JINGLE = "urn:xmpp:jingle:1"
FT = "urn:xmpp:jingle:apps:file-transfer:5"
IBB_TRANSPORT = "urn:xmpp:jingle:transports:ibb:1"
SIZES = [1, 4096, 1_000_000]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("jingle")
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


def file_of(folder: Path, size: int) -> Path:
    path = folder / "a file.bin"
    path.write_bytes(os.urandom(size))
    return path


# --- between two of ours -------------------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("listening", ["sender", "receiver", "neither"])
async def test_a_file_goes_by_socks5_and_arrives_whole(
    server: Server, tmp_path: Path, size: int, listening: str
) -> None:
    path = file_of(tmp_path, size)
    async with (
        stream_peer(server, "bot", listens=listening == "sender") as bot,
        stream_peer(server, "other", listens=listening == "receiver") as other,
    ):
        assert await bot.send_by_jingle(other, path, Method.SOCKS5) is Method.SOCKS5
        assert await other.file() == path.read_bytes()


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_goes_in_band_and_arrives_whole(
    server: Server, bot: StreamPeer, tmp_path: Path, size: int
) -> None:
    path = file_of(tmp_path, size)
    async with stream_peer(server, "other") as other:
        assert await bot.send_by_jingle(other, path, Method.IBB) is Method.IBB
        assert await other.file() == path.read_bytes()


@pytest.mark.conformance(69, 70)
async def test_where_nobody_can_connect_the_session_goes_on_in_band(server: Server, tmp_path: Path) -> None:
    path = file_of(tmp_path, 100_000)
    async with (
        stream_peer(server, "bot", private=False) as bot,
        stream_peer(server, "other", private=False) as other,
    ):
        assert await bot.send_by_jingle(other, path, Method.SOCKS5) is Method.IBB
        assert await other.file() == path.read_bytes()


@pytest.mark.conformance(48)
@pytest.mark.parametrize("method", [Method.SOCKS5, Method.IBB])
async def test_a_file_that_turns_out_wrong_is_not_said_to_be_received(
    server: Server, bot: StreamPeer, tmp_path: Path, method: Method
) -> None:
    async def find_it_wrong(own: StreamPeer, offer: StreamOffer) -> None:
        async with offer.accept() as download:
            async for _ in download.chunks():
                pass
            raise DigestMismatch(algorithm="sha-256")

    async with stream_peer(server, "other", on_offer=find_it_wrong) as other:
        with pytest.raises(PeerProtocolError, match="media-error"):
            await bot.send_by_jingle(other, file_of(tmp_path, 5000), method)


@pytest.mark.conformance(53)
async def test_a_client_that_goes_offline_ends_its_session(
    server: Server, bot: StreamPeer, tmp_path: Path
) -> None:
    noticed = asyncio.Event()

    async def ponder(own: StreamPeer, _: StreamOffer) -> None:
        own.session._stream.send_presence(pto=bot.jid.partition("/")[0], ptype="unavailable")
        await noticed.wait()

    async with stream_peer(server, "other", on_offer=ponder) as other:
        with pytest.raises(PeerGone):
            await bot.send_by_jingle(other, file_of(tmp_path, 10), Method.IBB)
        noticed.set()


# --- with a peer that writes its own stanzas ------------------------------------------------------------


def jingle(action: str, sid: str, content: str = "") -> Element:
    return fromstring(f"<jingle xmlns='{JINGLE}' action='{action}' sid='{sid}'>{content}</jingle>")


def content(
    *, name: str = "c", senders: str = "initiator", file: str = "", transport: str = "", more: str = ""
) -> str:
    file = file or "<name>a.bin</name><size>3</size>"
    transport = transport or f"<transport xmlns='{IBB_TRANSPORT}' sid='t' block-size='4096'/>"
    return (
        f"<content creator='initiator' name='{name}' senders='{senders}'>"
        f"<description xmlns='{FT}'><file>{file}</file></description>{transport}{more}</content>"
    )


async def begin(
    peer: Peer, bot: StreamPeer, sid: str, contents: str
) -> tuple[Answer, asyncio.Queue[Element]]:
    """Begin a session; the bare answer, and what the bot says afterwards."""
    said = requests(peer, f"{{{JINGLE}}}jingle")
    heard: asyncio.Queue[Element] = asyncio.Queue()

    async def answer_all() -> None:
        while True:
            iq = await said.get()
            iq.reply().send()
            heard.put_nowait(next(iter(iq.xml)))

    task = asyncio.create_task(answer_all())
    heard.answering = task  # type: ignore[attr-defined]  # kept from the garbage collector
    return await ask(peer, bot.jid, jingle("session-initiate", sid, contents)), heard


async def next_said(heard: asyncio.Queue[Element]) -> Element:
    return await asyncio.wait_for(heard.get(), LIMIT_S)


def reason(said: Element) -> str:
    assert said.get("action") == "session-terminate"
    found = said.find(f"{{{JINGLE}}}reason")
    assert found is not None
    return found[0].tag.partition("}")[2]


@pytest.mark.core
@pytest.mark.conformance(48, 50, 79)
async def test_a_plain_session_is_acknowledged_accepted_received_and_ended(
    bot: StreamPeer, anna: Peer
) -> None:
    answer, heard = await begin(anna, bot, "s1", content())
    assert answer.kind == "result"
    accept = await next_said(heard)
    assert accept.get("action") == "session-accept"
    assert accept.find(f".//{{{FT}}}range") is None
    assert (await ask(anna, bot.jid, opening("t"))).kind == "result"
    assert (await ask(anna, bot.jid, block("t", 0, "QUJD"))).kind == "result"
    assert await bot.file() == b"ABC"
    received = await next_said(heard)
    assert (received.get("action"), received[0].tag) == ("session-info", f"{{{FT}}}received")
    assert reason(await next_said(heard)) == "success"
    # The peer ends it at the same time: no error for that.
    assert (await ask(anna, bot.jid, jingle("session-terminate", "s1"))).kind == "result"


@pytest.mark.conformance(46)
async def test_a_hash_that_comes_after_the_data_is_waited_for_if_it_was_promised(
    bot: StreamPeer, anna: Peer
) -> None:
    promised = "<name>a</name><size>3</size><hash-used xmlns='urn:xmpp:hashes:2' algo='sha-256'/>"
    _, heard = await begin(anna, bot, "s2", content(file=promised))
    await next_said(heard)
    await ask(anna, bot.jid, opening("t"))
    await ask(anna, bot.jid, block("t", 0, "QUJD"))
    digest = "tdQEXD9Gb6kf4sxqvnkjKhpXzfEE96JubAVd0b1EXi8="
    told = f"<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{digest}</hash>"
    checksum = f"<checksum xmlns='{FT}' creator='initiator' name='c'><file>{told}</file></checksum>"
    assert (await ask(anna, bot.jid, jingle("session-info", "s2", checksum))).kind == "result"
    assert await bot.file() == b"ABC"
    assert bot.offers[-1].offer.hash_follows  # by which a beginning from before may be gone on with


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (
            "<content creator='initiator' name='c'><description xmlns='x:y'/></content>",
            "unsupported-applications",
        ),
        (
            content(transport="<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>"),
            "unsupported-transports",
        ),
        (content(more="<security xmlns='urn:xmpp:jingle:jet:0'/>"), "security-error"),
        (content(senders="none"), "unsupported-applications"),
    ],
)
async def test_what_cannot_be_taken_is_acknowledged_and_then_declined(
    bot: StreamPeer, anna: Peer, contents: str, expected: str
) -> None:
    answer, heard = await begin(anna, bot, "s3", contents)
    assert answer.kind == "result"
    assert reason(await next_said(heard)) == expected
    assert not bot.offers


@pytest.mark.conformance(52)
async def test_of_several_files_the_first_is_taken_and_the_others_are_rejected(
    bot: StreamPeer, anna: Peer
) -> None:
    _, heard = await begin(
        anna, bot, "s4", content() + content(name="d", transport="<transport xmlns='x:y'/>")
    )
    rejected = await next_said(heard)
    assert (rejected.get("action"), rejected[0].get("name")) == ("content-reject", "d")
    assert (await next_said(heard)).get("action") == "session-accept"
    added = await ask(anna, bot.jid, jingle("content-add", "s4", content(name="e")))
    assert added.kind == "result"
    assert (await next_said(heard)).get("action") == "content-reject"
    await ask(anna, bot.jid, jingle("session-terminate", "s4", "<reason><cancel/></reason>"))
    with pytest.raises(Refused):
        await bot.file()


@pytest.mark.conformance(43)
@pytest.mark.parametrize(
    ("payload", "condition", "specific"),
    [
        (jingle("session-terminate", "unknown"), "item-not-found", "unknown-session"),
        (jingle("transport-info", "unknown", content()), "item-not-found", "unknown-session"),
        (jingle("dance", "s"), "bad-request", ""),
        (jingle("session-initiate", "s"), "bad-request", ""),
        (jingle("session-initiate", "", content()), "bad-request", ""),
    ],
)
async def test_what_makes_no_sense_is_an_error(
    bot: StreamPeer, anna: Peer, payload: Element, condition: str, specific: str
) -> None:
    answer = await ask(anna, bot.jid, payload)
    assert answer.condition == condition
    assert not specific or specific in {each.tag.partition("}")[2] for each in answer.stanza.iter()}


async def test_a_stranger_is_declined_with_words_once(server: Server, bot: StreamPeer) -> None:
    async with await Peer.of(server, "eve") as eve:
        _, heard = await begin(eve, bot, "s5", content())
        said = await next_said(heard)
        assert (reason(said), "Not for you." in "".join(said.itertext())) == ("decline", True)
    assert not bot.offers


async def test_a_second_session_of_the_same_sid_is_refused(bot: StreamPeer, anna: Peer) -> None:
    _, heard = await begin(anna, bot, "s6", content())
    await next_said(heard)
    again = await ask(anna, bot.jid, jingle("session-initiate", "s6", content()))
    assert again.condition == "unexpected-request"
    same_transport = await ask(anna, bot.jid, jingle("session-initiate", "s6a", content()))
    assert same_transport.condition == "conflict"
    await ask(anna, bot.jid, jingle("session-terminate", "s6", "<reason><cancel/></reason>"))
    with pytest.raises(Refused):
        await bot.file()


async def test_a_sender_that_says_nothing_more_is_given_up(server: Server, anna: Peer) -> None:
    async with stream_peer(server, "bot", limits=StreamLimits(open_s=1.0)) as bot:
        _, heard = await begin(anna, bot, "s7", content())
        await next_said(heard)
        assert reason(await next_said(heard)) == "failed-transport"
        with pytest.raises(PeerGone):
            await bot.file()


# --- asked for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 2])
async def test_a_file_that_is_asked_for_is_sent_or_the_part_of_it(
    bot: StreamPeer, anna: Peer, tmp_path: Path, offset: int
) -> None:
    path = tmp_path / "wanted.txt"
    path.write_bytes(b"ABCDE")
    sent: asyncio.Future[Method] = asyncio.get_running_loop().create_future()

    async def give(request: FileRequest) -> None:
        assert (request.offer.name, request.sender.jid) == ("wanted.txt", "anna@localhost")
        sent.set_result(await request.send(path, entry(path), lambda _: None))

    bot.on_request = give
    blocks = requests(anna, f"{{{IBB}}}data")
    wanted = f"<name>wanted.txt</name><range offset='{offset}'/>"
    _, heard = await begin(anna, bot, "r1", content(senders="responder", file=wanted))
    accept = await next_said(heard)
    size = accept.find(f".//{{{FT}}}size")
    assert size is not None
    assert (accept.get("action"), size.text) == ("session-accept", "5")
    await ask(anna, bot.jid, opening("t"))
    data = await asyncio.wait_for(blocks.get(), LIMIT_S)
    data.reply().send()
    assert b64decode(data.xml[0].text) == b"ABCDE"[offset:]
    done = "<received xmlns='urn:xmpp:jingle:apps:file-transfer:5' creator='initiator' name='c'/>"
    await ask(anna, bot.jid, jingle("session-info", "r1", done))
    assert await asyncio.wait_for(sent, LIMIT_S) is Method.IBB


@pytest.mark.conformance(51)
async def test_a_request_that_is_declined_says_why(bot: StreamPeer, anna: Peer) -> None:
    async def decline(request: FileRequest) -> None:
        await request.refuse("There is no such file.")

    bot.on_request = decline
    _, heard = await begin(anna, bot, "r2", content(senders="responder", file="<name>x</name>"))
    said = await next_said(heard)
    assert (reason(said), "no such file" in "".join(said.itertext())) == ("decline", True)
