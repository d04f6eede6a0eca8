"""Several files are deleted at once, when the person has said yes."""

from datetime import timedelta

import pytest

from filebot.errors import CatalogUnavailable
from filebot.model import Scope, Sender
from filebot.plugin import CommandCalled, Context, FileRemoving, Plugin, Refusal
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room, through_room

YES = "To go on, type: yes"


async def names(bot: FakeBot, owner: str = ALICE) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(owner=owner), limit=999)]


async def drop(bot: FakeBot, *files: str, sender: Sender | str = ALICE) -> None:
    for name in files:
        await bot.drop(name, name.encode(), sender)


async def test_a_pattern_asks_and_then_deletes_what_it_matched(bot: FakeBot) -> None:
    await drop(bot, "a.jpg", "b.JPG", "c.png")
    [said] = await bot.say("rm *.jpg")
    assert said == (
        "Delete 2 files, 10 bytes, for good?\n"
        "1. b.JPG (5 bytes, Nov 23, 2026) #2\n"
        f"2. a.jpg (5 bytes, Nov 23, 2026) #1\n{YES}"
    )
    await drop(bot, "later.jpg")
    assert len(await names(bot)) == 4
    assert await bot.say("yes") == [
        "Deleted 2 files, 10 bytes:\n- b.JPG (5 bytes, #2)\n- a.jpg (5 bytes, #1)"
    ]
    assert await names(bot) == ["later.jpg", "c.png"]
    assert len(bot.store.blobs) == 2


async def test_a_pattern_asks_even_for_one_file(bot: FakeBot) -> None:
    await drop(bot, "a.jpg", "b.png")
    [said] = await bot.say("rm *.jpg")
    assert said == f"Delete one file, 5 bytes, for good?\n1. a.jpg (5 bytes, Nov 23, 2026) #1\n{YES}"
    assert await bot.say("yes") == ['Deleted "a.jpg" (#1).']


@pytest.mark.parametrize(
    "command",
    [
        *("rm #1 #2", "rm #1, #2", "rm a.pdf b.pdf", 'rm "a.pdf" #2', "rm 1 2", "rm a.* b.*"),
        *("rm a.pdf b.pdf a.pdf #1", "rm ?.pdf"),
    ],
)
async def test_several_names_numbers_and_patterns(bot: FakeBot, command: str) -> None:
    await drop(bot, "a.pdf", "b.pdf", "c.txt")
    assert (await bot.say(command))[0].startswith("Delete 2 files, 10 bytes, for good?")
    assert (await bot.say("yes"))[0].startswith("Deleted 2 files, 10 bytes:")
    assert await names(bot) == ["c.txt"]


async def test_what_is_not_there_is_said_before_and_after(bot: FakeBot) -> None:
    await drop(bot, "a.pdf", "b.pdf")
    [said] = await bot.say("rm a.pdf b.pdf nope.pdf #77 *.gif")
    missing = 'I have no files called "nope.pdf", "#77", "*.gif".'
    assert said.endswith(f"2. b.pdf (5 bytes, Nov 23, 2026) #2\n{missing}\n{YES}")
    [said] = await bot.say("yes")
    assert said.endswith(f"- b.pdf (5 bytes, #2)\n{missing}")


async def test_one_of_several_numbers_is_deleted_at_once(bot: FakeBot) -> None:
    await drop(bot, "a.pdf")
    assert await bot.say("rm #1 #2") == [
        'Deleted one file, 5 bytes:\n- a.pdf (5 bytes, #1)\nI have no file called "#2".'
    ]


@pytest.mark.parametrize("command", ["rm report.pdf old", "rm my report.pdf", "rm rep", "rm REPORT"])
async def test_a_near_match_is_asked_about(bot: FakeBot, command: str) -> None:
    await drop(bot, "report.pdf")
    assert await bot.say(command) == ["Did you mean: rm report.pdf?\nTo go on, type: yes"]
    assert await names(bot) == ["report.pdf"]


@pytest.mark.parametrize("command", ["rm *.gif", "rm nope #9"])
async def test_what_is_not_there_is_never_deleted(bot: FakeBot, command: str) -> None:
    await drop(bot, "report.pdf")
    [said] = await bot.say(command)
    assert said.startswith("I have no file called")
    assert "nothing to confirm" in (await bot.say("yes"))[0]
    assert await names(bot) == ["report.pdf"]


async def test_a_whole_name_with_spaces_or_signs_is_one_file(bot: FakeBot) -> None:
    await drop(bot, "a b.txt", "a", "b.txt", "what?.txt", "whats.txt")
    assert await bot.say("rm a b.txt") == ['Deleted "a b.txt" (#1).']
    assert (await bot.say("rm a b.txt"))[0].startswith("Delete 2 files")


async def test_of_files_with_one_name_the_number_is_asked_for(bot: FakeBot) -> None:
    for content in (b"1", b"2"):
        await bot.drop("a.txt", content)
    await drop(bot, "b.txt")
    assert (await bot.say("rm a.txt b.txt"))[0].startswith('Several files are called "a.txt": #2, #1.')
    assert "nothing to confirm" in (await bot.say("yes"))[0]
    assert (await bot.say("rm a.*"))[0].startswith("Delete 2 files")


async def test_at_most_a_hundred_at_once(bot: FakeBot) -> None:
    for number in range(101):
        if number % 50 == 0:
            bot.now += timedelta(minutes=2)
        await bot.drop(f"{number}.txt", f"{number}".encode())
    assert await bot.say("rm *") == ['More than 100 files match "*". Type more of the name.']
    [said] = await bot.say("rm " + " ".join(f"#{number}" for number in range(1, 102)))
    assert said.startswith("That is 101 files at once, and I take at most 100.")
    [said] = await bot.say("rm 1*.txt 2*.txt 3*.txt 4*.txt 5*.txt 6*.txt 7*.txt 8*.txt 9*.txt")
    assert said.startswith("Delete 100 files")
    assert "and 90 more\n" in said
    bot.now += timedelta(minutes=1)
    assert "Deleted 100 files" in (await bot.say("yes"))[0]
    assert await names(bot) == ["0.txt"]


async def test_a_pattern_full_of_signs_takes_no_time(bot: FakeBot) -> None:
    await drop(bot, "a.txt")
    assert (await bot.say("rm " + "?*" * 5 + "x" * 200))[0].startswith("I have no file called")


async def test_a_reply_to_a_message_with_several_files_means_all_of_them(bot: FakeBot) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        await bot.drop(name, name.encode(), message_id="m1")
    await bot.say("rm a.txt")
    [said] = await bot.say("rm", replying_to="m1")
    assert said.startswith("Delete 2 files, 10 bytes, for good?\n1. b.txt")
    assert 'I have no file called "#1".' in said
    assert (await bot.say("yes"))[0].startswith("Deleted 2 files")
    assert (await bot.say("rm", replying_to="m1"))[0].startswith("I have no file called")


async def test_in_a_room_a_pattern_means_the_files_that_one_may_delete(bot: FakeBot) -> None:
    await drop(bot, "mine.txt", "secret.txt")
    await drop(bot, "bobs.txt", sender=BOB)
    await bot.say(f"send mine.txt to {ROOM}")
    await bot.say(f"send bobs.txt to {ROOM}", BOB)
    [said] = await bot.say("rm *.txt", in_room())
    assert said == (
        "alice: Delete one file, 8 bytes, for good?\n"
        "1. mine.txt (8 bytes, Nov 23, 2026) #4\nTo go on, type: !yes"
    )
    assert "nothing to confirm" in (await bot.say("yes", in_room(BOB, "alice")))[0]
    [said] = await bot.say("yes", in_room())
    assert said.splitlines()[0] == 'Deleted "mine.txt" (#4).'
    assert "Only the file's owner" in (await bot.say("rm *.txt", in_room()))[0]
    assert "Only the file's owner" in (await bot.say("rm #5", in_room()))[0]
    await bot.say(f"send mine.txt to {ROOM}")
    [said] = await bot.say("rm #6 #5", in_room())
    assert said.endswith('owners and admins can do that.\nIt is about "bobs.txt".')
    await bot.say("rm #6", in_room())
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    assert "bobs.txt" in (await bot.say("rm *.txt", through_room()))[0]
    assert await names(bot) == ["secret.txt", "mine.txt"]


async def test_what_a_check_keeps_is_told(bot: FakeBot) -> None:
    guard = Plugin[None](
        "guard", api=1, needs={"checks"}, templates={"no": "{{ error.values.name }} is under guard."}
    )

    @guard.check(FileRemoving)
    async def keep(ctx: Context[None], act: FileRemoving) -> None:
        if act.entry.name != "a.txt":
            raise Refusal("guard/no", name=act.entry.name)

    async with FakeBot(guard) as guarded:
        await drop(guarded, "a.txt", "b.txt", "c.txt")
        await guarded.say("rm *.txt")
        said, cause = await guarded.say("yes")
        assert said == (
            "Deleted one file, 5 bytes:\n- a.txt (5 bytes, #1)\n"
            "2 files were not deleted:\n- c.txt (5 bytes, #3)\n- b.txt (5 bytes, #2)"
        )
        assert cause == "c.txt is under guard."


async def test_a_failure_midway_says_what_is_gone_and_what_is_not(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drop(bot, "a.txt", "b.txt", "c.txt")
    remove, calls = bot.catalog.remove, list[int]()

    async def fail(entry_id: int, **more: object) -> object:
        calls.append(entry_id)
        if len(calls) == 2:
            raise CatalogUnavailable("locked")
        return await remove(entry_id, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(bot.catalog, "remove", fail)
    await bot.say("rm *.txt")
    said = await bot.say("yes")
    assert said[0] == (
        "Deleted one file, 5 bytes:\n- c.txt (5 bytes, #3)\n"
        "2 files were not deleted:\n- b.txt (5 bytes, #2)\n- a.txt (5 bytes, #1)"
    )
    assert len(said) == 2
    assert calls == [3, 2], "the next would fail as well"


async def test_a_check_of_commands_sees_the_files_before_each_run() -> None:
    seen = list[int]()
    watch = Plugin[None]("watch", api=1, needs={"checks"})

    @watch.check(CommandCalled)
    async def look(ctx: Context[None], act: CommandCalled) -> None:
        if act.command == "rm":
            seen.append(len(act.arguments["name"].entries))

    async with FakeBot(watch) as bot:
        await drop(bot, "a.txt", "b.txt")
        await bot.say("rm *.txt")
        await bot.catalog.remove(1)
        await bot.say("yes")
    assert seen == [2, 1]


async def test_in_chinese(bot: FakeBot) -> None:
    await drop(bot, "a.txt", "b.txt")
    await bot.say("lang zh")
    [said] = await bot.say("rm *.txt #9")
    assert said.startswith("要永久删除 2 个文件（10")
    assert said.endswith("我这里没有名为“#9”的文件。\n要继续，请输入：是")
    assert (await bot.say("是"))[0].startswith("已删除 2 个文件（10")
