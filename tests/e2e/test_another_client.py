"""Another client on the bot's account: the bot hears what people write to it all the same."""

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.servers.strange_prosody import StrangeProsody
from tests.support.waiting import until

pytestmark = pytest.mark.needs("an account")

LIMIT_S = 30.0


@dataclass(frozen=True)
class Shared:
    """The bot, another client of its account, and Alice."""

    world: World
    another: Peer
    alice: Peer

    async def drop(self, name: str, to: str) -> None:
        path = self.world.folder / name
        path.write_bytes(name.encode() * 100)
        await self.alice.drop(path, to)

    def stored(self) -> Counter[str]:
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog:
            return Counter(name for (name,) in catalog.execute("SELECT name FROM entries"))

    async def until_stored(self, *names: str) -> None:
        """Wait until these files, each once, are stored, and until an answer has said so."""
        with suppress(TimeoutError):
            await until(lambda: self.stored() == Counter(names), LIMIT_S)
        assert self.stored() == Counter(names), "\n".join(self.world.bot.log)
        await until(lambda: self.answered() == set(names), LIMIT_S)  # comes after the row

    def heard(self) -> list[str]:
        """All that the bot said to Alice."""
        return [each.body for each in self.alice.messages if self.world.from_bot(each)]

    def answered(self) -> set[str]:
        """Names of the files that an answer says are stored."""
        answers = "\n".join(each for each in self.heard() if each.startswith("Stored"))
        return set(re.findall(r'"([a-z]+\.bin)"', answers))


@asynccontextmanager
async def shared(server: Server, folder: Path, priority: int) -> AsyncIterator[Shared]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        bot = BotProcess(write_config(folder / "config.toml", bot_config(server)))
        another = await stack.enter_async_context(await Peer.of(server, "filebot"))
        another.client.send_presence(ppriority=priority)
        await another.until_taken()
        alice = await stack.enter_async_context(await Peer.of(server, "alice"))
        await stack.enter_async_context(bot)
        yield Shared(World(server, bot, folder), another, alice)


@pytest.mark.parametrize("priority", [10, 127])
async def test_what_people_write_reaches_the_bot_once_whoever_else_is_there(
    tmp_path: Path, priority: int
) -> None:
    server = private_server(tmp_path / "server", users=USERS)
    async with shared(server, tmp_path, priority) as here:
        await here.drop("bare.bin", here.world.bot_jid)
        await here.until_stored("bare.bin")
        # A client goes on with the full address from which it heard last.
        await here.drop("full.bin", here.another.jid)
        await here.until_stored("bare.bin", "full.bin")
        here.alice.say("ls", here.another.jid)
        await here.alice.next_message(lambda each: "2 files" in each.body)
        # The bot must not take a message of its own account's other client for a command.
        here.another.say("rm bare.bin", here.world.server.jid("alice"))
        await here.alice.next_message(lambda each: each.body == "rm bare.bin")
        await asyncio.sleep(1.0)  # the mark is saved
        for end in (here.world.bot.kill, here.world.bot.stop):
            await end()
            await here.world.bot.start()
            await asyncio.sleep(1.5)
        assert here.stored() == Counter(["bare.bin", "full.bin"])
        assert len(here.heard()) == 4  # two files, "ls", and the words of the other client


@pytest.mark.needs("modules of our own")
@pytest.mark.parametrize("is_killed", [False, True])
async def test_what_only_another_client_heard_is_found_in_the_archive(
    tmp_path: Path, is_killed: bool
) -> None:
    server = StrangeProsody(tmp_path / "server", users=USERS, without=["carbons"])
    async with shared(server, tmp_path, 10) as here:
        await here.drop("before.bin", here.world.bot_jid)
        await here.until_stored("before.bin")
        await here.drop("between.bin", here.another.jid)
        await here.drop("after.bin", here.world.bot_jid)
        await until(lambda: here.stored()["after.bin"], LIMIT_S)
        if is_killed:
            await asyncio.sleep(0.5)  # the mark is saved
            await here.world.bot.kill()
            await here.world.bot.start()
        await here.until_stored("before.bin", "between.bin", "after.bin")
        assert len(here.heard()) <= 3  # fewer where files stored at once have one answer
