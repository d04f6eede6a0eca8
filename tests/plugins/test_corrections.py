"""Corrections (XEP-0308): a command runs once more while nothing final was done; a caption is changed."""

from collections.abc import AsyncIterator

import pytest

from filebot.model import Scope
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room

REFUSED = "so I leave its correction alone"


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    async with FakeBot() as fake:
        await fake.drop("report.pdf", b"1", message_id="f1")
        await fake.drop("beach.png", b"2", message_id="f2")
        yield fake


async def test_a_command_that_did_nothing_runs_again_each_time_it_is_corrected(bot: FakeBot) -> None:
    assert "unknown" in (await bot.say("get unknown.doc", message_id="m1"))[0]
    assert "nothing" in (await bot.say("get nothing.pdf", correcting="m1", message_id="m2"))[0]
    await bot.say("get report.pdf", correcting="m1", message_id="m3")
    await bot.say("get beach.png", correcting="m3")  # some name the last version
    assert [each.entry.name for each in bot.sent] == ["report.pdf", "beach.png"]


async def test_the_same_text_runs_no_second_time(bot: FakeBot) -> None:
    await bot.say("get report.pdf", message_id="m1")
    assert await bot.say("get report.pdf", correcting="m1") == []
    assert len(bot.sent) == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("rm report.pdf", "rm beach.png"),
        ("rename report.pdf to a.pdf", "rename beach.png to a.png"),
        (f"send report.pdf to {BOB}", f"send beach.png to {BOB}"),
        (f"send report.pdf to {ROOM}", f"send beach.png to {ROOM}"),
        ("rm report.pdf", "ls"),
    ],
)
async def test_after_what_cannot_be_undone_it_does_not_run_again(
    bot: FakeBot, first: str, then: str
) -> None:
    await bot.say(first, message_id="m1")
    before = [(each.id, each.name) for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)]
    sent = len(bot.sent)
    [said] = await bot.say(then, correcting="m1")
    assert said.startswith(f'I have acted on "{first}" already, {REFUSED}')
    after = [(each.id, each.name) for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)]
    assert (before, sent) == (after, len(bot.sent))


@pytest.mark.parametrize("first", ["rm rep*", "please delete the report"])
@pytest.mark.parametrize("by_reaction", [False, True])
async def test_what_a_yes_did_was_done_by_the_command_that_asked(
    bot: FakeBot, first: str, by_reaction: bool
) -> None:
    [asked] = await bot.say(first, message_id="m1")
    assert "yes" in asked
    said = await (bot.react("👍", str(len(bot.messenger.sent) - 1)) if by_reaction else bot.say("yes"))
    assert "Deleted" in said[0]
    assert REFUSED in (await bot.say("rm beach.png", correcting="m1"))[0]


async def test_a_removal_that_failed_can_be_corrected(bot: FakeBot) -> None:
    await bot.say("rm raport.pdf", message_id="m1")
    assert "Deleted" in (await bot.say("rm report.pdf", correcting="m1"))[0]
    assert REFUSED in (await bot.say("rm beach.png", correcting="m1"))[0]


async def test_nobody_corrects_the_command_of_somebody_else(bot: FakeBot) -> None:
    await bot.say("get repot", message_id="m1")
    assert "do not remember" in (await bot.say("ls", BOB, correcting="m1"))[0]
    await bot.say("get repot", in_room(), message_id="m1")
    assert await bot.say("ls", in_room(BOB, "alice"), correcting="m1") == []
    assert await bot.say("ls", in_room(), correcting="unknown") == []


async def test_an_edited_caption_is_the_files(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", caption="tee", message_id="m1")
    [said] = await bot.say("tea", correcting="m1")
    assert said == 'The caption of "a.txt" (#3) is now "tea".'
    assert [each.name for each in await bot.catalog.search(Scope(owner=ALICE), ["tea"], limit=9)] == [
        "a.txt"
    ]
    assert await bot.say("green tea", correcting="m1") != []
    assert await bot.say("coffee", BOB, correcting="m1") != []
    entry = await bot.catalog.entry(3)
    assert entry is not None
    assert entry.caption == "green tea"


async def test_a_file_that_comes_by_the_correction_of_a_caption_is_kept(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", caption="tee", message_id="m1")
    stored, caption = sorted(
        await bot.drop("b.txt", b"other", caption="tea", message_id="m9", correcting="m1")
    )
    assert caption.startswith('The caption of "a.txt" (#3) is now "tea".')
    assert stored.startswith('Stored "b.txt"')
    await bot.drop("c.txt", b"third", message_id="m10", correcting="m1")
    entry = await bot.catalog.entry(3)
    assert entry is not None
    assert entry.caption == "tea"
    assert await bot.catalog.count(Scope(owner=ALICE)) == 5


async def test_corrections_of_captions_are_counted_as_commands_are(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", caption="tee", message_id="m1")
    said = [text for n in range(80) for text in await bot.say(f"tea {n}", correcting="m1")]
    assert len(said) < 70
    assert said[-1].startswith("You are faster than I am")


async def test_a_caption_in_a_room_is_edited_by_its_poster_alone_and_in_silence(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set archive on", in_room())
    await bot.drop("a.txt", b"a", in_room(BOB, "bob"), caption="tee", message_id="s1")
    await bot.say("coffee", in_room(), correcting="s1", addressed=False)
    await bot.say("tea", in_room(BOB, "bob"), correcting="s1", addressed=False)
    [entry] = await bot.catalog.page(Scope(room=ROOM), limit=9)
    assert entry.caption == "tea"
