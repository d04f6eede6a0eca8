"""Files of rooms, asked for in a private chat by people who are in them, and by others."""

import pytest

from filebot.model import Sender
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room

OTHER = "ops@muc.example.org"
CAROL = "carol@example.org"


@pytest.fixture
async def shared(bot: FakeBot) -> FakeBot:
    """Bob has shared a file in the room."""
    await bot.drop("beach.png", b"sand", in_room(BOB, "bob"))
    await bot.say("keep", in_room(BOB, "bob"))
    return bot


async def test_a_file_of_a_room_that_one_is_in_is_found_in_private(shared: FakeBot) -> None:
    await shared.say("get beach.png", ALICE)
    [file] = shared.messenger.files(ALICE)
    assert file.entry.room == ROOM
    [said] = await shared.say("find beach", ALICE)
    assert said.endswith(f", from bob, in {ROOM} #1")
    [said] = await shared.say("info beach.png", ALICE)
    assert {"From: bob", f"Room: {ROOM}"} <= set(said.splitlines())


async def test_own_files_come_first(shared: FakeBot) -> None:
    await shared.drop("beach.png", b"mine", ALICE)
    await shared.say("get beach.png", ALICE)
    [file] = shared.messenger.files(ALICE)
    assert file.entry.room is None


@pytest.mark.parametrize("how", ["is not in it", "is no member", "is in it by a nick alone"])
async def test_nothing_tells_others_of_files_of_a_room(shared: FakeBot, how: str) -> None:
    who: str | Sender = CAROL
    if how == "is no member":
        who = ALICE
        shared.rooms.managers[ROOM] = frozenset({BOB})
        await shared.say("room set who-may-get members", in_room(BOB, "bob"))
    elif how == "is in it by a nick alone":
        shared.rooms.occupants[ROOM] |= {f"{ROOM}/carol"}
    for command in ("get", "info", "find"):
        hidden = await shared.say(f"{command} beach.png", who)
        absent = await shared.say(f"{command} peach.png", who)
        assert [each.replace("beach", "peach") for each in hidden] == absent
        assert "beach" not in "".join(absent)
    assert shared.messenger.files(ALICE) == []


async def test_a_name_in_several_rooms_is_asked_about_and_its_number_works(shared: FakeBot) -> None:
    shared.rooms.occupants[OTHER] = frozenset({ALICE, BOB})
    await shared.drop("beach.png", b"stones", in_room(BOB, "bob", OTHER))
    await shared.say("keep", in_room(BOB, "bob", OTHER))
    [said] = await shared.say("get beach.png", ALICE)
    assert f"#1 in {ROOM}" in said
    assert f"#2 in {OTHER}" in said
    await shared.say("get #2", ALICE)
    assert [each.entry.room for each in shared.messenger.files(ALICE)] == [OTHER]


async def test_nothing_of_a_room_is_removed_or_renamed_by_its_name_in_private(shared: FakeBot) -> None:
    for command in ("rm beach.png", "rename beach.png x.png"):
        assert "I have no file" in (await shared.say(command, BOB))[0]


async def test_a_name_that_several_files_have_is_told_with_the_others(bot: FakeBot) -> None:
    for content in (b"1", b"2", b"3"):
        await bot.drop("plan.txt", content)
    said = await bot.say("get plan.txt")
    assert [each.entry.id for each in bot.messenger.files(ALICE)] == [3]
    assert any("There are 2 older ones: #2, #1." in each and "get #2" in each for each in said)
    assert not any("older" in each for each in await bot.say("get #2"))


async def test_a_removal_says_that_links_live_on_where_some_were_given(bot: FakeBot) -> None:
    await bot.drop("plan.txt", b"plan")
    await bot.drop("other.txt", b"other")
    await bot.say("get plan.txt")
    [said] = await bot.say("rm plan.txt")
    assert said.endswith("Links that I gave out before still work, for as long as the server keeps them.")
    assert "Links" not in (await bot.say("rm other.txt"))[0]
