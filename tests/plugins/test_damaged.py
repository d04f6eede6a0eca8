"""Files whose bytes are lost or damaged: never sent, named, and mended by the same bytes."""

import hashlib
from collections.abc import Callable

import pytest

from filebot.model import Client, Method, Negotiation, Offer, Scope
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room
from filebot.testing.xmpp import FakeFileRequest

CONTENT = b"content"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
DESKTOP = Client(f"{ALICE}/desktop", {Negotiation.SI: frozenset({Method.SOCKS5, Method.IBB})})
BOBS = Client(f"{BOB}/desktop", {Negotiation.SI: frozenset({Method.SOCKS5})})
SORRY = '"a.pdf" is lost or damaged in my storage, so I did not send it.'

Break = Callable[[FakeBot], None]


def lose(bot: FakeBot) -> None:
    del bot.store.blobs[DIGEST]


def damage(bot: FakeBot) -> None:
    bot.store.blobs[DIGEST] = b"CONTENT"


@pytest.fixture(params=[lose, damage])
async def bot(bot: FakeBot, request: pytest.FixtureRequest) -> FakeBot:
    """With a file of Alice's that is lost or damaged."""
    await bot.drop("a.pdf", CONTENT)
    request.param(bot)
    return bot


def nothing_was_sent(bot: FakeBot) -> bool:
    return not bot.sent and not bot.streams.received and not bot.uploads.slots


@pytest.mark.parametrize("text", ["get a.pdf", "get a.pdf by http", f"send a.pdf to {BOB}", "get #1"])
async def test_it_is_not_sent_by_link_and_is_named(bot: FakeBot, text: str) -> None:
    [said] = await bot.say(text)
    assert said.startswith(SORRY)
    assert nothing_was_sent(bot)


@pytest.mark.parametrize("text", ["get a.pdf", "get a.pdf by socks5", "get a.pdf by ibb"])
async def test_it_is_not_sent_by_stream_and_is_named(bot: FakeBot, text: str) -> None:
    bot.uploads.away = True
    bot.streams.online[ALICE] = (DESKTOP,)
    [said] = await bot.say(text)
    assert said.startswith(SORRY)
    assert nothing_was_sent(bot)
    assert bot.streams.attempts == []
    assert await bot.catalog.deliveries() == []


async def test_damaged_file_is_not_queued(bot: FakeBot) -> None:
    bot.uploads.away = True
    [said] = await bot.say("get a.pdf")
    assert said.startswith(SORRY)
    assert await bot.catalog.deliveries() == []


async def test_what_is_lost_while_it_waits_is_told_when_its_turn_comes(bot: FakeBot) -> None:
    await bot.drop("b.pdf", b"other")
    bot.uploads.away = True
    await bot.say("get b.pdf")
    del bot.store.blobs[hashlib.sha256(b"other").hexdigest()]
    [said] = await bot.come_online(DESKTOP)
    assert said.startswith('"b.pdf" is lost or damaged')
    assert await bot.catalog.deliveries() == []


async def test_a_client_that_asks_for_it_by_itself_is_declined(bot: FakeBot) -> None:
    request = FakeFileRequest(ALICE, Offer(name="a.pdf"))
    await bot.dispatcher.receive_request(request)
    assert request.sent == []
    assert request.refusals[0].startswith(SORRY)


async def test_it_is_not_shared_into_a_room(bot: FakeBot) -> None:
    [said] = await bot.say(f"send a.pdf to {ROOM}")
    assert said.startswith(SORRY)
    assert await bot.catalog.count(Scope(room=ROOM)) == 0


async def test_it_is_not_shared_into_a_room_by_an_old_link(bot: FakeBot) -> None:
    await bot.drop("a.pdf", CONTENT)
    await bot.say("get a.pdf")
    lose(bot)
    [said] = await bot.say(f"send a.pdf to {ROOM}")
    assert said.startswith(SORRY)
    assert await bot.catalog.count(Scope(room=ROOM)) == 0
    assert len(bot.sent) == 1


async def test_an_old_link_to_the_whole_file_is_given_again(bot: FakeBot) -> None:
    await bot.drop("a.pdf", CONTENT)
    await bot.say("get a.pdf")
    lose(bot)
    assert await bot.say("get a.pdf") == []
    assert bot.sent[1].url == bot.sent[0].url


async def test_the_same_bytes_mend_it(bot: FakeBot) -> None:
    [said] = await bot.drop("again.pdf", CONTENT)
    assert said.startswith("I already have that one")
    assert bot.store.blobs[DIGEST] == CONTENT
    assert await bot.say("get a.pdf") == []
    assert bot.web.hosted[bot.sent[0].url].content == CONTENT


async def test_the_same_bytes_of_somebody_else_mend_it(bot: FakeBot) -> None:
    await bot.drop("mine.pdf", CONTENT, BOB)
    assert await bot.say("get a.pdf") == []


async def test_keep_in_a_room_mends_it(bot: FakeBot) -> None:
    await bot.drop("a.pdf", CONTENT, in_room())
    assert "Stored" in (await bot.say("keep", in_room()))[0]
    assert await bot.say("get a.pdf") == []


async def test_keep_of_what_the_room_has_already_mends_it(bot: FakeBot) -> None:
    await bot.drop("a.pdf", CONTENT, in_room())
    await bot.say("keep", in_room())
    lose(bot)
    await bot.drop("a.pdf", CONTENT, in_room())
    await bot.say("keep", in_room())
    assert bot.store.blobs[DIGEST] == CONTENT


async def test_it_is_listed_shown_renamed_and_removed_as_any(bot: FakeBot) -> None:
    for text, part in (
        ("ls", "a.pdf"),
        ("find pdf", "a.pdf"),
        ("info a.pdf", "a.pdf"),
        ("rename a.pdf to b.pdf", "b.pdf"),
        ("rm b.pdf", "b.pdf"),
    ):
        [said] = await bot.say(text)
        assert part in said
    assert await bot.catalog.used_in_all() == (0, 0)


async def test_a_pattern_goes_on_with_the_others_and_names_what_was_not_sent(bot: FakeBot) -> None:
    for name in ("b.pdf", "c.pdf"):
        await bot.drop(name, name.encode())
    del bot.store.blobs[hashlib.sha256(b"c.pdf").hexdigest()]
    said = await bot.say("get *.pdf")
    assert [each.entry.name for each in bot.sent] == ["b.pdf"]
    assert said[0].splitlines() == ["2 of 3 files were not sent:", '- "c.pdf" (#3)', '- "a.pdf" (#1)']
    assert len(said) == 2
    assert "is lost or damaged" in said[1]


async def test_send_with_a_pattern_goes_on_with_the_others(bot: FakeBot) -> None:
    await bot.drop("b.pdf", b"b")
    said = await bot.say(f"send *.pdf to {BOB}")
    assert [each.entry.name for each in bot.sent] == ["b.pdf"]
    assert any(each.splitlines() == ["One of 2 files was not sent:", '- "a.pdf" (#1)'] for each in said)
