"""Typed words do as they are meant: exact names first, signs of every keyboard, places of lists."""

from datetime import timedelta

import pytest

from filebot.events.facts import LinkReceived
from filebot.model import Scope
from filebot.plugin import Context, Plugin
from filebot.testing import FakeBot
from filebot.testing.http import HostedFile
from filebot.testing.senders import ALICE, BOB, in_room


async def drop(bot: FakeBot, *names: str) -> None:
    for name in names:
        await bot.drop(name, name.encode())


def sent(bot: FakeBot) -> list[str]:
    return [each.entry.name for each in bot.sent]


async def names(bot: FakeBot) -> list[str]:
    return sorted(each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=99))


@pytest.mark.parametrize(
    ("files", "text", "brought"),
    [
        (["stand by me.mp3", "stand", "me.mp3"], 'get "stand by me.mp3"', ["stand by me.mp3"]),
        (["stand by me.mp3"], "get “stand by me.mp3”", ["stand by me.mp3"]),
        (["stand by me.mp3"], "获取《stand by me.mp3》", ["stand by me.mp3"]),
        (["plan by http", "plan.pdf"], "get plan by http", ["plan by http"]),
        (['"draft"', "draft"], 'get "draft"', ['"draft"']),
        (["draft"], 'get "draft"', ["draft"]),
        (["x.pdf"], "> they wrote this\nget x.pdf", ["x.pdf"]),
        (["x.pdf"], "`get x.pdf`", ["x.pdf"]),
        (["x.pdf"], "```\nget x.pdf\n```", ["x.pdf"]),
        (["x.pdf"], "get `x.pdf`.", ["x.pdf"]),
        (["x.pdf"], "ｇｅｔ x.pdf", ["x.pdf"]),
        (["x.pdf"], "get ＃1", ["x.pdf"]),
        (["报告.pdf"], "报告．pdf", ["报告.pdf"]),
        (["a.txt", "b.txt"], "get #1 #2", ["a.txt", "b.txt"]),
        (["a.txt", "b.txt"], "get last", ["b.txt"]),
        (["a.txt", "b.txt"], "get a.txt\nget b.txt", ["a.txt", "b.txt"]),
        (["report.pdf"], "send me the report", ["report.pdf"]),
        (["report.pdf"], "give me report.pdf", ["report.pdf"]),
        (["report.pdf"], "report.pdf", ["report.pdf"]),
        (["report.pdf"], "report", ["report.pdf"]),
        (["合同.pdf"], "获取 合同.pdf", ["合同.pdf"]),
        (["合同.pdf"], "获取合同", ["合同.pdf"]),
        (["合同.pdf"], "下载合同.pdf", ["合同.pdf"]),
    ],
)
async def test_files_are_brought(files: list[str], text: str, brought: list[str]) -> None:
    async with FakeBot() as bot:
        await drop(bot, *files)
        await bot.say(text)
        assert sent(bot) == brought


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('rename "notes to self.txt" "notes to me.txt"', ["notes to me.txt"]),
        ("rename notes to self.txt to me.txt", ["me.txt"]),
        ("删除 notes to self.txt", []),
    ],
)
async def test_the_exact_form_is_done_at_once(text: str, left: list[str]) -> None:
    async with FakeBot() as bot:
        await drop(bot, "notes to self.txt")
        await bot.say(text)
        assert await names(bot) == left


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("delete the last one", "Did you mean: rm b.txt?"),
        ("please delete a.txt", "Did you mean: rm a.txt?"),
        ("删除a.txt", "Did you mean: rm a.txt?"),
        ("rm a.txt!", "Did you mean: rm a.txt?"),
        ("call a.txt c.txt", "Did you mean: rename a.txt to c.txt?"),
        ("send the a.txt to bob@example.org", "Did you mean: send a.txt to bob@example.org?"),
        ("delete a.txt and send me b.txt", "Did you mean: rm a.txt?"),
    ],
)
async def test_any_other_form_asks_first(text: str, question: str) -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.txt", "b.txt")
        said = await bot.say(text)
        assert said[-1].startswith(question)
        assert await names(bot) == ["a.txt", "b.txt"]
        assert {each.to.jid for each in bot.sent} <= {ALICE}


@pytest.mark.parametrize(
    "text",
    [
        *("don't delete it", "do not delete a.txt", "never remove a.txt", "bob deleted a.txt"),
        *("I deleted a.txt", "did you delete a.txt?", "how do I delete a.txt", "不要删除a.txt"),
        *("别把a.txt删了", "他删除了a.txt", "a.txt was deleted", "a.txt已经删了"),
        *("what if I delete a.txt", "delete not a.txt"),
    ],
)
async def test_nothing_is_done_or_asked_by_what_is_no_request(text: str) -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.txt")
        said = await bot.say(text)
        assert not any("rm a.txt" in each or "Deleted" in each for each in said)
        await bot.say("yes")
        assert await names(bot) == ["a.txt"]


@pytest.mark.parametrize("text", ["！ls", "＠filebot ls", "filebot：ls", "filebot，ls", "> said\n!ls"])
def test_signs_of_full_width_address_the_bot(text: str) -> None:
    from filebot.xmpp.messages.addressing import addressed

    assert addressed(text, prefix="!", nick="filebot") == "ls"


def test_lines_without_the_prefix_are_for_others() -> None:
    from filebot.xmpp.messages.addressing import addressed, in_private

    assert addressed("!ls\nthat is nice", prefix="!", nick="filebot") == "ls"
    assert addressed("！！！", prefix="!", nick="filebot") is None
    assert in_private("／get a.txt", prefix="!", nick="filebot") == "get a.txt"


async def test_a_number_is_a_place_for_ten_minutes_and_then_an_id() -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.txt", "b.txt", "c.txt")
        await bot.say("get 3")
        assert "1. c.txt" in (await bot.say("ls"))[0]
        await bot.say("get 3")
        bot.now += timedelta(minutes=11)
        await bot.say("get 3")
        await bot.say("get #1")
        assert sent(bot) == ["c.txt", "a.txt", "c.txt", "a.txt"]


async def test_a_place_that_is_another_files_id_is_asked_about_before_it_is_deleted() -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.txt", "b.txt", "c.txt")
        await bot.say("ls")
        assert (await bot.say("rm 3"))[0].startswith("Did you mean: rm a.txt?")
        assert len(await names(bot)) == 3
        assert (await bot.say("rm 2"))[0] == 'Deleted "b.txt" (#2).'  # both say the same


async def test_a_file_of_that_name_comes_before_a_place() -> None:
    async with FakeBot() as bot:
        await drop(bot, "2", "b.txt", "c.txt")
        await bot.say("ls")
        await bot.say("get 2")
        assert sent(bot) == ["2"]


async def test_more_goes_on_numbering() -> None:
    async with FakeBot() as bot:
        await drop(bot, *(f"{number:02}.txt" for number in range(14)))
        await bot.say("ls")
        assert (await bot.say("more"))[0].splitlines()[1].startswith("11. 03.txt")
        await bot.say("get 12")
        await bot.say("get 1")
        assert sent(bot) == ["02.txt", "13.txt"]


async def test_a_list_in_a_room_counts_for_who_asked_for_it() -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.txt", "b.txt")
        for number in (1, 2):
            await bot.say(f"send #{number} to team@conference.example.org")
        bot.messenger.sent.clear()
        await bot.say("ls", in_room())
        await bot.say("get 2", in_room())
        assert sent(bot) == ["a.txt"]
        await bot.say("get 2", in_room(BOB, "bob"))
        assert sent(bot)[1:] != ["a.txt"]


async def test_patterns_are_listed_and_asked_about_with_places() -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.pdf", "b.txt", "c.pdf")
        [said] = await bot.say("ls *.pdf")
        assert "1. c.pdf" in said
        assert "2. a.pdf" in said
        [said] = await bot.say("rm *.pdf")
        assert "1. c.pdf (5 bytes, Nov 23, 2026) #3" in said
        await bot.say("get 2")
        assert sent(bot) == ["a.pdf"]
        assert (await bot.say("rm #1 #3"))[0].startswith("Delete 2 files")
        await bot.say("yes")
        assert await names(bot) == ["b.txt"]


@pytest.mark.parametrize(
    ("text", "like"),
    [("帮助", "help"), ("列表", "ls"), ("文件", "ls"), ("查找 a", "find a"), ("查找a", "find a")],
)
async def test_chinese_words_do_the_same(text: str, like: str) -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.txt")
        assert await bot.say(text) == await bot.say(like)


@pytest.mark.parametrize("text", ["fetch {}", "fetch <{}>", "fetch {}.", "fetch [plan]({})"])
async def test_signs_around_a_link_are_no_part_of_it(text: str) -> None:
    async with FakeBot() as bot:
        bot.web.hosted["https://host.example.net/x.pdf"] = HostedFile(b"%PDF-1.5", "application/pdf")
        await bot.say(text.format("https://host.example.net/x.pdf"))
        assert await names(bot) == ["x.pdf"]


async def test_a_link_in_a_sentence_is_offered_to_be_fetched() -> None:
    heard, plugin = list[str](), Plugin[None]("links", api=1)

    @plugin.on(LinkReceived)
    async def hear(ctx: Context[None], event: LinkReceived) -> None:
        heard.append(event.url)

    async with FakeBot(plugin) as bot:
        await bot.say("see this https://host/x.pdf")
        await bot.say("(<https://host/y.pdf>).")
    assert heard == ["https://host/x.pdf", "https://host/y.pdf"]


async def test_what_is_nearly_right_is_asked_about_and_done_after_a_yes() -> None:
    async with FakeBot() as bot:
        await drop(bot, "report.pdf")
        assert (await bot.say("gte report.pdf"))[0].startswith("Did you mean: get report.pdf?")
        await bot.say("yes")
        assert sent(bot) == ["report.pdf"]
        assert "Did you mean: get report.pdf?" in (await bot.say("reprot.pdf"))[0]
        bot.now += timedelta(minutes=3)
        assert "nothing to confirm" in (await bot.say("yes"))[0]


async def test_several_lines_are_bounded() -> None:
    async with FakeBot() as bot:
        await drop(bot, "a.txt")
        said = await bot.say("\n".join(["get a.txt"] * 12))
        assert sent(bot) == ["a.txt"] * 10
        assert (
            said[-1] == "I left out the last 2 lines: I read up to 10 lines of a message. Send them again."
        )


async def test_commands_of_plugins_have_words_of_their_own() -> None:
    plugin = Plugin[None]("lamp", api=1, templates={"on": "It shines."})

    @plugin.command("lamp", usage="lamp on", phrases=("(switch|turn) the lamp on", "开灯"), changes=False)
    async def lamp(ctx: Context[None]) -> None:
        """Switch the lamp on."""
        await ctx.reply("lamp/on")

    async with FakeBot(plugin) as bot:
        for text in ("lamp on", "could you turn the lamp on, please?", "请开灯"):
            assert await bot.say(text) == ["It shines."]
