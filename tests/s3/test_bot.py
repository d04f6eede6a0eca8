"""A bot whose files are in S3, on real servers that are killed."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from filebot.storage.s3.address import ACCESS_KEY, SECRET_KEY
from filebot.storage.s3.store import key_of
from tests.e2e.conftest import USERS, World, bot_config, sha256
from tests.servers import private_server
from tests.support.command_line import filebot
from tests.support.kill_loop import KILLS, live, play
from tests.support.s3 import KEYS, S3Server, running_s3

pytestmark = pytest.mark.thorough

PREFIX = "bot"


@dataclass(frozen=True)
class Place:
    """A bot that is not started yet, on a server, with its files in a bucket."""

    world: World
    s3: S3Server

    def content(self, digest: str) -> bytes:
        return (self.s3.bucket / PREFIX / key_of(digest)).read_bytes()


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setenv(ACCESS_KEY, KEYS.access)
    monkeypatch.setenv(SECRET_KEY, KEYS.secret)
    (tmp_path / "s3").mkdir()
    async with AsyncExitStack() as stack:
        s3 = stack.enter_context(running_s3(tmp_path / "s3"))
        server = await stack.enter_async_context(private_server(tmp_path / "server", users=USERS))
        config = bot_config(
            server,
            store={"url": s3.url(PREFIX)},
            limits={"max_file_size": "40 MB", "idle_timeout": "20 s", "commands_per_minute": 600},
        )
        bot = BotProcess(write_config(tmp_path / "config.toml", config))
        stack.push_async_callback(bot.stop)
        yield Place(World(server, bot, tmp_path), s3)


async def dropped(world: World, alice: Peer, name: str, content: bytes) -> str:
    """Drop a file, and return the first answer."""
    (world.folder / name).write_bytes(content)
    await alice.drop(world.folder / name, world.bot_jid)
    return (await alice.next_message(world.from_bot)).body


async def test_the_main_job_with_a_service_that_comes_and_goes(place: Place) -> None:
    world, s3 = place.world, place.s3
    await world.bot.start()
    async with await world.login("alice") as alice:
        small, large = os.urandom(50_000), os.urandom(9_000_000)
        assert "Stored" in await dropped(world, alice, "small.bin", small)
        s3.kill()
        dropping = asyncio.create_task(dropped(world, alice, "large.bin", large))
        done, _ = await asyncio.wait({dropping}, timeout=3.0)
        assert not done  # nothing is said to be stored while it is not
        s3.start()
        assert (await dropping).startswith('Stored "large.bin"')
        for name, content in (("small.bin", small), ("large.bin", large)):
            alice.say(f"get {name}", world.bot_jid)
            url = (await alice.next_message(lambda each: each.url is not None)).url
            assert url is not None
            assert sha256(await alice.download(url)) == sha256(content)
        assert place.content(sha256(large)) == large
        assert "Deleted" in (await world.ask(alice, "rm small.bin")).body
        assert not s3.uploads
    await world.bot.stop()
    code, said = await filebot("fsck", "--config", str(world.bot.config))
    assert code == 0, said


async def dying(s3: S3Server, deaths: int, chance: random.Random) -> int:
    """Kill the service so often, and start it again."""
    for _ in range(deaths):
        await asyncio.sleep(chance.uniform(0, 4))
        await asyncio.to_thread(s3.kill)
        await asyncio.sleep(chance.uniform(0, 1))
        await asyncio.to_thread(s3.start)
    return 0


@pytest.mark.needs("an archive of its own")
@pytest.mark.timeout(360 + 20 * KILLS)
async def test_what_was_acknowledged_holds_after_every_kill(place: Place) -> None:
    """The bot and the service are killed at random moments."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - to be seen when it fails
    lives = [
        live(place.world.bot, KILLS, random.Random(f"{seed} bot")),
        dying(place.s3, KILLS, random.Random(f"{seed} service")),
    ]
    played = await play(place.world, seed, lives)
    for row in played.kept:
        assert sha256(place.content(row.digest)) == row.digest
    print(played)  # noqa: T201
