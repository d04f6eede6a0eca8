"""When the storage is full, each refusal says what was not done."""

import pytest

from filebot.errors import StorageFull
from filebot.model import Sender
from filebot.plugin import Context, Plugin
from filebot.testing import ADMIN, ALICE, ROOM, FakeBot, in_room, through_room


async def refuse(*arguments: object, **named: object) -> None:
    raise StorageFull("no byte is free")


@pytest.mark.parametrize(
    ("method", "text", "sender", "words"),
    [
        ("rename", "rename a.bin to b.bin", ALICE, "so the file keeps its old name"),
        ("rename", "mv a.bin b.bin", ALICE, "so the file keeps its old name"),
        ("remove", "rm a.bin", ALICE, "so the file was not deleted"),
        ("set_language", "lang zh", ALICE, "so your language was not saved"),
        ("save_room_setting", "room set announce on", in_room(ADMIN), "so the setting was not changed"),
        (
            "plugin_tables.write",
            "archive off for me",
            in_room(),
            "so nothing about the archive was changed",
        ),
        ("remember_room", "join den@conference.example.org", ADMIN, "so I did not enter the room"),
        ("forget_room", f"leave {ROOM}", ADMIN, "so I did not leave the room"),
        ("add", f"send a.bin to {ROOM}", ALICE, 'so "a.bin" was not sent'),
        ("add", "fetch https://files.example.org/b.bin", ALICE, "so I could not keep the file"),
        ("hand_over", "claim", through_room(ALICE, occupant_id="1"), "so the files are not yours yet"),
    ],
)
async def test_a_command_says_what_was_not_done(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch, method: str, text: str, sender: Sender | str, words: str
) -> None:
    await bot.drop("a.bin", b"content")
    bot.web.hosted["https://files.example.org/b.bin"] = bot.web.hosted["https://files.example.org/0/a.bin"]
    if text.startswith("fetch"):
        await bot.say("rm a.bin")
    part, _, name = method.rpartition(".")
    monkeypatch.setattr(getattr(bot.catalog, part) if part else bot.catalog, name, refuse)
    said = await bot.say(text, sender)
    assert said[-1].startswith(f"My storage is full, {words}.\n")
    assert said[-1].endswith("rm NAME")


async def test_a_drop_names_the_file(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.catalog, "add", refuse)
    [said] = await bot.drop("a.bin", b"content")
    assert said.startswith('My storage is full, so I could not keep "a.bin".')


async def test_full_storage_is_told_in_chinese(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot.drop("a.bin", b"content")
    await bot.say("lang zh")
    monkeypatch.setattr(bot.catalog, "rename", refuse)
    [said] = await bot.say("rename a.bin to b.bin")
    assert "文件没有改名" in said


async def test_a_command_of_another_plugin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = Plugin[None]("notes", api=1)

    @plugin.command("note", usage="note TEXT")
    async def note(ctx: Context[None], text: str) -> None:
        """Note something."""
        raise StorageFull("no byte is free")

    async with FakeBot(plugin) as bot:
        [said] = await bot.say("note this")
        assert said.startswith('My storage is full, so "note" was not carried out.')


async def test_a_link_that_cannot_be_remembered_works(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.drop("a.bin", b"content")
    monkeypatch.setattr(bot.catalog, "save_link", refuse)
    assert await bot.say("get a.bin") == []
    assert bot.web.hosted[bot.sent[0].url].content == b"content"
