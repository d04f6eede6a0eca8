"""Looking through files and putting them in order."""

import hashlib
from datetime import timedelta

import pytest

from filebot.model import Address, Scope, Sender
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room, through_room


async def test_ls_shows_the_newest_first_with_id_size_and_kind(bot: FakeBot) -> None:
    await bot.drop("old.txt", b"1")
    bot.now += timedelta(days=1)
    await bot.drop("new.pdf", b"%PDF-1.4")
    [said] = await bot.say("ls")
    lines = said.splitlines()
    assert lines[0] == "You have 2 files, newest first:"
    assert lines[1].startswith("1. new.pdf (8 bytes, PDF document, ")
    assert lines[2].startswith("2. old.txt (1 byte, ")


async def test_a_long_list_comes_in_pages(bot: FakeBot) -> None:
    for number in range(23):
        await bot.drop(f"file{number}.txt", str(number).encode())
    seen = []
    for text in ("ls", "more", "more"):
        [said] = await bot.say(text)
        seen += [line.split()[1] for line in said.splitlines() if line[0].isdigit()]
    assert seen == [f"file{number}.txt" for number in reversed(range(23))]
    assert "nothing more" in (await bot.say("more"))[0]


async def test_more_goes_on_in_another_client_of_the_same_person(bot: FakeBot) -> None:
    phone, desk = (Sender(Address(f"{ALICE}/{client}"), ALICE) for client in ("phone", "desk"))
    for number in range(12):
        await bot.drop(f"a{number}.txt", str(number).encode())
    await bot.say("ls", phone)
    assert bot.messenger.texts(f"{ALICE}/phone")
    await bot.say("more", desk)
    [said] = bot.messenger.texts(f"{ALICE}/desk")
    assert "a1.txt" in said


async def test_more_goes_on_where_each_person_was(bot: FakeBot) -> None:
    for number in range(12):
        await bot.drop(f"a{number}.txt", str(number).encode())
        await bot.drop(f"b{number}.txt", str(number).encode(), BOB)
    await bot.say("ls")
    await bot.say("ls", BOB)
    assert "a1.txt" in (await bot.say("more"))[0]
    assert "b1.txt" in (await bot.say("more", BOB))[0]


async def test_find_goes_by_parts_of_words(bot: FakeBot) -> None:
    await bot.drop("annual report.pdf", b"1")
    await bot.drop("photo.jpg", b"2")
    [said] = await bot.say("find repo annu")
    assert "annual report.pdf" in said
    assert "photo" not in said
    assert 'No file matches "xyzzy"' in (await bot.say("find xyzzy"))[0]


async def test_info_shows_what_is_known(bot: FakeBot) -> None:
    await bot.drop("a.pdf", b"%PDF-1.4")
    [said] = await bot.say("info A.PDF")
    assert "a.pdf, #1" in said
    assert "Size: 8 bytes\n" in said
    assert "application/pdf" in said
    assert f"SHA-256: {hashlib.sha256(b'%PDF-1.4').hexdigest()}" in said
    await bot.drop("b.pdf", b"1" * 1_234)
    assert "Size: 1.2 kB (1,234 bytes)\n" in (await bot.say("info b.pdf"))[0]


@pytest.mark.parametrize(
    "command",
    ["rename a.txt b c.txt", 'rename "a.txt" "b c.txt"', "rename #1 to b c.txt", "mv a.txt b c.txt"],
)
async def test_rename_gives_another_name(bot: FakeBot, command: str) -> None:
    await bot.drop("a.txt", b"1")
    assert await bot.say(command) == ['"a.txt" is now "b c.txt" (#1).']
    assert "b c.txt" in (await bot.say("ls"))[0]


async def test_rename_cleans_the_new_name(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    assert await bot.say("rename a.txt to ../../etc/pass\u202ewd") == ['"a.txt" is now "passwd.txt" (#1).']


async def test_rm_removes_row_and_bytes(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    assert await bot.say("rm a.txt") == ['Deleted "a.txt" (#1).']
    assert not bot.store.blobs
    assert "no files" in (await bot.say("ls"))[0]


async def test_rm_leaves_the_bytes_that_somebody_else_has_too(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.drop("b.txt", b"1", BOB)
    await bot.say("rm a.txt")
    assert len(bot.store.blobs) == 1
    await bot.say("get b.txt", BOB)
    assert [shown.entry.name for shown in bot.sent] == ["b.txt"]


async def test_nobody_sees_the_files_of_others(bot: FakeBot) -> None:
    await bot.drop("secret.pdf", b"1")
    for command in ("ls", "find secret", "info secret.pdf", "info #1", "get #1", "rm #1", "get sec"):
        said = "\n".join(await bot.say(command, BOB))
        assert "secret.pdf" not in said.replace(command.partition(" ")[2], "")
    assert not bot.sent
    assert len(bot.store.blobs) == 1


async def test_only_the_owner_or_an_admin_removes_a_rooms_file(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"1")
    await bot.say(f"send a.txt to {ROOM}", in_room())
    for nobody in (
        in_room(BOB, "bob"),
        in_room(None, ADMIN),
        in_room(BOB, ALICE),
        through_room(None, ADMIN),
    ):
        assert "Deleted" not in (await bot.say("rm a.txt", nobody))[0]
    assert "Deleted" in (await bot.say("rm a.txt", in_room(ADMIN, "whoever")))[0]
    assert "a.txt" in (await bot.say("ls"))[0], "the owner's own copy stays"


async def test_what_is_deleted_or_renamed_is_named_in_full_and_surely(bot: FakeBot) -> None:
    for name in ("Notes.txt", "notes.txt", "final report.pdf"):
        await bot.drop(name, name.encode())
    assert await bot.say("rm final") == ['Did you mean: rm "final report.pdf"?\nTo go on, type: yes']
    assert 'Deleted "Notes.txt" (#1)' in (await bot.say("rm Notes.txt"))[0]
    assert 'Deleted "notes.txt" (#2)' in (await bot.say("rm NOTES.TXT"))[0]
    for content in (b"one", b"two"):
        await bot.drop("same.txt", content)
    for command in ("rm same.txt", "rename same.txt other.txt"):
        [said] = await bot.say(command)
        assert said == 'Several files are called "same.txt": #5, #4. Type the number instead of the name.'
    assert 'Deleted "same.txt" (#4)' in (await bot.say("rm #4"))[0]
    assert 'Deleted "same.txt" (#5)' in (await bot.say("rm same.txt"))[0]


async def test_in_a_room_the_number_of_a_private_file_tells_nothing(bot: FakeBot) -> None:
    await bot.drop("salary.pdf", b"1")
    for command in ("info #1", "rename #1 x", "rm #1"):
        assert (await bot.say(command, in_room()))[0].startswith('I have no file called "#1"')
    assert [each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)] == ["salary.pdf"]


async def test_in_a_room_nothing_private_is_looked_at_renamed_or_deleted(bot: FakeBot) -> None:
    await bot.drop("salary.pdf", b"1")
    for command in ("info salary.pdf", "rename salary.pdf x", "rm salary.pdf", "rm salary"):
        assert "I have no file called" in (await bot.say(command, in_room()))[0]
    assert [each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)] == ["salary.pdf"]


# --- who shared a file -------------------------------------------------------------------------------


async def test_lists_of_a_room_say_who_shared_each_file(bot: FakeBot) -> None:
    await bot.drop("beach.png", b"sand", in_room(BOB, "Robert 🦊"))
    await bot.say("keep", in_room(BOB, "Robert 🦊"))
    await bot.drop("plan.txt", b"plan")
    await bot.say(f"send plan.txt to {ROOM}")
    for command in ("ls", "find a"):
        [said] = await bot.say(command, in_room(ALICE, "anna"))
        lines = {line.split()[1]: line for line in said.splitlines() if " #" in line}
        assert ", from Robert 🦊 #" in lines["beach.png"]
        assert ", from alice #" in lines["plan.txt"]
        assert "@" not in said  # a room may hide addresses
    [said] = await bot.say("info beach.png", in_room(ALICE, "anna"))
    assert "From: Robert 🦊" in said.splitlines()


async def test_nobody_is_told_that_their_own_files_are_from_them(bot: FakeBot) -> None:
    await bot.drop("plan.txt", b"plan")
    assert "from" not in (await bot.say("ls"))[0] + (await bot.say("info plan.txt"))[0].lower()
