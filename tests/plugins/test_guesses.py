"""Guesses: the nearest command, with its words filled in, where a line is not understood."""

import pytest

from filebot.testing import ROOM, FakeBot, in_room

FILES = {"report.pdf": b"1", "beach.png": b"2", "notes to self.txt": b"3"}


@pytest.fixture
async def stocked(bot: FakeBot) -> FakeBot:
    for name, content in FILES.items():
        await bot.drop(name, content)
    return bot


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("shwo my files", "ls"),
        ("can u show me the fiels", "ls"),
        ("plese send me the reprot", "get report.pdf"),
        ("get teh report", "get report.pdf"),
        ("rm teh report", "rm report.pdf"),
        ("downlaod beach.png", "get beach.png"),
        ("report.pdf rm", "rm report.pdf"),
        ("sned report.pdf to bob@example.org", "send report.pdf to bob@example.org"),
    ],
)
async def test_the_nearest_command_is_asked_about(stocked: FakeBot, typed: str, meant: str) -> None:
    assert await stocked.say(typed) == [f"Did you mean: {meant}?\nTo go on, type: yes"]
    assert stocked.sent == []
    assert len(stocked.store.blobs) == len(FILES)


async def test_yes_does_what_was_guessed(stocked: FakeBot) -> None:
    await stocked.say("plese send me the reprot")
    await stocked.say("yes")
    assert [each.entry.name for each in stocked.sent] == ["report.pdf"]


@pytest.mark.parametrize(
    "typed", ["whoami", "bob deleted the report", "my holiday was grate", "换手机了", "?!"]
)
async def test_nothing_is_guessed_where_nothing_is_like_it(stocked: FakeBot, typed: str) -> None:
    answers = await stocked.say(typed)
    assert not any("yes" in each for each in answers)
    assert len(stocked.store.blobs) == len(FILES)


async def test_a_guess_is_no_command_that_the_person_may_not_use(stocked: FakeBot) -> None:
    [answer] = await stocked.say("docter")
    assert "Did you mean: doctor" not in answer


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [("show my pictures", "my@"), ("我的空间还有多少", "report.pdf"), ("换手机了", "speak")],
)
async def test_words_that_are_no_values_are_not_taken_for_them(
    stocked: FakeBot, typed: str, wrong: str
) -> None:
    assert not any(wrong in each for each in await stocked.say(typed))


@pytest.mark.parametrize("typed", ["how do i upload a file", "upload", "怎么上传文件", "上传"])
async def test_whoever_wants_to_upload_reads_how(stocked: FakeBot, typed: str) -> None:
    [answer] = await stocked.say(typed)
    assert answer.startswith("I keep your files. Send me one here")


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("beach.png", "sunset", "sunset.png"),
        ("beach.png", "sunset.jpg", "sunset.jpg"),
        ("beach.png", "v1.2", "v1.2.png"),
        ("notes", "shopping", "shopping"),
        (".profile", "shell", "shell"),
    ],
)
async def test_the_ending_of_a_name_stays_unless_a_new_one_is_given(
    bot: FakeBot, old: str, new: str, kept: str
) -> None:
    await bot.drop(old, b"x")
    assert await bot.say(f"rename {old} to {new}") == [f'"{old}" is now "{kept}" (#1).']


@pytest.mark.parametrize("typed", ["get NAME", "get <NAME>", "info 〈NAME〉", "rm NAME", "获取 NAME"])
async def test_a_word_that_stands_for_a_name_is_explained(stocked: FakeBot, typed: str) -> None:
    [answer] = await stocked.say(typed)
    assert answer == "NAME stands for the name of a file. To see the names, type: ls"


async def test_a_file_may_be_called_so(bot: FakeBot) -> None:
    await bot.drop("NAME", b"x")
    await bot.say("get NAME")
    assert [each.entry.name for each in bot.sent] == ["NAME"]


@pytest.mark.parametrize(
    "typed",
    [
        "麻烦您把report.pdf发送给我的朋友bob@example.org",
        "把report.pdf发给朋友bob@example.org",
        "发送 report.pdf 给 同事 bob@example.org",
        "please send report.pdf to my friend bob@example.org",
        "send report.pdf to my brother bob@example.org",
    ],
)
async def test_a_word_before_an_address_is_never_part_of_it(stocked: FakeBot, typed: str) -> None:
    [asked] = await stocked.say(typed)
    assert asked == "Did you mean: send report.pdf to bob@example.org?\nTo go on, type: yes"


async def test_an_address_may_begin_with_such_a_word(stocked: FakeBot) -> None:
    said = await stocked.say("send report.pdf to 朋友@example.org")
    assert any("朋友@example.org" in each for each in said)


@pytest.mark.parametrize("typed", ["send #1 to the room", "send #1 to this group", "发送 #1 to 群里"])
async def test_the_room_is_the_one_in_which_it_is_said(bot: FakeBot, typed: str) -> None:
    await bot.drop("report.pdf", b"x")
    asked = await bot.say(typed, in_room())
    assert any(f"to {ROOM}?" in each for each in asked), asked
    await bot.say("yes", in_room())
    assert len(bot.messenger.files(ROOM)) == 1
