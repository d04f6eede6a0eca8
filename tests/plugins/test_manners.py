"""Help, languages, quotas, strangers and floods."""

import asyncio
import re
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from filebot.chat.rate_limits import RateLimits
from filebot.errors import CatalogUnavailable
from filebot.files.quota import StorageLimits
from filebot.model import Address, AddressKind, EncryptedMessage, IncomingMessage, Offer, Scope, Sender
from filebot.plugin import Context, FileRemoved, FileStored, Permission, Place, Plugin
from filebot.plugin_loader import bundled
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.http import HostedFile
from filebot.testing.messenger import Said
from tests.support.waiting import loop_turns


@pytest.mark.parametrize(("sender", "elsewhere"), [(ALICE, Place.ROOM), (in_room(), Place.PRIVATE)])
async def test_help_shows_every_command_that_can_be_used_there(
    bot: FakeBot, sender: Sender | str, elsewhere: Place
) -> None:
    [said] = await bot.say("help all", sender)
    for plugin in bundled():
        for command in plugin.commands:
            is_for_them = command.permission is not Permission.ADMIN and command.place is not elsewhere
            assert (f"{command.usage[0]}: " in said) is is_for_them


async def test_help_lists_groups_and_in_each_first_what_people_type_every_day(bot: FakeBot) -> None:
    [said] = await bot.say("help all", in_room())
    shown = [line.partition(": ")[0] for line in said.splitlines()]
    places = [
        shown.index(usage)
        for usage in (
            *(
                "Files:",
                *("ls", "find WORDS", "info NAME", "rename OLD NEW", "rm NAME"),
                "Getting and sharing:",
                *("get NAME", "send NAME to TARGET"),
                "Rooms:",
                *("room", "join ROOM", "leave [ROOM]", "archive off for me", "claim"),
                "Transfers:",
                "cancel NUMBER",
                "Settings and help:",
                *("help [COMMAND]", "quota"),
            ),
        )
    ]
    assert places == sorted(places)
    [said] = await bot.say("help archive")
    assert said.startswith("archive off for me\narchive on for me\n")


async def test_a_plugins_own_command_stands_in_the_help_behind_the_known_ones() -> None:
    own = Plugin[None]("own", api=1, templates={"said": "{{ way }}"})

    @own.command("aa", usage=("aa of X", "aa"))
    async def aa(ctx: Context[None], x: str) -> None:
        """Say how it was written."""
        await ctx.reply("own/said", way=ctx.usage)

    async with FakeBot(own) as bot:
        [said] = await bot.say("help all")
        assert said.index("claim: ") < said.index("aa: ")
        assert await bot.say("AA OF y") == ["aa of X"]
        assert await bot.say("aa") == ["aa"]


async def test_a_room_is_told_how_commands_begin(bot: FakeBot) -> None:
    bot.rooms.prefix = "%"
    [said] = await bot.say("help", in_room())
    told = 'I keep this room\'s files. In the room, begin each command with "%" or my name.'
    assert said.startswith(told)
    assert bot.messenger.sent[-1].to == through_room().address, "nobody else has to read it"


async def test_help_of_one_command_shows_each_way_to_use_it(bot: FakeBot) -> None:
    [said] = await bot.say("help mv")
    assert "rename OLD NEW\n" in said
    assert "Also: mv" in said
    assert "Did you mean find?" in (await bot.say("help fnid"))[0]


@pytest.mark.parametrize("blank", ["\t", "\n", "  ", "\u3000"])
async def test_any_blank_ends_the_command_word(bot: FakeBot, blank: str) -> None:
    await bot.drop("a.txt", b"1")
    [said] = await bot.say(f"info{blank}a.txt")
    assert said.startswith("a.txt, #1")


@pytest.mark.parametrize("word", ["get", "rm", "find", "send", "leave", "doctor"])
async def test_of_a_command_alone_nothing_is_said_to_follow(bot: FakeBot, word: str) -> None:
    [said] = await bot.say(f"{word} ")
    assert said.startswith(f'Something is missing after "{word}". Type it like this:\n  {word} ')


async def test_in_a_room_commands_are_shown_as_they_are_to_be_typed_there(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1", in_room())
    [stored] = await bot.say("keep", in_room())
    assert stored.endswith("type: !get a.txt")
    [shown] = await bot.say("get", in_room())
    assert "\n  !get NAME\n" in shown
    assert shown.endswith("type: !help get")
    [shown] = await bot.say("get", through_room())
    assert "\n  get NAME\n" in shown


@pytest.mark.parametrize(("text", "like"), [("帮助", "help"), ("你好", "hi"), ("列表", "ls")])
async def test_chinese_words_are_commands_as_well(bot: FakeBot, text: str, like: str) -> None:
    assert await bot.say(text) == await bot.say(like)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("fnid x", "Did you mean: find x?"),
        ("send a.txt", 'I do not understand what comes after "send".'),
        ("get", "get NAME"),
        ("send a.txt", "send NAME to TARGET"),
        ("cancel it", '"it" is not a number. For NUMBER, type a whole number, such as 12.'),
        ("xyzzy", "help"),
    ],
)
async def test_a_wrong_word_is_never_met_with_silence(bot: FakeBot, text: str, reply: str) -> None:
    [said] = await bot.say(text)
    assert reply in said


async def test_the_language_is_that_of_the_client_until_one_chooses(bot: FakeBot) -> None:
    sender = Sender(Address(ALICE), ALICE)
    [said] = await bot.receive(IncomingMessage(sender, "ls", language="zh-Hans-CN"))
    assert "您" in said
    assert "中文" in (await bot.say("lang 中文"))[0]
    assert "您" in (await bot.say("ls"))[0]
    assert "English" in (await bot.say("lang en"))[0]
    assert "no files" in (await bot.say("ls"))[0]
    assert await bot.say("lang klingon") == [
        'I do not speak "klingon". I speak English (lang en) and 中文 (lang zh).'
    ]
    assert await bot.say("lang") == ["I speak English (lang en) and 中文 (lang zh)."]
    await bot.say("lang zh")
    assert await bot.say("lang") == ["我会说 English（lang en）和中文（lang zh）。"]


async def test_a_language_that_cannot_be_remembered_is_not_said_to_be_chosen(bot: FakeBot) -> None:
    nobody = in_room(None, "hal")
    assert "hides your address" in (await bot.say("lang zh", nobody))[0]


async def test_a_stranger_is_refused_once_and_then_not_heard(bot: FakeBot) -> None:
    stranger = "eve@elsewhere.example"
    assert len(await bot.say("ls", stranger)) == 1
    assert await bot.say("ls", stranger) == []
    assert await bot.drop("a.txt", b"1", stranger) == []
    assert not bot.store.blobs


async def test_a_nick_equal_to_an_admins_jid_is_nobody(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.say(f"send a.txt to {ROOM}", in_room())
    imposter = in_room(None, "admin@example.org")
    assert "hides your address" in (await bot.say("rm a.txt", imposter))[0]


async def test_a_message_of_200_kb_is_refused_with_both_numbers(bot: FakeBot) -> None:
    [said] = await bot.say("find " + "x" * 200_000)
    assert "200005" in said
    assert "4000" in said


async def test_who_asks_too_fast_is_told_once() -> None:
    async with FakeBot(rate_limits=RateLimits(commands_per_minute=5)) as bot:
        said = [await bot.say("ls") for _ in range(9)]
    assert [len(each) for each in said] == [1] * 6 + [0] * 3
    assert said[5] != said[4]


async def test_a_room_whose_people_ask_too_fast_is_not_told_so_in_public() -> None:
    async with FakeBot(rate_limits=RateLimits(commands_per_minute=1)) as bot:
        for _ in range(3):
            await bot.say("ls", in_room())
        kinds = [(each.to.kind, each.to.jid) for each in bot.messenger.sent if isinstance(each, Said)]
    assert kinds == [(AddressKind.ROOM, ROOM), (AddressKind.ROOM_PRIVATE, f"{ROOM}/alice")]


@pytest.mark.conformance(92)
async def test_what_cannot_be_read_is_answered_once_for_each_device() -> None:
    anna, stranger = Sender(Address(ALICE), ALICE), "eve@elsewhere.example"
    async with FakeBot(rate_limits=RateLimits(commands_per_minute=5)) as bot:
        for device in ("1", "1", "2"):
            await bot.dispatcher.receive_encrypted(EncryptedMessage(anna, device, None))
        await bot.dispatcher.receive_encrypted(
            EncryptedMessage(Sender(Address(stranger), stranger), "3", None)
        )
        assert bot.messenger.texts(stranger) == []
        told = bot.messenger.texts(ALICE)
        assert ["Turn encryption (OMEMO) off" in each for each in told] == [True, True]
        for number in range(3, 20):
            await bot.dispatcher.receive_encrypted(EncryptedMessage(anna, str(number), None))
        assert len(bot.messenger.texts(ALICE)) == 5


async def test_a_room_is_told_once_that_it_lets_the_bot_answer_nobody_in_private(bot: FakeBot) -> None:
    for room in (ROOM, ROOM, "other@conference.example.org"):
        await bot.dispatcher.receive_no_private(room)
    [said] = bot.messenger.texts(ROOM)
    assert "filebot@example.org" in said
    assert len(bot.messenger.texts("other@conference.example.org")) == 1


async def test_a_room_in_which_the_bot_may_only_listen_is_not_told_that(bot: FakeBot) -> None:
    bot.rooms.mute.add(ROOM)
    await bot.dispatcher.receive_no_private(ROOM)
    assert bot.messenger.sent == []


@pytest.mark.conformance(24)
async def test_an_old_command_is_not_carried_out_but_an_old_file_is_kept(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    late = bot.now - timedelta(hours=3)
    [said] = await bot.receive(
        IncomingMessage(Sender(Address(ALICE), ALICE), "rm a.txt", delayed_since=late)
    )
    assert "rm a.txt" in said
    assert len(bot.store.blobs) == 1


async def test_many_old_commands_have_one_answer_each_person_and_it_comes_last(bot: FakeBot) -> None:
    late = [bot.now - timedelta(minutes=minutes) for minutes in (5, 90, 3)]

    async def receive(text: str, since: datetime, person: str = ALICE) -> None:
        message = IncomingMessage(Sender(Address(person), person), text, delayed_since=since)
        await bot.dispatcher.receive(message)
        said.append(text)

    said: list[str] = []
    texts = ["ls", "rm a.txt", "ls", *(f"get {number}" for number in range(100))]
    work = [receive(text, late[number % 3]) for number, text in enumerate(texts)]
    await asyncio.gather(*work, receive("help", late[0], BOB))
    [alice], [bob] = bot.messenger.texts(ALICE), bot.messenger.texts(BOB)
    assert "103 messages" in alice
    assert alice.count("ls") == 1
    assert '"rm a.txt", "get 0", "get 1", "get 2"' in alice
    assert "get 3" not in alice
    assert '"help"' in bob
    assert len(said) == 104  # nothing was dealt with before its answer, and all of it with it


async def test_a_file_that_was_stored_before_a_crash_is_answered_as_stored_and_not_fetched_again(
    bot: FakeBot,
) -> None:
    urls = [f"https://files.example.org/{name}" for name in ("a.txt", "b.txt")]
    bot.web.hosted |= {url: HostedFile(url.encode()) for url in urls}
    offers = tuple(Offer(urls=(url,)) for url in urls)
    message = IncomingMessage(Sender(Address(ALICE), ALICE), "", offers=offers, mam_id="7")
    first = await bot.receive(message)
    bot.web.hosted.clear()  # the links are dead by now
    assert await bot.receive(replace(message, delayed_since=bot.now - timedelta(hours=1))) == first
    assert [each.startswith("Stored") for each in first] == [True, True]
    assert await bot.catalog.count(Scope(owner=ALICE)) == 2
    # The same file in another message is fetched as any, and so is somebody else's message of that id.
    bot.web.hosted |= {url: HostedFile(url.encode()) for url in urls}
    assert "already" in (await bot.receive(replace(message, mam_id="8")))[0]
    assert "Stored" in (await bot.receive(replace(message, sender=Sender(Address(BOB), BOB))))[0]
    assert await bot.catalog.count(Scope(owner=BOB)) == 2


async def test_what_is_cut_off_by_the_end_is_not_dealt_with() -> None:
    async with FakeBot() as bot:
        late = bot.now - timedelta(hours=1)
        message = IncomingMessage(Sender(Address(ALICE), ALICE), "ls", delayed_since=late)
        waiting = [asyncio.create_task(bot.dispatcher.receive(message)) for _ in range(3)]
        await loop_turns()
        await bot.dispatcher.close(timeout_s=0.1)
        await asyncio.gather(*waiting, return_exceptions=True)
        assert all(each.cancelled() for each in waiting)
        with pytest.raises(asyncio.CancelledError):
            await bot.dispatcher.receive(message)
    assert bot.messenger.texts(ALICE) == []


async def test_what_somebody_stores_is_not_told_to_a_room() -> None:
    async with FakeBot(limits=StorageLimits(100_000, 100_000, 1_000_000, 1_000_000)) as bot:
        await bot.say("quota", in_room())
        await bot.say("transfers", in_room())
        await bot.drop("a.bin", b"a" * 95_000, in_room())
        await bot.say("keep", in_room())
        assert [re.split("[,.]", text)[0] for text in bot.messenger.texts(f"{ROOM}/alice")] == [
            "You have 0 files",
            "None of your files is on its way right now",
            "Your space is nearly full: 99",
        ]
        [said] = bot.messenger.texts(ROOM)
        assert said.startswith("Stored")


async def test_quota_says_what_is_used_and_warns_in_time() -> None:
    async with FakeBot(limits=StorageLimits(100_000, 100_000, 1_000_000, 1_000_000)) as bot:
        assert len(await bot.drop("a.bin", b"a" * 80_000)) == 1
        assert "84.1 kB of 100 kB" in (await bot.say("quota"))[0]  # a file is more than its bytes
        assert "nearly full" in (await bot.drop("b.bin", b"b" * 7_000))[1]
        [refused] = await bot.drop("c.bin", b"c" * 1_000)
        assert "c.bin" in refused
        assert "100 kB" in refused


async def test_a_plugin_that_breaks_is_answered_with_an_incident_that_tells_nothing() -> None:
    broken = Plugin[None]("broken", api=1)

    @broken.command("boom", usage="boom")
    async def boom(ctx: Context[None]) -> None:
        """Break."""
        raise RuntimeError("secret detail")

    async with FakeBot(broken, may_fail=True) as bot:
        [said] = await bot.say("boom")
        assert "secret" not in said
        assert "no files" in (await bot.say("ls", BOB))[0]


async def test_a_plugin_hears_of_files_and_may_block_in_a_thread() -> None:
    watcher = Plugin[None]("watcher", api=1, templates={"seen": "{{ what }}: {{ name }} ({{ thread }})"})

    @watcher.on(FileStored)
    async def stored(ctx: Context[None], event: FileStored) -> None:
        name = await ctx.run_blocking(lambda: threading.current_thread() is threading.main_thread())
        await ctx.reply("watcher/seen", what="stored", name=event.entry.name, thread=name)

    @watcher.on(FileRemoved)
    async def removed(ctx: Context[None], event: FileRemoved) -> None:
        await ctx.reply("watcher/seen", what="removed", name=event.entry.name, thread="")

    async with FakeBot(watcher) as bot:
        assert "stored: a.txt (False)" in await bot.drop("a.txt", b"1")
        assert "removed: a.txt ()" in await bot.say("rm a.txt")


async def test_a_catalog_that_fails_is_no_reason_for_silence(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*args: object, **values: object) -> None:
        raise CatalogUnavailable("disk gone")

    for name in ("language", "page", "count", "used_by"):
        monkeypatch.setattr(bot.catalog, name, fails)
    for said in (await bot.say("ls"), await bot.drop("a.txt", b"1")):
        assert len(said) == 1
        assert "disk gone" not in said[0]


async def test_a_command_that_was_perhaps_done_before_a_crash_is_not_done_again(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a")
    message = IncomingMessage(Sender(Address(ALICE), ALICE), "rm a.txt", delayed_since=bot.now)
    (answer,) = await bot.receive(replace(message, maybe_handled=True))
    assert "may have done it already" in answer
    assert "type it again" in answer
    assert len(bot.store.blobs) == 1
    await bot.receive(message)
    assert len(bot.store.blobs) == 0


async def test_whom_a_message_did_not_reach_is_told_in_shorter_words_once_a_minute(bot: FakeBot) -> None:
    phone = Address("alice@example.org/phone")
    for _ in range(3):
        await bot.dispatcher.receive_unsent(phone, "en")
    [said] = bot.messenger.texts(phone.jid)
    assert "did not get through" in said
    await bot.dispatcher.receive_unsent(Address("bob@example.org"), "zh-CN")
    [said] = bot.messenger.texts("bob@example.org")
    assert "没有送达" in said
    await bot.dispatcher.receive_unsent(Address(ROOM, AddressKind.ROOM), None)
    assert len(bot.messenger.texts(ROOM)) == 1
