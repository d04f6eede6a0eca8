"""Lines of people who know nothing of the bot's commands."""

import pytest

from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room

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


# --- all files at once, and words for no file ---------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "the files",
        "where are my files?",
        "Where are the files I sent yesterday?",
        "show me the list of all the files I have stored with you",
        "我昨天发的文件在哪里？",
        "我的文件呢",
    ],
)
async def test_a_question_for_all_files_is_answered_with_the_list(bot: FakeBot, line: str) -> None:
    await bot.drop("boat.png", b"1")
    assert (await bot.say(line))[0].startswith("You have one file:")


@pytest.mark.parametrize("line", ["delete all my files", "remove all of my files", "全删了", "全都删掉"])
async def test_all_files_are_deleted_after_a_yes(bot: FakeBot, line: str) -> None:
    await bot.drop("boat.png", b"1")
    await bot.drop("note.txt", b"2")
    [question] = await bot.say(line)
    assert question == "Did you mean: rm note.txt boat.png?\nTo go on, type: yes"
    assert (await bot.say("yes"))[0].startswith("Deleted")
    assert (await bot.say("ls"))[0].startswith("You have no files")


async def test_all_files_are_sent_after_a_yes(bot: FakeBot) -> None:
    await bot.drop("boat.png", b"1")
    await bot.drop("note.txt", b"2")
    [question] = await bot.say(f"send all my files to {BOB}")
    assert question == f"Did you mean: send note.txt boat.png to {BOB}?\nTo go on, type: yes"
    await bot.say("yes")
    assert len(bot.messenger.files(BOB)) == 2


async def test_in_chinese_the_file_may_be_left_out(bot: FakeBot) -> None:
    await bot.drop("boat.png", b"1")
    [question] = await bot.say(f"发给{BOB}")
    assert question == f"Did you mean: send boat.png to {BOB}?\nTo go on, type: yes"


@pytest.mark.parametrize(
    "line", ["把boat.png发到群里", "把boat.png发给朋友", "please send boat.png to my friend"]
)
async def test_nobody_is_asked_about_what_will_be_refused(bot: FakeBot, line: str) -> None:
    await bot.drop("boat.png", b"1")
    [refusal] = await bot.say(line)
    assert "is no address" in refusal
    assert "yes" not in refusal


async def test_in_a_room_the_group_is_that_room(managed: FakeBot) -> None:
    await managed.drop("boat.png", b"1")
    [question] = await managed.say("把boat.png发到群里", in_room(ALICE, "anna"))
    assert f"!send boat.png to {ROOM}" in question
    await managed.say("yes", in_room(ALICE, "anna"))
    assert [each.entry.name for each in managed.messenger.files(ROOM)][-1:] == ["boat.png"]


async def test_a_refusal_names_the_word_that_was_typed(bot: FakeBot) -> None:
    [refusal] = await bot.say("stop")
    assert refusal.startswith('Something is missing after "stop". Type it like this:\n  stop NUMBER\n')
    [refusal] = await bot.say("改名 b.txt")
    assert "改名 OLD to NEW" in refusal
    assert (await bot.say("help 改名"))[0].startswith("rename")


async def test_keep_it_keeps_what_was_posted(bot: FakeBot) -> None:
    bot.rooms.occupants[ROOM] = frozenset({ALICE})
    [question] = await bot.say("please keep it", in_room(ALICE, "anna"))
    assert "Did you mean: !keep?" in question
