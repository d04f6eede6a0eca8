"""``doctor me``: what is found out, and that it is said so that anybody understands it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from filebot.errors import ServiceQuotaReached
from filebot.files.quota import StorageLimits
from filebot.model import BareJid, Client, Method, Negotiation, ProxyState
from filebot.testing import ALICE, BOB, FakeBot, in_room, through_room
from tests.support.waiting import until

PHONE, DESK = f"{ALICE}/phone", f"{ALICE}/desk"
EVERYTHING = {Negotiation.SI: frozenset({Method.SOCKS5, Method.IBB})}
IN_BAND = {Negotiation.SI: frozenset({Method.IBB})}
NOTHING = {Negotiation.SI: frozenset[Method]()}
LIMITS = StorageLimits(10**10, 10**11, 10**12, 10**12)


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot(limits=LIMITS)


async def asked(bot: FakeBot) -> str:
    [said] = await bot.say("doctor me")
    return said


async def test_doctor_names_every_working_method(bot: FakeBot) -> None:
    async with bot:
        bot.uploads.limit_bytes = 10_000_000
        bot.streams.let_in = {"proxy.example.org": ProxyState.WORKS}
        bot.streams.hosts = ("files.example.org",)
        bot.streams.online[ALICE] = (
            Client(PHONE, NOTHING, "https://conversations.im"),
            Client(DESK, EVERYTHING, "https://psi-im.org"),
        )
        bot.streams.rates[DESK] = 120_000.0
        assert (await asked(bot)).splitlines() == [
            "Links: possible, for files up to 10 MB.",
            "Directly: apps can connect to me at files.example.org, if their network allows it.",
            "Through my server: its proxy works.",
            "I see these apps of yours online:",
            "- phone (https://conversations.im): takes only links",
            "- desk (https://psi-im.org): takes files directly and over the chat connection",
            "Over the chat connection: about 120 kB a second to desk.",
            "How I would send you a file now:",
            "- 1 MB: as a link",
            "- 100 MB: directly to desk",
            "- 5 GB: directly to desk",
            "You are using 0 bytes of 100 GB.",
        ]


async def test_nobody_online_and_no_upload_service(bot: FakeBot) -> None:
    async with bot:
        bot.uploads.away = True
        said = await asked(bot)
    assert "Links: not possible." in said
    assert "Directly: apps cannot connect to me. Only my operator can change that." in said
    assert "it has no proxy" in said
    assert "I see none of your apps online" in said
    assert "Over the chat" not in said
    assert said.count("it would wait until you are online with an app that takes it") == 3


async def test_a_client_with_nothing_but_the_chat_connection_gets_what_makes_sense(bot: FakeBot) -> None:
    async with bot:
        bot.uploads.away = True
        bot.streams.let_in = {"proxy.example.org": ProxyState.FAILS}
        bot.streams.online[ALICE] = (Client(DESK, IN_BAND),)
        bot.streams.rates[DESK] = 100_000.0
        said = await asked(bot)
    assert "it has a proxy, but I cannot connect to it" in said
    assert "- desk: takes files only over the chat connection" in said
    assert "- 1 MB: over the chat connection to desk, in about 10 seconds" in said
    assert "- 100 MB: over the chat connection to desk, in about 16 minutes 40 seconds" in said
    assert '- 5 GB: only if you add "by ibb": over the chat connection it would take' in said


async def test_a_proxy_that_takes_only_files_under_way_is_told_as_possible(bot: FakeBot) -> None:
    async with bot:
        bot.uploads.away = True
        bot.streams.let_in = {"proxy.example.org": ProxyState.POSSIBLE}
        bot.streams.online[ALICE] = (Client(DESK, EVERYTHING),)
        said = await asked(bot)
    assert "Through my server: probably possible." in said
    assert "- 5 GB: directly to desk" in said


async def test_the_measured_rate_is_used_from_then_on(bot: FakeBot) -> None:
    async with bot:
        bot.uploads.away = True
        await bot.drop("a.bin", b"x" * 100_000)
        bot.streams.online[ALICE] = (Client(DESK, IN_BAND),)
        bot.streams.rates[DESK] = 10.0
        assert "1 MB: only if you add" in await asked(bot)
        assert "by ibb" in (await bot.say("get a.bin"))[0]
        bot.streams.rates[DESK] = 100_000.0
        await asked(bot)
        await bot.say("get a.bin")
        assert [to for to, _, _ in bot.streams.received] == [DESK]


async def test_a_client_that_answers_no_test_is_told_as_such(bot: FakeBot) -> None:
    async with bot:
        bot.streams.online[ALICE] = (Client(DESK, EVERYTHING),)
        said = await asked(bot)
    assert "Over the chat connection: desk did not answer my test." in said


async def test_what_is_called_direct_but_can_hardly_be_is_told(bot: FakeBot) -> None:
    async with bot:
        bot.uploads.away = True
        bot.streams.online[ALICE] = (Client(DESK, EVERYTHING),)
        said = await asked(bot)
    assert "- 1 MB: to desk, perhaps only over the chat connection" in said


async def test_a_file_that_the_bot_would_not_keep_has_no_way() -> None:
    async with FakeBot(limits=StorageLimits(50_000_000, 10**11, 10**12, 10**12)) as bot:
        said = await asked(bot)
    assert "- 1 MB: as a link" in said
    assert "- 100 MB: not at all: I keep files up to 50 MB" in said


async def test_a_used_up_upload_service_is_told_with_its_time(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bot:
        await bot.drop("a.bin", b"content")

        async def full(name: str, size: int, media_type: str) -> None:
            raise ServiceQuotaReached(retry_at=bot.now + timedelta(hours=2))

        monkeypatch.setattr(bot.uploads, "slot", full)
        await bot.say("get a.bin")
        assert "Links: not now. My server's upload service has reached its limit" in await asked(bot)


async def test_it_is_only_for_the_person_alone(bot: FakeBot) -> None:
    async with bot:
        for sender in (in_room(), through_room(), in_room(jid=None)):
            [said] = await bot.say("doctor me", sender)
            assert "private chat" in said
        assert "doctor me" in (await bot.say("doctor bob"))[0]  # how it is written


async def test_strangers_are_not_examined(bot: FakeBot) -> None:
    async with bot:
        assert "Links" not in "".join(await bot.say("doctor me", "eve@elsewhere.example"))


async def test_nobody_is_examined_twice_at_once_and_nobody_waits_for_others(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, examined = asyncio.Event(), list[BareJid]()
    present = bot.streams.present

    async def slow(jid: BareJid) -> Sequence[Client]:
        examined.append(jid)
        if jid == ALICE:
            await go_on.wait()
        return await present(jid)

    monkeypatch.setattr(bot.streams, "present", slow)
    async with bot:
        first = asyncio.create_task(bot.say("doctor me"))
        await until(lambda: ALICE in examined, 10)
        other = asyncio.create_task(bot.say("doctor me", BOB))
        again = asyncio.create_task(bot.say("doctor me"))
        await until(lambda: bot.messenger.texts(BOB) and bot.messenger.texts(ALICE), 10)
        assert set(examined) == {ALICE, BOB}
        assert examined.count(ALICE) == 1
        assert bot.messenger.texts(ALICE) == [
            "I am still testing. You will have the answer in a few seconds."
        ]
        go_on.set()
        await asyncio.gather(first, other, again)
        assert "Links" in await asked(bot)


async def test_what_breaks_is_no_reason_to_be_examined_never_again(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.may_fail = True

    async def broken() -> Mapping[str, bool]:
        raise RuntimeError

    async with bot:
        with monkeypatch.context() as patch:
            patch.setattr(bot.streams, "proxies", broken)
            assert "Links" not in await asked(bot)
        assert "Links" in await asked(bot)


async def test_it_is_said_in_chinese(bot: FakeBot) -> None:
    async with bot:
        await bot.say("lang zh")
        bot.streams.online[ALICE] = (Client(DESK, EVERYTHING),)
        said = await asked(bot)
    assert "链接：可用" in said
    assert "Links" not in said
