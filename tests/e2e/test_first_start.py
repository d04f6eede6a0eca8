"""A kill in the very first session: what the server had kept for the bot is not lost with it."""

import asyncio
import os
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.waiting import until

pytestmark = pytest.mark.needs("an archive of its own")

FIRST_STARTS = int(os.environ.get("FIRST_STARTS", "3"))
KILLS_EACH = 4
FILES = 4
LIMIT_S = 40.0


@dataclass(frozen=True)
class Beginning:
    """An account whose bot has never been online, and somebody who writes to it."""

    world: World
    alice: Peer

    async def drop(self, name: str) -> None:
        path = self.world.folder / name
        path.write_bytes(os.urandom(1_000))
        await self.alice.drop(path, self.world.bot_jid)

    def stored(self) -> Counter[str]:
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog:
            return Counter(name for (name,) in catalog.execute("SELECT name FROM entries"))

    async def until_stored(self, files: Counter[str]) -> None:
        with suppress(TimeoutError):
            await until(lambda: self.stored() == files, LIMIT_S)
        assert self.stored() == files, "\n".join(self.world.bot.log)

    async def start_and_kill(self, after_s: float) -> None:
        """Kill the bot so long after it began to connect."""
        bot = self.world.bot
        bot.log.clear()
        starting = asyncio.create_task(bot.start())
        await until(lambda: any("connecting to" in line for line in bot.log), LIMIT_S)
        await asyncio.sleep(after_s)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await bot.kill()


@pytest.fixture
async def beginning(tmp_path: Path) -> AsyncIterator[Beginning]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(private_server(tmp_path / "server", users=USERS))
        bot = BotProcess(write_config(tmp_path / "config.toml", bot_config(server)))
        alice = await stack.enter_async_context(await Peer.of(server, "alice"))
        stack.push_async_callback(bot.stop)
        yield Beginning(World(server, bot, tmp_path), alice)


@pytest.mark.timeout(120 + 60 * FIRST_STARTS)
@pytest.mark.parametrize("number", range(FIRST_STARTS))
async def test_killed_at_its_first_starts_every_file_is_stored_once_and_no_history(
    beginning: Beginning, number: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - to be seen when it fails
    chance = random.Random(seed)
    if number % 2 == 0:
        async with await beginning.world.login("filebot") as another:
            await beginning.drop("history.bin")
            await another.next_message()
        await asyncio.sleep(3.0)
    names = [f"{each}.bin" for each in range(FILES)]
    for name in names:
        await beginning.drop(name)
    await beginning.alice.until_taken()
    for _ in range(KILLS_EACH):
        await beginning.start_and_kill(chance.uniform(0.05, 1.5))
    await beginning.world.bot.start()
    await beginning.until_stored(Counter(names))
    await beginning.drop("last.bin")
    await beginning.until_stored(Counter([*names, "last.bin"]))
