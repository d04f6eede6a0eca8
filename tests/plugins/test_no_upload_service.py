"""On a server without an upload service: what is true is said once, and tried when it can work."""

from filebot.model import Address, Client, Method, Negotiation, Sender
from filebot.testing import ALICE, ROOM, FakeBot, in_room

GAJIM = Client(f"{ALICE}/gajim", {}, "https://gajim.org")
DINO = Client(f"{ALICE}/dino", {Negotiation.JINGLE: frozenset({Method.SOCKS5})}, "https://dino.im")
WAITS = (
    "I will send it as soon as you are online with an app that takes files directly, "
    "and have me as a contact."
)
INSTEAD = (
    "Conversations, Dino and Psi take files directly, for example. "
    "For every other app, my operator has to set up an upload service."
)
PRIVATELY = (
    'My server has no upload service, or it does not answer, so I cannot post "beach.jpg" here. '
    "I am sending it to you in a private chat."
)
ASKING = Sender(Address(GAJIM.jid), ALICE)


async def test_a_client_that_takes_nothing_is_told_once_what_is_true_and_what_else_there_is(
    bot: FakeBot,
) -> None:
    bot.uploads.away = True
    await bot.come_online(GAJIM)
    await bot.drop("a.bin", b"x", ASKING)
    [said] = await bot.say("get a.bin", ASKING)
    assert said.splitlines() == [
        '"a.bin" cannot be sent now:',
        "- My server has no upload service, or it does not answer.",
        "- The app that is online cannot receive files directly.",
        WAITS,
        INSTEAD,
        "To cancel it, type: cancel 2",
    ]
    [said] = await bot.say("get a.bin", ASKING)
    assert said.splitlines() == [
        '"a.bin" waits already. It goes as soon as you are online with an app that takes files directly.',
        "To cancel it, type: cancel 2",
    ]
    assert "a.bin" in (await bot.say("transfers", ASKING))[0]
    # Nothing is tried, and nothing said, until something changes.
    assert await bot.come_online(GAJIM) == []
    assert bot.streams.attempts == []
    await bot.come_online(GAJIM, DINO)
    assert [client for client, _, _ in bot.streams.received] == [DINO.jid]
    assert "None of your files" in (await bot.say("transfers", ASKING))[0]


async def test_who_asks_in_a_room_gets_the_file_in_private_and_the_room_reads_why(bot: FakeBot) -> None:
    await bot.drop("beach.jpg", b"beach")
    await bot.say(f"send beach.jpg to {ROOM}")
    bot.uploads.away = True
    bot.web.hosted.clear()
    await bot.come_online(DINO)
    before = len(bot.messenger.sent)
    await bot.say("get beach.jpg", in_room())
    assert [client for client, _, _ in bot.streams.received] == [DINO.jid]
    there = [each for each in bot.messenger.sent[before:] if each.to.jid == ROOM]
    assert [getattr(each, "text", "") for each in there] == [PRIVATELY]


async def test_whom_the_room_hides_is_told_what_is_true(bot: FakeBot) -> None:
    await bot.drop("beach.jpg", b"beach")
    await bot.say(f"send beach.jpg to {ROOM}")
    bot.uploads.away = True
    bot.web.hosted.clear()
    [said] = await bot.say("get beach.jpg", in_room(None, "ghost"))
    assert "has no upload service" in said
    assert "Write to me in a private chat" in said
    assert "minutes" not in said
