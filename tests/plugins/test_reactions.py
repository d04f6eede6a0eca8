"""Reactions (XEP-0444): one to a question of the bot's answers it, and no other means anything."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from filebot.model import Scope
from filebot.plugin import Context, Plugin
from filebot.plugin.confirmation import answer_by
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room

plugin = Plugin[None]("nods", api=1)


@plugin.command("nod", usage="nod")
async def nod(ctx: Context[None]) -> None:
    """React."""
    await ctx.react("👍")


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    async with FakeBot(plugin) as fake:
        yield fake


async def asked(bot: FakeBot) -> str:
    """Let the bot ask Alice whether to delete two files; return the id of the question."""
    for name in ("a.txt", "b.txt"):
        await bot.drop(name, name.encode(), message_id=name)
    [said] = await bot.say("rm *.txt")
    assert said.startswith("Delete 2 files")
    return str(len(bot.messenger.sent) - 1)


async def left(bot: FakeBot) -> int:
    return await bot.catalog.count(Scope(owner=ALICE))


@pytest.mark.conformance(115)
@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "✔️", "✅ 🎉"])
async def test_a_thumb_up_is_a_yes_once(bot: FakeBot, emoji: str) -> None:
    question = await asked(bot)
    [said] = await bot.react(emoji, question)
    assert said.startswith("Deleted 2 files")
    assert await bot.react(emoji, question) == []
    assert await left(bot) == 0


async def test_a_thumb_down_is_a_no(bot: FakeBot) -> None:
    question = await asked(bot)
    assert len(await bot.react("👎🏿", question)) == 1
    assert await left(bot) == 2
    assert await bot.react("👍", question) == []


@pytest.mark.parametrize("emoji", ["🎉", "", "👍 👎", "❤️", "yes"])
async def test_other_reactions_answer_nothing_and_leave_the_question_open(bot: FakeBot, emoji: str) -> None:
    question = await asked(bot)
    assert await bot.react(emoji, question) == []
    assert await left(bot) == 2
    assert (await bot.say("yes"))[0].startswith("Deleted 2 files")


async def test_only_the_one_who_was_asked_can_answer_and_only_that_message(bot: FakeBot) -> None:
    question = await asked(bot)
    assert await bot.react("👍", question, BOB) == []
    assert await bot.react("👍", question, in_room()) == []
    assert await bot.react("👍", "0") == []
    assert await bot.react("👍", "a.txt") == [], "a reaction to a file"
    assert await left(bot) == 2


async def test_a_late_reaction_answers_nothing(bot: FakeBot) -> None:
    question = await asked(bot)
    bot.now += timedelta(minutes=3)
    assert await bot.react("👍", question) == []
    assert await left(bot) == 2


async def test_in_a_room_the_question_is_known_by_the_rooms_id(bot: FakeBot) -> None:
    for name in ("a.txt", "b.txt"):
        await bot.drop(name, name.encode(), in_room(), message_id=name)
        await bot.say("keep", in_room())
    await bot.say("rm *.txt", in_room())
    question = str(len(bot.messenger.sent) - 1)
    assert await bot.react("👍", question, in_room(BOB, "bob")) == []
    assert (await bot.react("👍", question, in_room()))[0].startswith("Deleted 2 files")
    assert await bot.catalog.count(Scope(room=ROOM)) == 0


async def test_the_bot_reacts_to_a_message_that_has_an_id(bot: FakeBot) -> None:
    assert await bot.say("nod", message_id="m1") == []
    await bot.say("nod")
    await bot.say("nod", in_room(), message_id="s1")
    assert bot.messenger.reactions == [(ALICE, "m1", "👍"), (ROOM, "s1", "👍")]


def test_emoji_are_known_in_all_skin_tones_and_as_text() -> None:
    tones = [chr(each) for each in range(0x1F3FB, 0x1F400)]
    assert all(answer_by([f"👍{tone}"]) is True and answer_by([f"👎{tone}"]) is False for tone in tones)
    assert answer_by(["✔︎"]) is True
    assert answer_by(["✖️"]) is False
    assert answer_by([]) is answer_by([""]) is answer_by(["👍👍"]) is None
