"""A server that archives messages, but does not tell by which ids: nothing may be done twice there."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import ROOM, USERS, World, bot_config
from tests.servers.strange_prosody import StrangeProsody
from tests.support.hidden_room import HIDDEN_ROOM_USERS, hidden_room_in
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("modules of our own"), pytest.mark.needs("an account")]

MODULE = ("no_live_ids",)


def stored(data: Path) -> Counter[str]:
    with closing(sqlite3.connect(data / "catalog.sqlite")) as catalog:
        return Counter(name for (name,) in catalog.execute("SELECT name FROM entries"))


async def test_after_a_restart_nothing_is_done_again_and_what_was_kept_back_is_kept(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = StrangeProsody(tmp_path / "server", users=USERS, of_accounts=MODULE)
        await stack.enter_async_context(server)
        bot = BotProcess(write_config(tmp_path / "config.toml", bot_config(server)))
        alice = await stack.enter_async_context(await Peer.of(server, "alice"))
        stack.push_async_callback(bot.stop)
        world = World(server, bot, tmp_path)

        async def drop(name: str) -> None:
            (tmp_path / name).write_bytes(name.encode() * 100)
            await alice.drop(tmp_path / name, world.bot_jid)

        async def stored_after(name: str) -> None:
            await drop(name)
            await alice.next_message(lambda each: world.from_bot(each) and f'"{name}"' in each.body)

        await bot.start()
        await stored_after("removed.bin")
        await stored_after("kept.bin")
        assert "removed.bin" in (await world.ask(alice, "rm removed.bin")).body
        await asyncio.sleep(1.0)  # what was not acknowledged, the server would deliver again (XEP-0198)
        for end in (bot.kill, bot.stop):
            alice.messages.clear()
            alice._read = 0
            await end()
            await bot.start()
            await asyncio.sleep(2.0)
            assert [each.body for each in alice.messages if each.body] == []
            assert stored(world.data) == Counter(["kept.bin"])
        await bot.stop()
        await drop("late.bin")
        await alice.until_taken()
        await bot.start()
        await alice.next_message(lambda each: "late.bin" in each.body)
        assert stored(world.data) == Counter(["kept.bin", "late.bin"])


async def test_in_a_room_nothing_is_done_again_either(tmp_path: Path) -> None:
    server = StrangeProsody(tmp_path / "server", users=HIDDEN_ROOM_USERS, of_rooms=MODULE)
    async with hidden_room_in(tmp_path, server=server) as den:

        async def until_stored(*names: str) -> None:
            await until(lambda: stored(den.folder / "data") == Counter(names), 20)

        await den.let_the_bot_in()
        den.alice.say("!room set archive on", ROOM, mtype="groupchat")
        await den.heard(den.alice, "groupchat")
        await asyncio.sleep(1.0)  # it begins after the newest message, which is looked up now
        await den.post(den.bob, "removed.txt")
        await den.post(den.alice, "kept.txt")
        await until_stored("removed.txt", "kept.txt")
        assert "removed.txt" in await den.ask(den.bob, "rm removed.txt")
        await den.bot.kill()
        await den.bot.start()
        await den.post(den.alice, "last.txt")
        await until_stored("kept.txt", "last.txt")
        await asyncio.sleep(2.0)
        assert stored(den.folder / "data") == Counter(["kept.txt", "last.txt"])
