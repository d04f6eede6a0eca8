"""A file that a command does not name is the one in the message replied to (XEP-0461)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

import pytest

from filebot.files import shown_files
from filebot.files.shown_files import ShownFiles
from filebot.model import Address, Sender
from filebot.plugin import Context, Entries, Entry, Plugin, exact
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.file_messages import MemoryFileMessages

plugin = Plugin[None](
    "marks",
    api=1,
    needs={"files.read"},
    templates={
        "marked": "{{ names }}: {{ word }}",
        "none": "No file.",
        "said": "Here is {{ entry.name }}.",
    },
)


@plugin.command("mark", usage=("mark FILE with WORD", "mark FILE"))
async def mark(ctx: Context[None], file: Annotated[Entry, exact], word: str) -> None:
    """Mark a file."""
    await ctx.reply("marks/marked", names=file.name, word=word)


@plugin.command("count", usage="count FILES")
async def count(ctx: Context[None], files: Entries) -> None:
    """Count files."""
    await ctx.reply("marks/marked", names=len(files.entries), word="counted")


@plugin.command("perhaps", usage=("perhaps FILE", "perhaps"))
async def perhaps(ctx: Context[None], file: Entry | None) -> None:
    """Show a file, if there is one."""
    if file is None:
        await ctx.reply("marks/none")
    else:
        await ctx.reply("marks/said", entry=file)


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    async with FakeBot(plugin) as fake:
        yield fake


async def test_a_reply_to_the_message_that_brought_a_file_means_that_file(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("b.txt", b"b", message_id="m2")
    assert await bot.say("mark", replying_to="m1") == ["a.txt:"]
    assert await bot.say("mark with red", replying_to="m2") == ["b.txt: red"]
    assert await bot.say("perhaps", replying_to="m1") == ["Here is a.txt."]
    assert await bot.say("count", replying_to="m1") == ["1: counted"]


async def test_a_file_that_is_named_is_meant_all_the_same(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("b.txt", b"b")
    assert await bot.say("mark b.txt with red", replying_to="m1") == ["b.txt: red"]


async def test_a_reply_to_a_message_of_the_bot_means_the_file_that_it_shows(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a")
    stored = str(len(bot.messenger.sent) - 1)
    await bot.drop("b.txt", b"b")
    await bot.say("get b.txt")
    link = str(len(bot.messenger.sent) - 1)
    assert await bot.say("mark", replying_to=stored) == ["a.txt:"]
    assert await bot.say("mark", replying_to=link) == ["b.txt:"]
    assert bot.messenger.sent[int(link)] in bot.sent


async def test_the_bots_own_commands_need_no_name_in_a_reply(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("b.txt", b"b", message_id="m2")
    assert (await bot.say("info", replying_to="m1"))[0].startswith("a.txt, #1")
    await bot.say(f"send to {BOB}", replying_to="m2")
    await bot.say("get", replying_to="m1")
    await bot.say("get by http", replying_to="m2")
    assert [(each.to.jid, each.entry.name) for each in bot.sent] == [
        (BOB, "b.txt"),
        (ALICE, "a.txt"),
        (ALICE, "b.txt"),
    ]
    assert "c.txt" in (await bot.say("rename to c.txt", replying_to="m1"))[0]
    assert await bot.say("rm", replying_to="m1") == ['Deleted "c.txt" (#1).']
    assert (await bot.say("rm", replying_to="m1"))[0].startswith('I have no file called "#1".')
    assert (await bot.say("rm"))[0].startswith('Something is missing after "rm".')


async def test_a_post_that_a_room_archived_is_meant_by_a_reply(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set archive on", in_room())
    await bot.drop("a.txt", b"a", in_room(), message_id="m1")
    assert await bot.say("mark", in_room(BOB, "bob"), replying_to="m1") == ["a.txt:"]
    assert await bot.say("mark", through_room(BOB, "bob"), replying_to="m1") == ["a.txt:"]
    [said] = await bot.say("mark", ALICE, replying_to="m1")  # another conversation
    assert said.startswith("I do not remember a file")


async def shared(bot: FakeBot) -> str:
    """Let Bob post a file in the room and keep it; return the id of the bot's answer there."""
    await bot.drop("a.txt", b"a", in_room(BOB, "bob"), message_id="s1")
    await bot.say("keep", in_room(BOB, "bob"))
    return str(len(bot.messenger.sent) - 1)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("get", ""), ("info", "a.txt, #1"), ("Get", ""), ("mark with red", "a.txt: red"), ("get by http", "")],
)
async def test_in_a_room_a_command_in_a_reply_to_the_bot_needs_no_prefix(
    bot: FakeBot, text: str, answer: str
) -> None:
    stored = await shared(bot)
    said = await bot.say(text, in_room(), replying_to=stored, addressed=False)
    assert said[0].startswith(answer) if answer else len(bot.sent) == 1


@pytest.mark.parametrize(
    "text",
    ["get well soon", "thanks", "mark with some words", "info please", "perhaps not", "yes", "ls", ""],
)
async def test_talk_about_the_bots_message_is_left_alone(bot: FakeBot, text: str) -> None:
    stored = await shared(bot)
    assert await bot.say(text, in_room(), replying_to=stored, addressed=False) == []
    assert not bot.sent


async def test_a_reply_to_somebodys_post_needs_the_prefix(bot: FakeBot) -> None:
    await shared(bot)
    assert await bot.say("mark", in_room(), replying_to="s1", addressed=False) == []
    assert await bot.say("mark", in_room(), replying_to="s1") == ["a.txt:"]


async def test_a_question_in_a_room_is_answered_by_a_reply(bot: FakeBot) -> None:
    for number in range(2):
        await bot.drop(f"{number}.txt", b"%d" % number, in_room(), message_id=f"s{number}")
        await bot.say("keep", in_room())
    await bot.say("rm *.txt", in_room())
    question = str(len(bot.messenger.sent) - 1)
    assert await bot.say("yes", in_room(), replying_to="0", addressed=False) == []
    [said] = await bot.say("yes", in_room(), replying_to=question, addressed=False)
    assert said.startswith("Deleted 2 files")


async def test_an_announcement_and_a_list_of_one_file_show_it(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set announce on", in_room())
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.say("ls")
    listed = str(len(bot.messenger.sent) - 1)
    assert await bot.say("mark", replying_to=listed) == ["a.txt:"]
    await bot.say(f"send a.txt to {ROOM}")
    shown = next(str(place) for place, each in enumerate(bot.messenger.sent) if each in bot.sent)
    assert await bot.say("mark", in_room(BOB, "bob"), replying_to=shown, addressed=False) == ["a.txt:"]
    await bot.say("room set archive on", in_room())
    await bot.drop("b.txt", b"b", in_room(BOB, "bob"))
    [announced] = await bot.pass_time(timedelta(minutes=1))
    assert "b.txt" in announced
    said = str(len(bot.messenger.sent) - 1)
    assert await bot.say("mark", in_room(), replying_to=said, addressed=False) == ["b.txt:"]


async def test_messages_of_the_bot_in_rooms_are_known_after_a_restart(bot: FakeBot) -> None:
    stored = await shared(bot)
    async with FakeBot(plugin, catalog=bot.catalog) as again:
        assert await again.say("mark", in_room(), replying_to=stored, addressed=False) == ["a.txt:"]


async def test_a_reply_to_anything_else_is_answered_with_what_to_type(bot: FakeBot) -> None:
    [said] = await bot.say("mark", replying_to="unknown")
    assert said == (
        "I do not remember a file in the message that you reply to. "
        "Type the file's name or number. To see them, type: ls"
    )
    assert await bot.say("perhaps", replying_to="unknown") == ["No file."]
    assert await bot.say("perhaps") == ["No file."]
    assert (await bot.say("mark"))[0].startswith('Something is missing after "mark".')
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.drop("b.txt", b"b", message_id="m1")
    [said] = await bot.say("mark", replying_to="m1")
    assert said.startswith("The message that you reply to has several files.")
    assert await bot.say("count", replying_to="m1") == ["2: counted"]


async def test_a_reply_gives_no_right_and_brings_nothing_back(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", message_id="m1")
    await bot.say(f"send a.txt to {BOB}")
    link = next(str(place) for place, each in enumerate(bot.messenger.sent) if each in bot.sent)
    [said] = await bot.say("mark", BOB, replying_to=link)  # Bob was shown it, and does not have it
    assert said.startswith('I have no file called "#1".')
    await bot.say("rm a.txt")
    [said] = await bot.say("mark", replying_to="m1")
    assert said.startswith('I have no file called "#1".')


async def test_only_the_latest_messages_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_files, "MOST_FILE_MESSAGES_OF_PLACE", 3)
    shown, person = ShownFiles(MemoryFileMessages(lambda _: True)), Sender(Address(ALICE), ALICE)
    for number in range(5):
        await shown.add(person.address, f"m{number}", [number])
        await shown.add(person.address, "", [number])
    found = [shown.replied_to(person, f"m{number}") for number in range(5)]
    assert found == [(), (), (2,), (3,), (4,)]
    await shown.add(person.address, "m4", range(100))
    assert len(shown.replied_to(person, "m4") or ()) == shown_files.MOST_FILES
    assert shown.replied_to(person, "") is None
