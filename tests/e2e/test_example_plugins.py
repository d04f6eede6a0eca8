"""The examples of dice, tags, thumbnails and an audit log in a real bot."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from PIL import Image

from filebot.localserver.peer import Peer
from tests.e2e.conftest import World, world_in
from tests.support.waiting import until

EXAMPLES = Path(__file__).parents[2] / "examples"


async def test_tags_and_thumbnails_survive_kills_and_go_with_their_files(tmp_path: Path) -> None:
    plugins, photo = tmp_path / "plugins", tmp_path / "photo.png"
    plugins.mkdir(mode=0o700)
    for name in ("tags", "thumbnails"):
        shutil.copy(EXAMPLES / name / f"{name}.py", plugins)
    Image.new("RGB", (800, 600), "red").save(photo)
    async with world_in(tmp_path, plugins={"paths": [str(plugins)]}) as world:
        async with await world.login("alice") as alice, await world.login("bob") as bob:
            await alice.drop(photo, world.bot_jid)
            await alice.next_message(world.from_bot)
            await hears(world, alice, "tag photo.png as Holiday", "has the tags holiday")
            await world.bot.kill()
            await world.bot.start()
            await hears(world, alice, "find tag:holiday", "photo.png")
            await hears(world, alice, "find tag:work", "No file matches")
            await hears(world, alice, "info tag:holiday", "photo.png")
            await hears(world, bob, "find tag:holiday", "No file matches")
            await until(lambda: rows(world, "SELECT name FROM attachments"))
            await hears(world, alice, "thumbnail photo.png", "small photo.png.png")

            await world.bot.stop()
            assert len(world.blobs()) == 2
            sizes = rows(world, "SELECT size FROM attachments")
            assert len(sizes) == 1
            assert rows(world, "SELECT attached_bytes FROM entries WHERE name = 'photo.png'") == sizes
            await world.bot.start()

            await hears(world, alice, "rm photo.png", "photo.png")
            await hears(world, alice, 'rm "small photo.png.png"', "small photo.png.png")
            await world.bot.stop()
            assert world.blobs() == []
            for table in ("attachments", "freed_blobs", "plugin_data"):
                assert rows(world, f"SELECT count(*) FROM {table}") == [(0,)]
        assert [line for line in world.bot.log if " ERROR " in line] == []


async def test_an_audit_log_misses_nothing_after_a_kill(tmp_path: Path) -> None:
    plugins, log, note = tmp_path / "plugins", tmp_path / "audit.jsonl", tmp_path / "note.txt"
    plugins.mkdir(mode=0o700)
    shutil.copy(EXAMPLES / "audit" / "audit.py", plugins)
    note.write_text("a")
    tables: dict[str, dict[str, Any]] = {
        "plugins": {"paths": [str(plugins)]},
        "plugins.audit": {"path": str(log)},
    }
    async with world_in(tmp_path, **tables) as world, await world.login("alice") as alice:
        await alice.drop(note, world.bot_jid)
        await alice.next_message(world.from_bot)
        await world.bot.kill()
        await world.bot.start()
        await hears(world, alice, "rm note.txt", "note.txt")
        await until(lambda: done(log) == [("stored", "note.txt"), ("removed: owner", "note.txt")])


def done(log: Path) -> list[tuple[str, str]]:
    """Return what an audit log says was done, once for each."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    return list(dict.fromkeys((each["done"], each["name"]) for each in lines))


async def test_dice_are_rolled_as_the_operator_set_them(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o700)
    shutil.copy(EXAMPLES / "dice" / "dice.py", plugins)
    tables: dict[str, dict[str, Any]] = {
        "plugins": {"paths": [str(plugins)]},
        "plugins.dice": {"sides": 2},
    }
    async with world_in(tmp_path, **tables) as world, await world.login("alice") as alice:
        alice.say("roll 20 dice", world.bot_jid)
        heard = await alice.next_message(world.from_bot)
        *rolls, total = heard.body.removesuffix(" in all.").split(", ")
        assert {int(each) for each in rolls} <= {1, 2}
        assert sum(map(int, rolls)) == int(total)
        await hears(world, alice, "roll 21 dice", "from 1 to 20")


async def hears(world: World, peer: Peer, text: str, words: str) -> None:
    """Write to the bot and wait for these words; after a kill it may say once more what it had said."""
    peer.say(text, world.bot_jid)
    await peer.next_message(lambda heard: world.from_bot(heard) and words in heard.body)


def rows(world: World, question: str) -> list[object]:
    with closing(sqlite3.connect(world.data / "catalog.sqlite")) as catalog:
        return catalog.execute(question).fetchall()
