"""Private messages through a room: the files of the room and one's own are both at hand."""

import pytest

from filebot.model import Sender
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room

PRIVATELY = through_room(ALICE, "anna")


@pytest.fixture
async def both(managed: FakeBot) -> FakeBot:
    """Alice has a file in the room, and drops one into a private message through it."""
    assert "Stored" in (await managed.drop("mine.txt", b"mine", PRIVATELY))[0]
    return managed


async def test_a_list_has_the_files_of_the_room_and_ones_own(both: FakeBot) -> None:
    (answer,) = await both.say("ls", PRIVATELY)
    head, *lines = answer.splitlines()
    assert head == "3 files of this room and your own, newest first:"
    assert ["mine.txt" in lines[0], "plan.txt" in lines[1], "plan.txt" in lines[2]] == [True] * 3
    assert ["only yours" in each for each in lines] == [True, False, True]


async def test_the_next_pages_go_on_through_both(both: FakeBot) -> None:
    for number in range(12):
        await both.drop(f"more {number}.txt", b"%d" % number, PRIVATELY)
    (first,) = await both.say("ls", PRIVATELY)
    (second,) = await both.say("more", PRIVATELY)
    ids = [int(line.rpartition("#")[2]) for line in (first + "\n" + second).splitlines() if " #" in line]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 15


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("find mine", "mine.txt"),
        ("find *.txt", "mine.txt"),
        ("info mine.txt", "mine.txt, #3"),
        ("rename mine.txt ours.txt", '"mine.txt" is now "ours.txt" (#3).'),
        ("rm mine.txt", 'Deleted "mine.txt" (#3).'),
        ("rm mine", "Did you mean: rm mine.txt?"),
    ],
)
async def test_ones_own_file_can_be_worked_with(both: FakeBot, line: str, answer: str) -> None:
    (said,) = await both.say(line, PRIVATELY)
    assert answer in said


async def test_a_name_of_both_is_not_guessed_at_when_it_is_deleted(both: FakeBot) -> None:
    (said,) = await both.say("rm plan.txt", PRIVATELY)
    assert "#1" in said
    assert "#2" in said
    assert (await both.say("ls", PRIVATELY))[0].startswith("3 files")


async def test_spelling_decides_between_the_rooms_file_and_ones_own(both: FakeBot) -> None:
    await both.drop("Notes.txt", b"of the room", ALICE)
    await both.say(f"send Notes.txt to {ROOM}", ALICE)
    await both.say("rm Notes.txt", ALICE)
    await both.drop("notes.txt", b"of Alice", PRIVATELY)
    assert await both.say("rm notes.txt", PRIVATELY) == ['Deleted "notes.txt" (#6).']


@pytest.mark.parametrize(
    "sender",
    [in_room(ALICE, "anna"), through_room(BOB, "bob"), through_room(None, "shy", occupant_id="id")],
)
async def test_nobody_else_is_shown_it_nor_the_room(both: FakeBot, sender: Sender) -> None:
    for line in ("ls", "find mine", "info mine.txt", "rm mine.txt", "rm *", "rename mine.txt to a.txt"):
        assert "mine.txt (" not in str(await both.say(line, sender))
        assert "only yours" not in str(await both.say(line, sender))
    assert (await both.catalog.entry(3)) is not None


async def test_without_any_file_it_is_said_how_to_bring_one(bot: FakeBot) -> None:
    (said,) = await bot.say("ls", PRIVATELY)
    assert said == "Neither this room nor you have files yet. Send me one here, and I will keep it for you."


async def test_without_a_file_of_ones_own_the_list_is_the_rooms(managed: FakeBot) -> None:
    await managed.say("rm plan.txt", ALICE)
    for sender in (PRIVATELY, through_room("eve@elsewhere.example", "eve")):
        assert (await managed.say("ls", sender))[0].startswith("This room has one file:")
