"""The bot and its data folder: whose catalog cannot be believed, and that somebody else has."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotEnded, BotProcess, write_config
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from tests.e2e.conftest import USERS, World, bot_config, sha256
from tests.servers import private_server
from tests.support.command_line import filebot
from tests.support.waiting import until
from tests.unit.catalog.sqlite.test_integrity import empty_index


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with private_server(tmp_path / "prosody", users=USERS) as running:
        yield running


@pytest.fixture
def config(server: Server, tmp_path: Path) -> Path:
    return write_config(tmp_path / "config.toml", bot_config(server))


@asynccontextmanager
async def scene(
    server: Server, config: Path, folder: Path
) -> AsyncIterator[tuple[BotProcess, World, Peer]]:
    """A bot that runs, all that is around it, and somebody who uses it."""
    async with BotProcess(config) as bot, await Peer.of(server, "alice") as alice:
        yield bot, World(server, bot, folder), alice


async def drop(world: World, peer: Peer, name: str) -> Path:
    path = world.folder / name
    path.write_bytes(os.urandom(20_000))
    await peer.drop(path, world.bot_jid)
    assert "Stored" in (await peer.next_message(world.from_bot)).body
    return path


async def gets(world: World, peer: Peer, path: Path) -> bool:
    peer.say(f"get {path.name}", world.bot_jid)
    heard = await peer.next_message(lambda each: each.url is not None)
    return sha256(await peer.download(heard.body)) == sha256(path.read_bytes())


async def test_without_its_catalog_it_does_not_start_and_starts_when_that_is_back(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with scene(server, config, tmp_path) as (bot, world, alice):
        paths = [await drop(world, alice, f"{number}.bin") for number in range(2)]
        assert await bot.stop() == 0
        shutil.copy(world.data / "catalog.sqlite", tmp_path / "backup")
        for broken in (None, b""):
            (world.data / "catalog.sqlite").unlink(missing_ok=True)
            if broken is not None:
                (world.data / "catalog.sqlite").write_bytes(broken)
            code, said = await filebot("run", "--config", str(config))
            assert code == 2
            assert len([line for line in said.splitlines() if "filebot fsck" in line]) == 1
            assert "Traceback" not in said
            assert "connecting" not in said
            assert len(world.blobs()) == 2
        shutil.copy(tmp_path / "backup", world.data / "catalog.sqlite")
        await bot.start()
        assert [await gets(world, alice, path) for path in paths] == [True, True]


async def test_what_a_kill_left_is_set_aside_and_comes_back_with_its_entry(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with scene(server, config, tmp_path) as (bot, world, alice):
        kept, lost = await drop(world, alice, "kept.bin"), await drop(world, alice, "lost.bin")
        await bot.kill()
        with closing(sqlite3.connect(world.data / "catalog.sqlite", isolation_level=None)) as connection:
            connection.execute("CREATE TABLE aside AS SELECT * FROM entries WHERE name = 'lost.bin'")
            connection.execute("DELETE FROM entries WHERE name = 'lost.bin'")
        await bot.start()
        await until(lambda: len(world.blobs()) <= 1, 10)
        assert [each.name for each in (world.data / "unreferenced").iterdir() if len(each.name) == 64] == [
            sha256(lost.read_bytes())
        ]
        assert await gets(world, alice, kept)
        assert await bot.stop() == 0
        with closing(sqlite3.connect(world.data / "catalog.sqlite", isolation_level=None)) as connection:
            connection.execute("INSERT INTO entries SELECT * FROM aside")
            connection.execute("DROP TABLE aside")
        await bot.start()
        assert await gets(world, alice, lost)


async def test_what_people_remove_is_gone_at_once(server: Server, config: Path, tmp_path: Path) -> None:
    async with scene(server, config, tmp_path) as (_, world, alice):
        await drop(world, alice, "a.bin")
        await world.ask(alice, "rm a.bin")
        assert world.blobs() == []
        assert not (world.data / "unreferenced").exists()


async def test_a_second_bot_on_the_folder_ends_with_2_and_leaves_the_first_alone(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with scene(server, config, tmp_path) as (bot, world, alice):
        with pytest.raises(BotEnded):
            await BotProcess(config).start()
        code, said = await filebot("run", "--config", str(config))
        assert code == 2
        assert f"in use by process {bot.pid} on " in said
        assert ", since 20" in said
        assert len([line for line in said.splitlines() if line]) == 1
        assert await gets(world, alice, await drop(world, alice, "a.bin"))
        assert "not connected" not in "\n".join(bot.log)
        # A killed one holds nobody up.
        await bot.kill()
        await bot.start()
        assert "a.bin" in (await world.ask(alice, "ls")).body


async def test_fsck_beside_a_running_bot_only_looks_and_reports_nothing_in_flight(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with scene(server, config, tmp_path) as (bot, world, alice):
        going = True

        async def drop_and_remove() -> int:
            number = 0
            while going:
                path = await drop(world, alice, f"{number}.bin")
                if number % 2:
                    await world.ask(alice, f"rm {path.name}")
                number += 1
            return number

        busy = asyncio.create_task(drop_and_remove())
        for _ in range(4):
            code, said = await filebot("fsck", "--config", str(config))
            assert (code, said) == (0, "all is well\n")
        code, said = await filebot("fsck", "--repair", "--config", str(config))
        assert code == 2
        assert f"in use by process {bot.pid} on " in said
        assert "stop it to repair" in said
        going = False
        assert await busy > 3
        assert not [line for line in bot.log if "WARNING" in line or "ERROR" in line], [*bot.log]


async def test_fsck_repair_lets_a_bot_start_that_lost_its_catalog(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with scene(server, config, tmp_path) as (bot, world, alice):
        path = await drop(world, alice, "a.bin")
        assert await bot.stop() == 0
        (world.data / "catalog.sqlite").rename(tmp_path / "backup")
        code, said = await filebot("fsck", "--config", str(config))
        assert code == 1
        assert "filebot fsck --repair" in said
        assert (await filebot("run", "--config", str(config)))[0] == 2
        code, said = await filebot("fsck", "--repair", "--config", str(config))
        assert code == 0, said
        await bot.start()
        assert world.blobs() == []
        assert await bot.stop() == 0
        for file in world.data.glob("catalog.sqlite*"):
            file.unlink()
        (tmp_path / "backup").rename(world.data / "catalog.sqlite")
        await bot.start()
        assert await gets(world, alice, path)


async def test_an_entry_whose_bytes_fsck_quarantined_is_survived(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with scene(server, config, tmp_path) as (bot, world, alice):
        damaged, whole = await drop(world, alice, "damaged.bin"), await drop(world, alice, "whole.bin")
        assert await bot.stop() == 0
        place = next(each for each in world.blobs() if each.name == sha256(damaged.read_bytes()))
        place.write_bytes(b"garbage")
        code, said = await filebot("fsck", "--repair", "--config", str(config))
        assert code == 1
        assert "damaged.bin of alice@localhost" in said
        assert (world.data / "quarantine" / place.name).read_bytes() == b"garbage"
        await bot.start()
        alice.say("get damaged.bin", world.bot_jid)
        assert (await alice.next_message(world.from_bot)).url is None
        assert await gets(world, alice, whole)
        assert "damaged.bin" in (await world.ask(alice, "ls")).body


async def test_a_damaged_index_costs_nothing_and_fsck_repair_mends_it(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with scene(server, config, tmp_path) as (bot, world, alice):
        path = await drop(world, alice, "a.bin")
        assert await bot.stop() == 0
        empty_index(world.data / "catalog.sqlite", "ix_entries_digest")
        await bot.start()
        await until(lambda: [line for line in bot.log if "the catalog is damaged" in line], 10)
        assert len(world.blobs()) == 1
        assert await bot.stop() == 0
        code, said = await filebot("fsck", "--config", str(config))
        assert (code, "missing from index ix_entries_digest" in said) == (1, True)
        code, said = await filebot("fsck", "--repair", "--config", str(config))
        assert code == 0, said
        bot.log.clear()
        await bot.start()
        assert await gets(world, alice, path)
        assert not [line for line in bot.log if "damaged" in line]
