"""Files by streams: into the same house, and out of it where a link cannot be."""

import asyncio
import hashlib

import pytest

from filebot.model import Client, Entry, Method, Negotiation, Offer, StreamMethod
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.xmpp import FakeStreamOffer
from tests.support.waiting import until

DESKTOP = f"{ALICE}/desktop"
EVERYTHING = {Negotiation.SI: frozenset({Method.SOCKS5, Method.IBB})}
IN_BAND = {Negotiation.SI: frozenset({Method.IBB})}


def offered(content: bytes, *, person: str = ALICE, **more: object) -> FakeStreamOffer:
    offer = Offer(name="a.bin", size=len(content), hashes={"md5": hashlib.md5(content).digest()})
    return FakeStreamOffer(person, offer, content, **more)  # type: ignore[arg-type]  # the tests' own words


async def test_an_offer_is_taken_in_like_any_drop(bot: FakeBot) -> None:
    bot.may_fail = True
    stream = offered(b"some bytes")
    assert await bot.offer(stream) == [
        'Stored "a.bin" (10 bytes, plain text) as #1. To get it back, type: get a.bin'
    ]
    assert stream.refusals == []
    assert (await bot.offer(offered(b"some bytes")))[0].startswith("I already have that one")


async def test_what_may_not_come_in_is_declined_in_words(bot: FakeBot) -> None:
    for content in (b"", b"x" * 1_100_000):
        stream = offered(content)
        [said] = await bot.offer(stream)
        assert stream.refusals == [said]
        assert "a.bin" in said
        assert stream.offsets == []
    assert not bot.store.blobs


async def test_a_strangers_offer_is_declined(bot: FakeBot) -> None:
    stream = offered(b"virus", person="eve@elsewhere.example")
    assert await bot.offer(stream) == []
    assert len(stream.refusals) == 1


async def test_a_broken_stream_is_gone_on_with_where_it_broke(bot: FakeBot) -> None:
    content = b"0123456789"
    [said] = await bot.offer(offered(content, resumable=True, breaks_at=4))
    assert "a.bin" in said
    assert not bot.store.blobs
    assert "no files" in (await bot.say("ls"))[0]
    again = offered(content, resumable=True)
    assert "Stored" in (await bot.offer(again))[0]
    assert again.offsets == [4]
    assert list(bot.store.blobs.values()) == [content]


async def test_a_rest_that_does_not_fit_is_found_out_by_the_hash(bot: FakeBot) -> None:
    content = b"0123456789"
    await bot.offer(offered(content, resumable=True, breaks_at=4))
    other = offered(content, resumable=True)
    other.content = b"9876543210"
    await bot.offer(other)
    assert not bot.store.blobs
    last = offered(content, resumable=True)
    assert "Stored" in (await bot.offer(last))[0]
    assert last.offsets == [0]


@pytest.mark.parametrize(("resumable", "person"), [(False, ALICE), (True, BOB)])
async def test_nobody_elses_bytes_are_gone_on_with(bot: FakeBot, resumable: bool, person: str) -> None:
    content = b"0123456789"
    await bot.offer(offered(content, resumable=True, breaks_at=4))
    again = offered(content, resumable=resumable, person=person)
    await bot.offer(again)
    assert again.offsets == [0]


async def test_without_an_upload_service_a_file_goes_by_stream_unasked(bot: FakeBot) -> None:
    await bot.drop("a.bin", b"content")
    bot.uploads.away = True
    assert "upload" in (await bot.say("get a.bin"))[0]
    bot.streams.online[ALICE] = (Client(DESKTOP, EVERYTHING),)
    [said] = await bot.say("get a.bin")
    assert "directly" in said
    assert bot.streams.received == [(DESKTOP, StreamMethod(Negotiation.SI, Method.SOCKS5), b"content")]


async def test_a_file_over_the_services_limit_goes_by_stream(bot: FakeBot) -> None:
    await bot.drop("a.bin", b"x" * 20_000)
    bot.uploads.limit_bytes = 10_000
    bot.streams.online[ALICE] = (Client(DESKTOP, IN_BAND),)
    await bot.say("get a.bin")
    assert [(to, way.method) for to, way, _ in bot.streams.received] == [(DESKTOP, Method.IBB)]


@pytest.mark.parametrize(("words", "method"), [("socks5", Method.SOCKS5), ("IBB", Method.IBB)])
async def test_a_method_can_be_asked_for(bot: FakeBot, words: str, method: Method) -> None:
    await bot.drop("a.bin", b"content")
    bot.streams.online[ALICE] = (Client(DESKTOP, EVERYTHING),)
    assert await bot.say(f"get a.bin by {words}") == ['Sent "a.bin".']
    assert bot.streams.received == [(DESKTOP, StreamMethod(Negotiation.SI, method), b"content")]
    await bot.say("get a.bin by http")
    assert len(bot.sent) == 1


async def test_a_method_that_no_client_has_is_refused_in_words(bot: FakeBot) -> None:
    await bot.drop("a.bin", b"content")
    bot.streams.online[ALICE] = (Client(DESKTOP, IN_BAND),)
    assert "by socks5" in (await bot.say("get a.bin by socks5"))[0]
    assert not bot.streams.received


async def test_a_name_may_hold_the_word_by(bot: FakeBot) -> None:
    await bot.drop("book by author.txt", b"content")
    await bot.say("get book by author.txt")
    assert len(bot.sent) == 1


async def test_no_stream_goes_to_an_occupant_of_a_room(bot: FakeBot) -> None:
    await bot.drop("a.bin", b"content")
    bot.streams.online[ALICE] = bot.streams.online[ROOM] = (Client(DESKTOP, EVERYTHING),)
    for sender in (in_room(), through_room()):
        assert "only give links" in (await bot.say("get a.bin by socks5", sender))[0]
    assert not bot.streams.received


async def test_a_transfer_is_shown_and_can_be_stopped(bot: FakeBot) -> None:
    await bot.drop("a.bin", b"content")
    assert "None of your files" in (await bot.say("transfers"))[0]
    begun = asyncio.Event()

    async def hangs(to: str, file: object, entry: Entry, way: StreamMethod, progress: object) -> Method:
        begun.set()
        await asyncio.sleep(60)
        return way.method

    bot.streams.send = hangs  # type: ignore[method-assign]  # a client that does not answer
    bot.streams.online[ALICE] = (Client(DESKTOP, EVERYTHING),)
    getting = asyncio.create_task(bot.say("get a.bin by socks5"))
    await begun.wait()
    assert "1" not in await said_meanwhile(bot, "transfers", BOB)
    shown = await said_meanwhile(bot, "transfers", ALICE)
    assert "a.bin, 0%, 0 bytes of 7 bytes" in shown
    number = shown.partition(":")[0]
    assert "number" in await said_meanwhile(bot, f"cancel {number}", BOB)
    assert await said_meanwhile(bot, f"cancel {number}", ALICE) == '"a.bin" was stopped.'
    await getting


async def said_meanwhile(bot: FakeBot, text: str, person: str) -> str:
    """Return the bot's answer while something else is still going on."""
    before = len(bot.messenger.texts(person))
    speaking = asyncio.create_task(bot.say(text, person))
    await until(lambda: len(bot.messenger.texts(person)) != before, 10)
    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)
    return bot.messenger.texts(person)[before]
