"""Conversations with the plugins of the manual, as they were published for the first version of the API."""

import asyncio
import importlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from filebot.plugin import Plugin, SourceServices
from filebot.testing import BOB, ROOM, FakeBot, in_room, open_catalog
from filebot.testing.http import MemoryWeb
from tests.api1.manual.finger import FingerSource

Steps = Sequence[tuple[str, str]]
"""Commands of Alice's, each with the answer."""

CONVERSATIONS: Mapping[str, Steps] = {
    "age": [],
    "census": [("census", "1 files.")],
    "cheer": [("cheer", "Hurrah.")],
    "farewell": [],
    "gallery": [],
    "greet": [],
    "guests": [("sign here", "Thank you.")],
    "journal": [],
    "lending": [
        ("lend a.txt to bob@example.org for 2 d", "1 of a.txt for bob@example.org, for 48.0 hours.")
    ],
    "lines": [("lines a.txt", '"a.txt" has 2 lines.')],
    "minutes": [],
    "mirror": [("heard that", "That was no reply (heard TEXT).")],
    "newest": [("newest", "a.txt")],
    "numbers": [("double 21", "42."), ("double 1234567", "I count to a million only.")],
    "orders": [("lock a.txt", "a.txt is locked."), ("quiet", "Say that in a room.")],
    "priority": [("mark a.txt as high", '"a.txt" is high.')],
    "remind": [("remind tea", "I shall remind you."), ("forget", "Never mind.")],
    "routes": [("routes 5 MB", "1. http")],
    "seal": [("unseal", "Ask for it now.")],
    "squeeze": [("squeeze tea times 9", f"{len(zlib.compress(b'tea' * 9))} bytes when squeezed.")],
    "tags": [("tag a.txt as red", '"a.txt" is tagged.'), ("tagged red", "1 files.")],
    "tally": [("tally", "You have dropped 1 files.")],
    "thanks": [],
    "weather": [("weather at Rome", "Nobody knows.")],
    "weekly": [("weekly on", "Weekly report: on."), ("weekly off", "Weekly report: off.")],
    "words": [("count one two three", "3 words.")],
}


def plugin(name: str) -> Plugin[object]:
    found: Plugin[object] = importlib.import_module(f"tests.api1.manual.{name}").plugin
    return found


def test_each_plugin_has_a_conversation() -> None:
    there = {path.stem for path in (Path(__file__).parent / "manual").glob("*.py")} - {"__init__", "finger"}
    assert there == CONVERSATIONS.keys()


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_the_plugin_answers(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the journal is kept there
    async with (
        open_catalog(tmp_path / "catalog.sqlite") as catalog,
        FakeBot(plugin(name), catalog=catalog) as bot,
    ):
        await bot.drop("a.txt", b"one\ntwo\n")
        for said, answer in CONVERSATIONS[name]:
            assert await bot.say(said) == [answer]
        await bot.say("info a.txt")
        await bot.say("rm a.txt")
        bot.now += timedelta(days=8)
        await bot.jobs.run()
        await bot.listeners_done()
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []


async def test_those_that_listen_are_heard() -> None:
    async with FakeBot(plugin("minutes")) as bot:
        said = [*await bot.drop("a.txt", b"a"), *await bot.listeners_done()]
        assert 'New: "a.txt"' in said
        await bot.say("rm a.txt")
        assert await bot.jobs.run() == ['Gone: "a.txt"']
    async with FakeBot(plugin("greet")) as bot:
        await bot.jobs.run()
        bot.now += timedelta(days=8)
        assert sorted(await bot.jobs.run()) == ["Good morning.", "That was week 1."]


async def test_those_with_a_setting_of_rooms_have_it() -> None:
    for name in ("thanks", "farewell", "gallery"):
        async with FakeBot(plugin(name)) as bot:
            bot.rooms.managers[ROOM] = frozenset({BOB})
            [said] = await bot.say(f"room set {name} on", in_room(BOB, "bob"))
            assert name in said


async def test_those_that_check_refuse() -> None:
    async with FakeBot(plugin("seal")) as bot:
        await bot.drop("secret.txt", b"a")
        assert await bot.say("get secret.txt") == ['"secret.txt" is sealed. If you mean it, type: unseal']


async def test_those_that_help_to_find_are_asked() -> None:
    async with FakeBot(plugin("priority")) as bot:
        await bot.drop("a.pdf", b"a")
        await bot.say("mark newest.pdf as high")
        assert "a.pdf" in (await bot.say("find priority:high"))[0]


async def test_the_source_of_another_scheme_is_asked() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Plan of " + (await reader.readline()).strip())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        finger = FingerSource(SourceServices(asyncio.open_connection, MemoryWeb(), 5.0))
        async with FakeBot(sources={"finger": finger}) as bot:
            port = server.sockets[0].getsockname()[1]
            assert (await bot.say(f"fetch finger://127.0.0.1:{port}/alice"))[0].startswith("Stored")
