"""A bot that is killed again and again while people drop, share, remove and get files on a real server.

Each person does one thing after the other and believes only what the bot says. In the end the catalog and
the blobs have to agree with every acknowledgement.
"""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from tests.e2e.conftest import USERS, World, bot_config, sha256
from tests.servers import private_server
from tests.support.kill_loop import KILLS, live, play


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(private_server(tmp_path / "server", users=USERS))
        limits = {"limits": {"max_file_size": "2 MB", "idle_timeout": "20 s", "commands_per_minute": 600}}
        bot = BotProcess(write_config(tmp_path / "config.toml", bot_config(server, **limits)))
        stack.push_async_callback(bot.stop)
        yield World(server, bot, tmp_path)


@pytest.mark.needs("an archive of its own")
@pytest.mark.timeout(360 + 20 * KILLS)
@pytest.mark.parametrize("rivals", [1, 2])
async def test_what_was_acknowledged_holds_after_every_kill(world: World, rivals: int) -> None:
    """With two rivals on one data folder, the one that holds its lock serves."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - to be seen when it fails
    bots = [world.bot, *(BotProcess(world.bot.config) for _ in range(rivals - 1))]
    lives = [
        live(bot, KILLS // rivals, random.Random(f"{seed} {number}")) for number, bot in enumerate(bots)
    ]
    played = await play(world, seed, lives)
    for row in played.kept:
        blob = world.data / "blobs" / row.digest[:2] / row.digest
        assert sha256(blob.read_bytes()) == row.digest
    print(played)  # noqa: T201
