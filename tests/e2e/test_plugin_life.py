"""A plugin with a lifespan, and one that misbehaves, in a real bot."""

import asyncio
import time
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.waiting import until

GOOD = '''"""Keep a book open, and multiply elsewhere."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from filebot.plugin import Context, IsolatedError, Life, Limits, Plugin

BOOK = Path(__file__).with_suffix(".txt")
plugin = Plugin[None]("good", api=1, templates={"said": "{{ text }}"})


@plugin.lifespan
async def book(life: Life[None]) -> AsyncIterator[str]:
    BOOK.write_text("open")
    yield "a book"
    BOOK.write_text("closed")


@plugin.command("state", usage="state")
async def state(ctx: Context[None]) -> None:
    """Tell what is open."""
    await ctx.reply("good/said", text=ctx.state(book))


def process() -> int:
    return os.getpid()


def eat() -> None:
    kept = []
    while True:
        kept.append(bytes(1_000_000))


@plugin.command("elsewhere", usage="elsewhere")
async def elsewhere(ctx: Context[None]) -> None:
    """Work in another process."""
    other = await ctx.run_isolated(process)
    try:
        await ctx.run_isolated(eat, limits=Limits(memory_bytes=50_000_000))
    except IsolatedError as error:
        text = f"{other != os.getpid()} {error.reason}"
        await ctx.reply("good/said", text=text)
'''

BAD = '''"""Do all that a plugin must not do."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from filebot.plugin import Context, Life, Plugin

plugin = Plugin[None]("bad", api=1, templates={"said": "done"})


@plugin.command("spin", usage="spin")
async def spin(ctx: Context[None]) -> None:
    """Hold everybody up."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        pass
    await ctx.reply("bad/said")


@plugin.command("deaf", usage="deaf")
async def deaf(ctx: Context[None]) -> None:
    """Never end."""
    await ctx.reply("bad/said")
    while True:
        with suppress(BaseException):
            await asyncio.sleep(3600)


@plugin.command("block", usage="block")
async def block(ctx: Context[None]) -> None:
    """Never give a thread back."""
    await ctx.reply("bad/said")
    await ctx.run_blocking(time.sleep, 3600)
'''

FAILING = '''"""Fail to open."""

from collections.abc import AsyncIterator

from filebot.plugin import Context, Life, Plugin

plugin = Plugin[None]("failing", api=1, templates={"said": "here"})


@plugin.lifespan
async def live(life: Life[None]) -> AsyncIterator[None]:
    raise LookupError("no such place")
    yield


@plugin.command("here", usage="here")
async def here(ctx: Context[None]) -> None:
    """Be here."""
    await ctx.reply("failing/said")
'''


@pytest.mark.needs("an archive of its own")
async def test_lifespans_open_and_close_and_misbehaviour_is_named_and_holds_no_stop_up(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    for name, text in (("good", GOOD), ("bad", BAD), ("failing", FAILING)):
        (folder / f"{name}.py").write_text(text)
    book = folder / "good.txt"
    async with private_server(tmp_path / "prosody", users=USERS) as server:
        config = write_config(
            tmp_path / "config.toml", bot_config(server, plugins={"paths": [str(folder)]})
        )
        async with BotProcess(config) as bot, await Peer.of(server, "alice") as alice:
            world = World(server, bot, tmp_path)
            assert book.read_text() == "open"
            assert (await world.ask(alice, "state")).body == "a book"
            assert (await world.ask(alice, "elsewhere")).body == "True memory"
            assert "plugin failing cannot be used: its lifespan: LookupError: no such place" in "\n".join(
                bot.log
            )
            assert "here" not in (await world.ask(alice, "help all")).body.split()
            assert (await world.ask(alice, "spin")).body == "done"
            [line] = await until(lambda: [each for each in bot.log if "holds everybody up" in each])
            assert "command 'spin' of plugin bad holds everybody up: " in line
            assert "bad.py, line " in line
            for command in ("deaf", "block"):
                assert (await world.ask(alice, command)).body == "done"
            began = time.monotonic()
            # First the bot waits twenty seconds for work that may still end.
            async with asyncio.timeout(60):
                code = await ended(bot)
            assert code == 0
            assert time.monotonic() - began < 60
            log = "\n".join(bot.log)
    assert book.read_text() == "closed"
    assert "command 'deaf' of plugin bad ignores that it is cancelled; it is broken off" in log
    assert "does not end; the process ends without it" in log


async def ended(bot: BotProcess) -> int:
    """Ask the bot to end, and return its exit code; without the limit of its own, which kills it."""
    process = bot._process
    assert process is not None
    process.terminate()
    return await process.wait()
