"""Jobs and durable listeners of a plugin, in a bot that is killed and stopped."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.waiting import until

FILES = 4

PLUGIN = '''"""Write down what is stored, and do work later."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from filebot.plugin import Context, FileStored, Plugin

plugin = Plugin[None](
    "scribe",
    api=1,
    needs={"jobs"},
    templates={"later": "later: {{ text|line }}", "noted": "noted"},
)
BOOK = Path(__file__).with_suffix(".txt")


def write(line: str) -> None:
    with BOOK.open("a") as book:
        book.write(line + "\\n")


@plugin.on(FileStored, durable=True)
async def note(ctx: Context[None], event: FileStored) -> None:
    await ctx.run_blocking(write, event.name)


@plugin.on(FileStored, at_once=True)
async def hang(ctx: Context[None], event: FileStored) -> None:
    await asyncio.Event().wait()


@plugin.command("later", usage="later TEXT")
async def later(ctx: Context[None], text: str) -> None:
    """Say it later."""
    await ctx.jobs.add("say", {"text": text}, after=timedelta(seconds=2))
    await ctx.reply("scribe/noted")


@plugin.job("say")
async def say(ctx: Context[None], payload: dict[str, Any]) -> None:
    await ctx.reply("scribe/later", text=payload["text"])
'''


@pytest.mark.needs("an archive of its own")
async def test_each_stored_file_is_written_down_although_the_bot_is_killed(tmp_path: Path) -> None:
    chance, folder = random.Random(3), tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "scribe.py").write_text(PLUGIN)
    book = folder / "scribe.txt"
    async with private_server(tmp_path / "prosody", users=USERS) as server:
        config = write_config(
            tmp_path / "config.toml", bot_config(server, plugins={"paths": [str(folder)]})
        )
        async with BotProcess(config) as bot, await Peer.of(server, "alice") as alice:
            world = World(server, bot, tmp_path)
            for number in range(FILES):
                name = f"{number}.bin"
                (tmp_path / name).write_bytes(chance.randbytes(2000))
                await alice.drop(tmp_path / name, world.bot_jid)
                # A listener at once that hangs does not keep it from being said.
                await alice.next_message(lambda each, name=name: f'"{name}"' in each.body, 60)  # type: ignore[misc]
                await bot.kill()
                await bot.start()
            names = {f"{number}.bin" for number in range(FILES)}
            await until(lambda: set(book_of(book)) == names, 60)
            alice.say("later tea", world.bot_jid)
            await alice.next_message(lambda each: each.body == "noted", 60)
            await bot.kill()
            # A disabled plugin has no effect, and its jobs wait for it.
            plugins = {"paths": [str(folder)], "disabled": ["scribe"]}
            write_config(config, bot_config(server, plugins=plugins))
            await bot.start()
            assert await bot.stop() == 0
            assert jobs_in(world) == ["say"]
            write_config(config, bot_config(server, plugins={"paths": [str(folder)]}))
            await bot.start()
            await alice.next_message(lambda each: each.body == "later: tea", 60)
            assert await bot.stop() == 0
            assert jobs_in(world) == []


def jobs_in(world: World) -> list[str]:
    """Return the names of the plugin's jobs in the catalog."""
    with closing(sqlite3.connect(world.data / "catalog.sqlite")) as catalog:
        return [name for (name,) in catalog.execute("SELECT name FROM jobs WHERE plugin = 'scribe'")]


def book_of(path: Path) -> list[str]:
    """Return the names that were written down."""
    return path.read_text().splitlines() if path.exists() else []
