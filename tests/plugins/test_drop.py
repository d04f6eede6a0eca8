"""Files come in, and their senders are told."""

from dataclasses import replace

import pytest

from filebot.model import Address, AddressKind, IncomingMessage, MessageRef, Offer, Sender
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.http import HostedFile

ALICE_CHAT = Sender(Address(ALICE), ALICE)


def offered(*urls: str) -> tuple[Offer, ...]:
    return tuple(Offer(urls=(url,)) for url in urls)


async def test_a_drop_is_answered_with_all_that_one_needs_to_get_it_back(bot: FakeBot) -> None:
    assert await bot.drop("report.pdf", b"%PDF-" + b"x" * 12_340) == [
        'Stored "report.pdf" (12.3 kB, PDF document) as #1. To get it back, type: get report.pdf'
    ]


async def test_the_same_bytes_again_are_not_a_second_copy(bot: FakeBot) -> None:
    await bot.drop("report.pdf", b"same")
    [reply] = await bot.drop("copy of report.pdf", b"same")
    assert reply.startswith('I already have that one: "report.pdf", #1, stored')
    assert reply.endswith('get report.pdf\nI did not store it again as "copy of report.pdf".')
    for again in ("report.pdf", ".."):  # the latter is no name
        [reply] = await bot.drop(again, b"same")
        assert reply.endswith("get report.pdf")
    assert len(await bot.say("ls")) == 1
    assert len([d async for d in bot.store.digests()]) == 1


async def test_somebody_else_is_not_told_who_else_has_the_same_bytes(bot: FakeBot) -> None:
    await bot.drop("secret.pdf", b"same")
    [reply] = await bot.drop("mine.pdf", b"same", BOB)
    assert reply.startswith('Stored "mine.pdf"')


async def test_a_caption_is_found_later_and_never_run_as_a_template(bot: FakeBot) -> None:
    await bot.drop("a.png", b"x", caption="beach {{ 7*7 }}")
    [reply] = await bot.say("info a.png")
    assert "Caption: beach {{ 7*7 }}" in reply
    assert "1. a.png" in (await bot.say("find beach"))[0]


@pytest.mark.parametrize(
    ("name", "content", "reply"),
    [
        ("empty.txt", b"", "empty"),
        ("big.bin", b"x" * 1_100_001, "1 MB"),
    ],
)
async def test_a_file_that_is_refused_leaves_nothing(
    bot: FakeBot, name: str, content: bytes, reply: str
) -> None:
    [said] = await bot.drop(name, content)
    assert name in said
    assert reply in said
    assert not bot.store.blobs
    assert "no files" in (await bot.say("ls"))[0]


async def test_of_twenty_files_in_one_message_the_first_ten_are_kept_and_the_rest_named(
    bot: FakeBot,
) -> None:
    urls = [f"https://files.example.org/{n}.png" for n in range(20)]
    for url in urls:
        bot.web.hosted[url] = HostedFile(url.encode())
    said = await bot.receive(IncomingMessage(ALICE_CHAT, "", offers=offered(*urls)))
    assert any(each.startswith("Stored 10 files, ") for each in said)
    [refusal] = [each for each in said if "so I did not store 10 of them." in each]
    assert refusal.startswith("I take 10 files from one message, ")
    assert [n for n in range(20) if f'- "{n}.png"' in refusal] == [*range(10, 20)]
    assert len(bot.store.blobs) == 10


async def test_a_bare_link_to_ones_own_server_is_a_file(bot: FakeBot) -> None:
    url = "https://upload.example.org/slot/photo.jpg"
    bot.web.hosted[url] = HostedFile(b"x")
    assert 'Stored "photo.jpg"' in (await bot.say(url))[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/photo.jpg",
        "https://example.org.evil.example/photo.jpg",
        "https://evil.example/example.org",
        "http://127.0.0.1/x",
        "https://[::1/x",
    ],
)
async def test_any_other_link_is_only_kept_when_asked(bot: FakeBot, url: str) -> None:
    bot.web.hosted[url] = HostedFile(b"x")
    [said] = await bot.say(url)
    assert f"fetch {url}" in said
    assert not bot.store.blobs
    assert "Stored" in (await bot.say(f"fetch {url}"))[0]


async def test_a_file_posted_in_a_room_is_not_kept_unasked(bot: FakeBot) -> None:
    posted = IncomingMessage(in_room(), "", offered("https://files.example.org/a.png"), addressed=False)
    bot.web.hosted["https://files.example.org/a.png"] = HostedFile(b"x")
    assert await bot.receive(posted) == []
    assert not bot.store.blobs
    [said] = await bot.say("keep", in_room())
    assert 'Stored "a.png"' in said
    assert "a.png" in (await bot.say("ls", in_room(BOB, "bob")))[0]


async def test_keep_takes_only_ones_own_file(bot: FakeBot) -> None:
    await bot.receive(
        IncomingMessage(in_room(), "", offered("https://files.example.org/a.png"), addressed=False)
    )
    assert "have not seen a file from you" in (await bot.say("keep", in_room(BOB, "alice")))[0]


async def test_keep_needs_a_jid_that_the_room_shows(bot: FakeBot) -> None:
    assert "hides your address" in (await bot.say("keep", in_room(None, "alice")))[0]


async def test_a_file_sent_privately_through_a_room_is_ones_own(bot: FakeBot) -> None:
    await bot.drop("a.png", b"x", through_room())
    assert "a.png" in (await bot.say("ls"))[0]
    assert "no files" in (await bot.say("ls", in_room()))[0]


async def test_a_hidden_occupant_cannot_drop(bot: FakeBot) -> None:
    [said] = await bot.drop("a.png", b"x", through_room(None, "alice"))
    assert "a.png" in said or "not" in said
    assert not bot.store.blobs
    assert bot.messenger.sent[-1].to.jid == f"{ROOM}/alice"


async def test_what_is_posted_in_one_room_makes_the_bot_forget_nothing_of_another(bot: FakeBot) -> None:
    url = "https://files.example.org/a.png"
    bot.web.hosted[url] = HostedFile(b"a")
    await bot.receive(IncomingMessage(in_room(), "", offered(url), addressed=False))
    lively = "lively@conference.example.org"
    for number in range(1001):
        poster = Sender(Address(lively, AddressKind.ROOM), None, lively, "nick", f"{lively}/{number}")
        await bot.receive(IncomingMessage(poster, "", offered(url), addressed=False))
    assert 'Stored "a.png"' in (await bot.say("keep", in_room()))[0]


async def test_keep_as_a_reply_takes_the_file_that_is_replied_to_if_it_is_ones_own(bot: FakeBot) -> None:
    for number in (1, 2):
        url = f"https://files.example.org/{number}.png"
        bot.web.hosted[url] = HostedFile(str(number).encode())
        speaker = replace(in_room(), message_ref=MessageRef(f"{ROOM}/alice", f"id{number}"))
        await bot.receive(IncomingMessage(speaker, "", offered(url), addressed=False))

    async def keep(speaker: Sender, replies_to: str) -> str:
        [said] = await bot.receive(IncomingMessage(speaker, "keep", replies_to=replies_to))
        return said

    assert "do not remember a file of yours" in await keep(in_room(BOB, "alice"), "id1")
    assert "do not remember a file of yours" in await keep(in_room(), "id3")
    assert not bot.store.blobs
    assert 'Stored "1.png"' in await keep(in_room(), "id1")
    assert 'Stored "2.png"' in await keep(in_room(), "")


async def test_keep_of_a_post_too_large_to_be_remembered_says_so(bot: FakeBot) -> None:
    urls = tuple(f"https://files.example.org/{number}".ljust(8000, "x") for number in range(30))
    await bot.receive(
        IncomingMessage(in_room(), "", tuple(Offer(urls=(url,)) for url in urls), addressed=False)
    )
    [said] = await bot.say("keep", in_room())
    assert "too long to remember" in said
    assert not bot.store.blobs
