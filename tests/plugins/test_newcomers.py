"""Lines of people who know nothing of the bot's commands."""

import pytest

from filebot.testing import ALICE, BOB, ROOM, FakeBot

# --- whom a file is for ------------------------------------------------------------------------------


async def test_a_room_is_known_by_its_name_to_those_in_it(bot: FakeBot) -> None:
    await bot.drop("boat.png", b"1")
    name = ROOM.partition("@")[0]
    bot.rooms.occupants[ROOM] = frozenset({ALICE})
    assert f'Sent "boat.png" to "{ROOM}".' in await bot.say(f"send boat.png to {name}")
    assert len(bot.messenger.files(ROOM)) == 1
    bot.rooms.occupants[ROOM] = frozenset({BOB})
    [refusal] = await bot.say(f"send boat.png to {name}")
    assert "send me this as a private message: claim" in refusal
    assert len(bot.messenger.files(ROOM)) == 1


@pytest.mark.parametrize("line", ["send boat.png to bob", "send boat to bob", "send bob the boat"])
async def test_a_name_alone_may_be_somebody_of_the_same_server(bot: FakeBot, line: str) -> None:
    await bot.drop("boat.png", b"1")
    [question] = await bot.say(line)
    assert question == f"Did you mean: send boat.png to {BOB}?\nTo go on, type: yes"
    assert not bot.messenger.files(BOB)
    await bot.say("yes")
    assert len(bot.messenger.files(BOB)) == 1


async def test_a_friend_is_known_by_the_name_behind_the_word(bot: FakeBot) -> None:
    await bot.drop("Offer for Bob.pdf", b"1")
    [question] = await bot.say("Please send the offer to my friend Bob.")
    assert question.startswith(f'Did you mean: send "Offer for Bob.pdf" to {BOB}?')


# --- questions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["怎么用", "如何使用", "wat can u do", "how do I use this?"])
async def test_who_does_not_know_how_gets_help(bot: FakeBot, line: str) -> None:
    assert (await bot.say(line))[0].startswith("I keep your files.")


async def test_privately_is_no_part_of_a_name(bot: FakeBot) -> None:
    await bot.drop("party.png", b"1")
    assert await bot.say("can I have party in private?") == []
    assert [each.entry.name for each in bot.sent] == ["party.png"]


@pytest.mark.parametrize("slip", ["ys", "yse", "嗯"])
async def test_a_mistyped_answer_is_asked_for_again(bot: FakeBot, slip: str) -> None:
    await bot.drop("notes.txt", b"1")
    [question] = await bot.say("del notes")
    assert await bot.say(slip) == [question]
    assert await bot.say("yes") == ['Deleted "notes.txt" (#1).']
