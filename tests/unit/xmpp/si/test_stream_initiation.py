"""Stream initiation and in-band streams with a peer that is played."""

import asyncio
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import tostring

import pytest
from slixmpp import JID

from filebot.errors import LocalProtocolError, PeerGone
from filebot.model import Method, Negotiation
from filebot.ports import StreamOffer
from filebot.protocol.ibb import IBB, encode
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.stream_initiation import SI
from filebot.xmpp.bytestreams.ibb_receiver import WAITING_BYTES
from tests.support.stream_lab import PEER, Lab, file_offer, in_band, lab, names_in
from tests.support.streams import accepted, block, closing, offer, opening
from tests.support.virtual_time import in_virtual_time


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789")
    return path


def takes_in_band(peer: Lab) -> None:
    peer.knows()
    peer.answers("si", tostring(accepted(IBB), encoding="unicode"))
    for kind in ("open", "data", "close"):
        peer.answers(kind)


@pytest.mark.conformance(71, 76, 85)
@in_virtual_time
async def test_a_file_goes_in_iqs_and_the_stream_is_closed_behind_its_last_byte(file: Path) -> None:
    async with lab() as peer:
        takes_in_band(peer)
        assert await peer.send(file, Method.IBB, Negotiation.SI) is Method.IBB
        assert [each for each in peer.order if each not in {"si", "query of disco#items"}] == [
            "open",
            "data",
            "close",
        ]
        assert all(each.tag == "{jabber:client}iq" for each in peer.said)
        assert peer.heard("open")[0].get("stanza") == "iq"


@pytest.mark.conformance(72)
@pytest.mark.parametrize(
    ("smallest", "sizes"),
    [
        (4096, [16384, 8192, 4096]),
        (1024, [16384, 8192, 4096, 2048, 1024]),
        (0, [16384, 8192, 4096, 2048, 1024]),
    ],
)
@in_virtual_time
async def test_a_block_that_is_too_large_is_halved_and_offered_again(
    file: Path, smallest: int, sizes: list[int]
) -> None:
    async with lab() as peer:
        takes_in_band(peer)
        too_large = StanzaError("resource-constraint", "modify")

        def next_one(said: Any) -> None:
            size = int(said.get("block-size"))
            peer.answers("open", "" if size // 2 <= smallest else too_large)

        peer.answers("open", too_large, next_one)
        if smallest:
            await peer.send(file, Method.IBB, Negotiation.SI)
        else:
            with pytest.raises(PeerGone):
                await peer.send(file, Method.IBB, Negotiation.SI)
        assert [int(each.get("block-size", "")) for each in peer.heard("open")] == sizes


@pytest.mark.conformance(100)
@in_virtual_time
async def test_a_ping_does_not_wait_behind_the_blocks_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(1_000_000))
    async with lab() as peer:
        takes_in_band(peer)
        peer.answers("data", None)
        sending = asyncio.create_task(peer.send(path, Method.IBB, Negotiation.SI))
        await peer.until(lambda: peer.heard("data"))
        await asyncio.sleep(1)
        # A server that lets 10 kB through in a second is done with what is on its way in less than five.
        assert sum(len(tostring(each)) for each in peer.heard("data")) < 50_000
        ping = peer.stream.plugin["xep_0199"].send_ping(JID("example.org"), timeout=5)
        await peer.settled()
        assert peer.order[-1] == "ping"
        await asyncio.gather(ping, sending, return_exceptions=True)


@pytest.mark.conformance(75)
@in_virtual_time
async def test_three_blocks_at_once_are_taken_in_their_order() -> None:
    async with lab() as peer:
        peer.on_offer = peer.take
        peer.ask(offer("s", 9))
        await peer.settled()
        peer.ask(opening("s"))
        # Without waiting for a single answer.
        names = [peer.ask(block("s", number, text)) for number, text in enumerate(["QUJD", "REVG", "R0hJ"])]
        assert [peer.answer_to(name).get("type") for name in names] == ["result"] * 3
        peer.ask(closing("s"))
        await peer.settled()
        assert peer.came == [b"ABCDEFGHI"]


@pytest.mark.conformance(74)
@in_virtual_time
async def test_no_more_blocks_are_acknowledged_than_may_wait_for_being_written() -> None:
    go_on = asyncio.Event()

    async def take(offered: StreamOffer) -> None:
        async with offered.accept() as download:
            await go_on.wait()
            peer.came.append(b"".join([bytes(each) async for each in download.chunks()]))

    content = bytes(48 * 1024)
    count = 2 * WAITING_BYTES // len(content)
    async with lab() as peer:
        peer.on_offer = take
        peer.ask(offer("s", count * len(content)))
        await peer.settled()
        peer.ask(opening("s", 65535))
        blocks = [peer.ask(block("s", number, encode(content))) for number in range(count)]
        await asyncio.sleep(30)

        def acknowledged() -> list[str]:
            taken = {each.get("id") for each in peer.said if each.get("type") == "result"}
            return [each for each in blocks if each in taken]

        assert acknowledged() == blocks[: WAITING_BYTES // len(content)]
        go_on.set()
        await peer.until(lambda: len(acknowledged()) == count)
        await asyncio.sleep(5)
        assert peer.came == [content * count]


@pytest.mark.conformance(77)
@in_virtual_time
async def test_what_is_not_base64_ends_its_own_stream_and_no_other() -> None:
    async with lab() as peer:
        peer.on_offer = peer.take
        for sid in ("good", "bad"):
            peer.ask(offer(sid, 6))
            await peer.settled()
            peer.ask(opening(sid))
        peer.ask(block("good", 0, "QUJD"))
        refused = peer.answer_to(peer.ask(block("bad", 0, "QU*D")))
        assert "bad-request" in names_in(refused)
        assert peer.answer_to(peer.ask(block("good", 1, "REVG"))).get("type") == "result"
        await asyncio.sleep(5)
        assert b"ABCDEF" in peer.came
        assert len(peer.came) == 2


@pytest.mark.conformance(80)
@in_virtual_time
async def test_an_offer_is_answered_once_with_one_method() -> None:
    kept: list[StreamOffer] = []

    async def take(offered: StreamOffer) -> None:
        kept.append(offered)
        await peer.take(offered)

    async with lab() as peer:
        peer.on_offer = take
        asked = peer.ask(offer("s", 3))
        await peer.settled()
        answer = peer.answer_to(asked)
        assert (answer.get("type"), answer[0].tag) == ("result", f"{{{SI}}}si")
        [form] = answer.iter("{jabber:x:data}x")
        values = [each.text for each in form.iter("{jabber:x:data}value")]
        assert (form.get("type"), values) == ("submit", [IBB])
        with pytest.raises(LocalProtocolError):
            await kept[0].refuse("too late")
        with pytest.raises(LocalProtocolError):
            async with kept[0].accept():
                pytest.fail("twice")
        peer.ask(opening("s"))
        peer.ask(block("s", 0, "QUJD"))
        await asyncio.sleep(5)
        assert peer.answer_to(asked) is answer
        assert peer.came == [b"ABC"]


@pytest.mark.conformance(50, 84)
@pytest.mark.parametrize("kind", ["SI", "Jingle"])
@in_virtual_time
async def test_a_part_is_not_asked_for_where_none_was_offered(kind: str) -> None:
    raised: list[bool] = []

    async def take_a_part(offered: StreamOffer) -> None:
        assert not offered.resumable
        with pytest.raises(LocalProtocolError):
            async with offered.accept(1):
                pytest.fail("not offered")
        raised.append(True)

    async with lab() as peer:
        peer.answers("session-terminate")
        peer.on_offer = take_a_part
        peer.ask(offer("s", 3) if kind == "SI" else file_offer("s", in_band("t")))
        await peer.settled()
        assert raised == [True]
        assert not any("range" in names_in(each) for each in peer.said)


@pytest.mark.conformance(98)
@in_virtual_time
async def test_who_has_ten_sessions_of_any_kind_gets_no_more_and_others_do() -> None:
    async with lab() as peer:
        peer.answers("session-terminate")
        for number in range(5):
            peer.ask(offer(f"s{number}", 3))
            peer.ask(file_offer(f"j{number}", in_band(f"t{number}")))
        await peer.settled()
        assert len(peer.offers) == 10
        refused = peer.answer_to(peer.ask(offer("more", 3)))
        assert "resource-constraint" in names_in(refused)
        peer.ask(file_offer("more", in_band("tm")), "anna@example.org/tablet")
        await peer.settled()
        assert "busy" in names_in(peer.heard("session-terminate")[0])
        assert len(peer.offers) == 10
        peer.ask(offer("s", 3), "boris@example.org/phone")
        await peer.settled()
        assert len(peer.offers) == 11
        assert peer.offers[0].sender.address.jid == PEER
        await asyncio.sleep(70)  # nobody answers them
