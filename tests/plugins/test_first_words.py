"""The first minute with the bot: a welcome, greetings, help, and words that need no answer."""

import pytest

from filebot.model import Address, IncomingMessage, Sender
from filebot.plugin import Context, Plugin
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room

LINES = (
    "Hello. I keep your files: send me one here, and get it back whenever you like, on any device.",
    "To see your files, type: ls",
    "To learn what else I can do, type: help",
)
WELCOME = ["\n".join(LINES)]
GREETINGS = ("hi", "Hello!", "?", "/start", "start", "你好")


async def in_chinese(bot: FakeBot, text: str, by: Sender | None = None) -> str:
    sender = by or Sender(Address(ALICE), ALICE)
    return "\n".join(await bot.receive(IncomingMessage(sender, text, language="zh")))


async def test_a_new_contact_is_welcomed_once_in_three_lines(bot: FakeBot) -> None:
    assert await bot.subscribe(ALICE) == WELCOME
    assert bot.messenger.sent[-1].to.jid == ALICE
    assert await bot.subscribe(ALICE) == []
    assert await bot.subscribe(BOB) == WELCOME


async def test_no_second_welcome_after_a_restart_but_after_being_forgotten(bot: FakeBot) -> None:
    await bot.subscribe(ALICE)
    async with FakeBot(catalog=bot.catalog) as later:
        assert await later.subscribe(ALICE) == []
        await later.forget_person(ALICE)
    async with FakeBot(catalog=bot.catalog) as again:
        assert await again.subscribe(ALICE) == WELCOME


async def test_strangers_are_not_welcomed(bot: FakeBot) -> None:
    for stranger in ("eve@elsewhere.example", "mallory@example.org"):
        assert await bot.subscribe(stranger) == []


async def test_rather_no_welcome_than_one_with_each_request() -> None:
    async with FakeBot(may_fail=True) as bot:
        with bot.faults.failing_catalog():
            assert WELCOME[0] not in await bot.subscribe(ALICE)


async def test_the_welcome_is_in_the_language_of_the_client(bot: FakeBot) -> None:
    [said] = await bot.subscribe(ALICE, "zh-CN")
    assert said.splitlines()[0].startswith("您好。我为您保存文件")
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize("text", GREETINGS)
async def test_a_greeting_is_answered_by_the_same(bot: FakeBot, text: str) -> None:
    assert await bot.say(text) == WELCOME
    assert await bot.say(text) == WELCOME, "whoever asks again is answered again"
    assert await bot.subscribe(ALICE) == [], "and knows it already"


async def test_in_a_room_the_greeter_alone_reads_how_commands_begin(bot: FakeBot) -> None:
    bot.rooms.prefix = "%"
    [said] = await bot.say("hi", in_room())
    first, *others = said.splitlines()
    assert first == 'Hello. I keep this room\'s files. In the room, begin each command with "%" or my name.'
    assert others == ["To see the room's files, type: ls", "To learn what else I can do, type: help"]
    assert bot.messenger.sent[-1].to == through_room().address


@pytest.mark.parametrize("text", ["thanks", "ok", "OK!", "👍", ":)", "好的", "谢谢"])
@pytest.mark.parametrize("by", [ALICE, in_room(), through_room()], ids=["private", "room", "through room"])
async def test_what_needs_no_answer_gets_none(bot: FakeBot, text: str, by: Sender | str) -> None:
    assert await bot.say(text, by) == []


async def test_ok_still_answers_a_question() -> None:
    plugin = Plugin[None]("ask", api=1, templates={"sure": "Sure?", "done": "Done."})

    @plugin.command("ask", usage="ask")
    async def ask(ctx: Context[None]) -> None:
        """Ask."""
        await ctx.confirm("ask/sure")
        await ctx.reply("ask/done")

    async with FakeBot(plugin) as bot:
        await bot.say("ask")
        assert await bot.say("ok") == ["Done."]
        assert await bot.say("ok") == []


async def test_a_command_of_a_plugin_is_no_small_talk() -> None:
    plugin = Plugin[None]("cool", api=1, templates={"it": "Cooled."})

    @plugin.command("cool", usage="cool", aliases=("hey",))
    async def cool(ctx: Context[None]) -> None:
        """Cool something."""
        await ctx.reply("cool/it")

    async with FakeBot(plugin) as bot:
        assert await bot.say("cool") == await bot.say("hey") == ["Cooled."]


async def test_help_is_four_lines_that_lead_on(bot: FakeBot) -> None:
    for asker in (ALICE, in_room(), through_room()):
        [said] = await bot.say("help", asker)
        assert len(said.splitlines()) == 4
        assert said.endswith("type: help all")


@pytest.mark.parametrize("text", ["help", "help all", "help get", "help gte"])
async def test_in_a_room_help_is_for_the_asker_alone(bot: FakeBot, text: str) -> None:
    assert len(await bot.say(text, in_room())) == 1
    assert bot.messenger.sent[-1].to == through_room().address


async def test_help_in_chinese_has_the_chinese_words(bot: FakeBot) -> None:
    said = await in_chinese(bot, "帮助 全部")
    assert "\n列表: " in said
    assert "\n文件：\n" in f"\n{said}"
    assert (await in_chinese(bot, "help ls")).splitlines()[0] == "列表"
    assert "也可以用：ls" in await in_chinese(bot, "help ls")


async def test_a_command_of_another_plugin_is_among_the_others() -> None:
    plugin = Plugin[None]("own", api=1)

    @plugin.command("own", usage="own")
    async def own(ctx: Context[None]) -> None:
        """Do something of its own."""

    async with FakeBot(plugin) as bot:
        [said] = await bot.say("help all", in_room(room=ROOM))
        assert "\n\nMore:\nown: Do something of its own.\n" in said
