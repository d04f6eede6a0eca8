"""A machine whose clock is wrong: nothing is lost by that, on a real server."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import UPLOAD_LIMIT, USERS, World, bot_config
from tests.servers import private_server
from tests.support.fake_clock import FakeClock, library
from tests.support.waiting import until

LIMIT_S = 40.0
DAYS = 91
WRONG = "this machine's clock says"
ROOM_NAME = "clock"


class Scene:
    """The server, and a bot on a machine whose clock can be wrong."""

    def __init__(self, world: World, clock: FakeClock, alice: Peer) -> None:
        self.world = world
        self.clock = clock
        self.alice = alice

    @property
    def bot(self) -> BotProcess:
        return self.world.bot

    async def restart(self, offset: str) -> None:
        await self.bot.stop()
        self.bot.log.clear()
        self.clock.set(offset)
        await self.bot.start()

    async def until_logged(self, words: str) -> str:
        def found() -> str | None:
            return next((line for line in self.bot.log if words in line), None)

        return await until(found, LIMIT_S)

    def rows(self, table: str) -> list[dict[str, object]]:
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog:
            catalog.row_factory = sqlite3.Row
            return [dict(row) for row in catalog.execute(f"SELECT * FROM {table}")]

    def make_old(self, table: str) -> None:
        """Let the rows be older than anything is kept."""
        at = datetime.now(UTC) - timedelta(days=DAYS)
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog, catalog:
            catalog.execute(f"UPDATE {table} SET created_at = ?", [f"{at:%Y-%m-%d %H:%M:%S.%f}"])


@asynccontextmanager
async def scene_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    # The certificate holds on both sides of the present: here it is not about that.
    tools = folder / "tools"
    tools.mkdir()
    (tools / "openssl").write_text(
        f'#!/bin/sh\nexec env LD_PRELOAD={library()} FAKETIME=-200d /usr/bin/openssl "$@" -days 400\n'
    )
    (tools / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    clock = FakeClock(folder / "faketime")
    async with AsyncExitStack() as stack:
        server = private_server(folder / "server", users=USERS, upload_limit_bytes=UPLOAD_LIMIT)
        await stack.enter_async_context(server)
        config = write_config(folder / "config.toml", bot_config(server))
        bot = await stack.enter_async_context(BotProcess(config, clock.launcher))
        world = World(server, bot, folder)
        alice = await stack.enter_async_context(await world.login("alice"))
        yield Scene(world, clock, alice)


async def test_a_clock_91_days_ahead_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene_in(tmp_path, monkeypatch) as scene:
        world, alice = scene.world, scene.alice
        here = await world.room(alice, alice, ROOM_NAME, whois="anyone")
        path = tmp_path / "plan.txt"
        path.write_bytes(b"the plan")
        assert "Stored" in await here.keep(alice, path)
        assert "deleted after 90 days" in (await here.ask(alice, "!room set retention 90 days")).body
        await world.ask(alice, "send plan.txt to bob@localhost by socks5")
        partial = world.data / "partial" / "abc"
        partial.write_bytes(b"half of it")

        await scene.restart(f"+{DAYS}d")
        warning = await scene.until_logged(WRONG)
        assert f"{datetime.now(UTC) + timedelta(days=DAYS):%Y-%m-%d}" in warning
        assert f"{datetime.now(UTC):%Y-%m-%d}" in warning
        # All three kinds have been looked at: each look asks for the time first.
        await asyncio.sleep(2)
        assert world.keeps(path)
        assert partial.exists()
        assert "plan.txt" in (await here.ask_privately(alice, "ls")).body
        assert sum(WRONG in line for line in scene.bot.log) == 1

        # With a clock that is right, what is as old as that goes.
        await scene.bot.stop()
        scene.make_old("entries")
        await scene.restart("+0")
        await scene.until_logged("had been there long enough")
        assert not world.keeps(path)


async def test_a_clock_91_days_behind_dates_files_by_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene_in(tmp_path, monkeypatch) as scene:
        await scene.restart(f"-{DAYS}d")
        await scene.until_logged(WRONG)
        path = tmp_path / "new.txt"
        path.write_bytes(b"just now")
        await scene.alice.drop(path, scene.world.bot_jid)
        await scene.alice.next_message(lambda each: "Stored" in each.body)
        [row] = scene.rows("entries")
        age = datetime.now(UTC) - datetime.fromisoformat(str(row["created_at"])).replace(tzinfo=UTC)
        assert abs(age) < timedelta(minutes=1)


@pytest.mark.needs("an account")
async def test_a_command_is_late_by_the_clock_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene_in(tmp_path, monkeypatch) as scene:
        await scene.world.ask(scene.alice, "ls")
        await scene.bot.stop()
        scene.alice.say("quota", scene.world.bot_jid)
        await scene.restart(f"+{DAYS}d")
        answer = await scene.alice.next_message(scene.world.from_bot)
        assert answer.body.startswith("You have 0 files"), answer.body
