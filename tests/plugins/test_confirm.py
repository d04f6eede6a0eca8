"""Commands that ask back, and go on when the same person says yes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from filebot.errors import PluginError
from filebot.model import Address, IncomingMessage, Sender
from filebot.plugin import Context, Entries, Entry, Permission, Plugin
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room

ASKED = "Stamp {}?\nTo go on, type: yes"


def stamps() -> Plugin[None]:
    """Return a plugin with commands that ask."""
    plugin = Plugin[None](
        "stamps",
        api=1,
        needs={"files.read"},
        templates={
            "ask": "Stamp {{ what }}?",
            "one": "Stamp {{ file.name }}?",
            "again": "Really {{ what }}?",
            "done": "Stamped {{ what }}.",
        },
    )

    @plugin.command("stamp", usage="stamp FILE", permission=Permission.OWNER)
    async def stamp(ctx: Context[None], file: Entry) -> None:
        """Stamp a file."""
        await ctx.confirm("stamps/ask", what=file.name)
        await ctx.reply("stamps/done", what=file.name)

    @plugin.command("all", usage="all FILES", permission=Permission.OWNER)
    async def stamp_all(ctx: Context[None], files: Entries) -> None:
        """Stamp several files."""
        await ctx.confirm("stamps/ask", what=len(files.entries))
        names = [*(file.name for file in files.entries), *(f"not {each}" for each in files.missing)]
        await ctx.reply("stamps/done", what=" ".join(names))

    @plugin.command("twice", usage="twice NUMBER")
    async def twice(ctx: Context[None], number: int) -> None:
        """Ask twice, and once for each number."""
        await ctx.confirm("stamps/again", what=number)
        for each in range(number):
            await ctx.confirm("stamps/ask", what=each)
        await ctx.reply("stamps/done", what=number)

    @plugin.command("each", usage="each FILES", permission=Permission.OWNER)
    async def stamp_each(ctx: Context[None], files: Entries) -> None:
        """Ask about each of several files."""
        for file in files.entries:
            await ctx.confirm("stamps/one", file=file)
        await ctx.reply("stamps/done", what=" ".join(file.name for file in files.entries))

    @plugin.command("count", usage="count")
    async def stamp_count(ctx: Context[None]) -> None:
        """Ask about as many files as there are."""
        count = await ctx.files.count()
        await ctx.confirm("stamps/ask", what=count)
        await ctx.reply("stamps/done", what=count)

    @plugin.command("deaf", usage="deaf")
    async def deaf(ctx: Context[None]) -> None:
        """Wait for no answer."""
        try:
            await ctx.confirm("stamps/ask", what="it")
        except Exception:  # noqa: BLE001 - what authors do
            await ctx.reply("stamps/done", what="it")

    return plugin


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    async with FakeBot(stamps()) as fake:
        await fake.drop("a.txt", b"a")
        yield fake


async def test_a_command_goes_on_when_the_person_says_yes(bot: FakeBot) -> None:
    assert await bot.say("stamp a.txt") == [ASKED.format("a.txt")]
    assert await bot.say("yes") == ["Stamped a.txt."]
    assert (await bot.say("yes"))[0].startswith("There is nothing to confirm.")


@pytest.mark.parametrize("word", ["yes", "y", "Yes!", "OK.", " ok ", "!yes", "是", "好的。", "ｙｅｓ"])
async def test_people_say_yes_in_their_own_words(bot: FakeBot, word: str) -> None:
    await bot.say("stamp a.txt")
    assert await bot.say(word) == ["Stamped a.txt."]


@pytest.mark.parametrize("word", ["no", "N", "No.", "不", "取消"])
async def test_no_ends_it(bot: FakeBot, word: str) -> None:
    await bot.say("stamp a.txt")
    assert await bot.say(word) == ["Nothing was done."]
    assert "nothing to confirm" in (await bot.say("yes"))[0]
    assert "nothing to confirm" in (await bot.say(word))[0]


async def test_whatever_else_is_typed_runs_and_ends_it(bot: FakeBot) -> None:
    await bot.say("stamp a.txt")
    assert "a.txt" in (await bot.say("ls"))[0]
    assert "nothing to confirm" in (await bot.say("yes"))[0]
    await bot.say("stamp a.txt")
    assert "I do not understand" in (await bot.say("yes please do"))[0]
    assert "nothing to confirm" in (await bot.say("yes"))[0]


async def test_a_question_is_open_for_two_minutes(bot: FakeBot) -> None:
    await bot.say("stamp a.txt")
    bot.now += timedelta(minutes=2)
    assert await bot.say("yes") == ["Stamped a.txt."]
    await bot.say("stamp a.txt")
    bot.now += timedelta(minutes=2, seconds=1)
    [said] = await bot.say("yes")
    assert said.startswith("There is nothing to confirm. I wait 2 minutes for an answer, ")


async def test_several_questions_are_asked_one_after_the_other(bot: FakeBot) -> None:
    assert await bot.say("twice 2") == ["Really 2?\nTo go on, type: yes"]
    assert await bot.say("yes") == [ASKED.format("0")]
    assert await bot.say("yes") == [ASKED.format("1")]
    assert await bot.say("yes") == ["Stamped 2."]


async def test_a_file_is_the_same_whatever_came_under_its_name(bot: FakeBot) -> None:
    await bot.say("stamp a.txt")
    await bot.drop("a.txt", b"other")
    await bot.catalog.rename(1, "b.txt", bot.now)
    assert await bot.say("yes") == ["Stamped b.txt."]


async def test_a_file_that_is_gone_is_refused(bot: FakeBot) -> None:
    await bot.say("stamp a.txt")
    await bot.catalog.remove(1)
    assert (await bot.say("yes"))[0].startswith('I have no file called "#1".')


async def test_of_several_files_those_that_are_gone_are_missing(bot: FakeBot) -> None:
    await bot.drop("b.txt", b"b")
    assert await bot.say("all a.txt b.txt") == [ASKED.format("2")]
    await bot.catalog.remove(1)
    assert await bot.say("yes") == ["Stamped b.txt not #1."]
    await bot.say("all #2")
    await bot.catalog.remove(2)
    assert (await bot.say("yes"))[0].startswith('I have no file called "#2".')


async def test_a_yes_about_a_file_that_is_gone_is_none_about_the_next(bot: FakeBot) -> None:
    for name in ("b.txt", "c.txt"):
        await bot.drop(name, name.encode())
    assert await bot.say("each #1 #2 #3") == [ASKED.format("a.txt")]
    assert await bot.say("yes") == [ASKED.format("b.txt")]
    await bot.catalog.remove(1)
    assert await bot.say("yes") == [ASKED.format("b.txt")]
    assert await bot.say("yes") == [ASKED.format("c.txt")]
    assert await bot.say("yes") == ["Stamped b.txt c.txt."]


async def test_a_question_that_has_become_another_is_asked_again(bot: FakeBot) -> None:
    assert await bot.say("count") == [ASKED.format("1")]
    await bot.drop("b.txt", b"b")
    assert await bot.say("yes") == [ASKED.format("2")]
    assert await bot.say("yes") == ["Stamped 2."]


async def test_rights_are_looked_at_again(bot: FakeBot) -> None:
    await bot.say(f"send a.txt to {ROOM}")
    bot.rooms.managers[ROOM] = frozenset({BOB})
    bob = in_room(BOB, "bob")
    assert "Stamp a.txt?" in (await bot.say("stamp a.txt", bob))[0]
    bot.rooms.managers[ROOM] = frozenset()
    assert "Only the file's owner" in (await bot.say("yes", bob))[0]


async def test_only_whoever_was_asked_can_answer_in_a_room(bot: FakeBot) -> None:
    await bot.say(f"send a.txt to {ROOM}")
    assert await bot.say("stamp a.txt", in_room()) == ["alice: Stamp a.txt?\nTo go on, type: !yes"]
    for other in (
        in_room(BOB, "bob"),
        in_room(BOB, "alice"),
        in_room(None, "alice"),
        in_room(None, "alice", occupant_id="x"),
        through_room(),
        ALICE,
    ):
        assert "nothing to confirm" in (await bot.say("yes", other))[0]
    assert await bot.say("yes", in_room()) == ["Stamped a.txt."]


async def test_who_has_but_a_nick_is_not_asked(bot: FakeBot) -> None:
    [said] = await bot.say("twice 1", in_room(None, "somebody"))
    assert "I cannot tell who you are" in said
    known = in_room(None, "somebody", occupant_id="7")
    assert "Really 1?" in (await bot.say("twice 1", known))[0]
    renamed = in_room(None, "another nick", occupant_id="7")
    assert "Stamp 0?" in (await bot.say("yes", renamed))[0]


async def test_in_chinese(bot: FakeBot) -> None:
    await bot.say("lang zh")
    assert await bot.say("stamp a.txt") == ["Stamp a.txt?\n要继续，请输入：是"]
    assert await bot.say("否") == ["没有执行任何操作。"]


@pytest.mark.parametrize("late", [{"delayed_since": timedelta(seconds=30)}, {"maybe_handled": True}])
async def test_no_late_word_confirms_anything(bot: FakeBot, late: dict[str, Any]) -> None:
    await bot.say("stamp a.txt")
    if "delayed_since" in late:
        late = {"delayed_since": bot.now - late["delayed_since"]}
    yes = replace(IncomingMessage(_sender(), "yes"), **late)
    assert await bot.receive(yes) == ["Your answer came late, so nothing was done. Type the command again."]
    assert "nothing to confirm" in (await bot.say("yes"))[0]


async def test_no_question_outlasts_a_reload() -> None:
    async with FakeBot(stamps()) as bot:
        await bot.drop("a.txt", b"a")
        await bot.say("stamp a.txt")
        await bot.reload(stamps())
        assert "nothing to confirm" in (await bot.say("yes"))[0]


async def test_a_command_that_catches_the_question_is_named(
    bot: FakeBot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.may_fail = True
    said = await bot.say("deaf")
    assert said[0] == "Stamped it."
    assert f"plugin stamps, command 'deaf', {__file__}, line " in caplog.text
    assert ": its function catches what ctx.confirm raises" in caplog.text
    assert "nothing to confirm" in (await bot.say("yes"))[0]


@pytest.mark.parametrize("words", [("yes", ()), ("sure", ()), ("agree", ("ok",)), ("agree", ("好",))])
def test_no_command_takes_the_words_of_an_answer(words: tuple[str, tuple[str, ...]]) -> None:
    plugin = Plugin[None]("consent", api=1)
    name, aliases = words
    with pytest.raises(PluginError, match="answers questions of the bot; choose another word"):

        @plugin.command(name, usage=name, aliases=aliases)
        async def agree(ctx: Context[None]) -> None:
            """Agree."""


async def test_help_and_suggestions_know_nothing_of_answers(bot: FakeBot) -> None:
    assert "yes" not in (await bot.say("help all"))[0]
    assert "Did you mean" not in (await bot.say("yess"))[0]


def _sender() -> Sender:
    return Sender(Address(ALICE), ALICE)
