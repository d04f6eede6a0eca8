"""Starting, stopping, crashing: the bot as its operator runs it."""

import asyncio
import os
import re
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from filebot.localserver.botprocess import BotEnded, BotProcess, write_config
from filebot.localserver.certificate import self_signed
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from tests.e2e.conftest import ROOM, USERS, World, bot_config, sha256
from tests.servers import private_server
from tests.support.command_line import filebot
from tests.support.waiting import until


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with private_server(tmp_path / "prosody", users=USERS) as running:
        yield running


@pytest.fixture
def config(server: Server, tmp_path: Path) -> Path:
    return write_config(tmp_path / "config.toml", bot_config(server))


@dataclass(frozen=True)
class SlowServer:
    """Sends half of a file, and the rest when it is told to."""

    url: str
    under_way: asyncio.Event
    go_on: asyncio.Event


@pytest.fixture
async def slow_server() -> AsyncIterator[SlowServer]:
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"x" * 500_000)
        under_way.set()
        await go_on.wait()
        with suppress(ConnectionError):
            await response.write(b"y" * 500_000)
        return response

    app = web.Application()
    app.router.add_get("/half.bin", half)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield SlowServer(f"http://127.0.0.1:{runner.addresses[0][1]}/half.bin", under_way, go_on)
    go_on.set()
    await runner.cleanup()


@pytest.mark.smoke
async def test_one_line_says_ready_and_the_full_jid(server: Server, config: Path) -> None:
    async with BotProcess(config) as bot:
        ready = [line for line in bot.log if re.search(r"\bready\b", line)]
        assert len(ready) == 1
        assert re.search(rf"{server.jid('filebot')}/\S+", ready[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stopped_bot_says_good_bye_to_its_rooms_and_exits_with_0(
    server: Server, config: Path, number: signal.Signals
) -> None:
    bot = BotProcess(config)
    async with bot, await Peer.of(server, "alice") as alice:
        await alice.join(ROOM, "alice")
        gone = asyncio.Event()
        alice.client.add_event_handler(f"muc::{ROOM}::got_offline", lambda _: gone.set())
        os.kill(bot.pid, number)
        await asyncio.wait_for(gone.wait(), 10)
        assert await bot.stop() == 0


async def test_sighup_ends_nothing(server: Server, config: Path, tmp_path: Path) -> None:
    async with BotProcess(config) as bot, await Peer.of(server, "alice") as alice:
        os.kill(bot.pid, signal.SIGHUP)
        await until(lambda: any(line.endswith(" reloaded") for line in bot.log), 30)
        assert "files" in (await World(server, bot, tmp_path).ask(alice, "ls")).body
        assert await bot.stop() == 0


async def test_wrong_credentials_end_it_with_2_and_one_line_that_says_so(
    server: Server, tmp_path: Path
) -> None:
    config = write_config(tmp_path / "config.toml", bot_config(server, xmpp={"password": "wrong"}))
    with pytest.raises(BotEnded):
        await BotProcess(config).start()
    code, said = await filebot("run", "--config", str(config))
    assert code == 2
    assert "wrong" not in said
    assert "The server refuses the account or its password (not-authorized)" in said
    assert "Traceback" not in said


async def test_a_wrong_config_ends_it_with_2_and_every_mistake(server: Server, tmp_path: Path) -> None:
    broken = bot_config(server, xmpp={"prot": 1}, plugins={"disabled": ["fils"]})
    config = write_config(tmp_path / "config.toml", broken)
    for command in ("run", "check"):
        code, said = await filebot(command, "--config", str(config))
        assert code == 2
        assert 'did you mean "port"' in said
        assert server.password("filebot") not in said


@pytest.mark.smoke
async def test_check_tries_everything_that_the_bot_needs(config: Path) -> None:
    code, said = await filebot("check", "--config", str(config))
    assert code == 0, said
    for name in ("storage", "libmagic", "login", "rooms", "upload service"):
        assert f"✓ {name}" in said


async def test_check_says_what_does_not_work(server: Server, tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.toml", bot_config(server, xmpp={"password": "wrong"}))
    code, said = await filebot("check", "--config", str(config))
    assert code == 2  # it would keep the bot from starting for good
    assert "✗ login" in said
    assert (await filebot("check", "--offline", "--config", str(config)))[0] == 0


@pytest.mark.parametrize(
    ("xmpp", "words"),
    [
        ({"host": "nowhere.invalid"}, "the host nowhere.invalid cannot be found; look at xmpp.host"),
        ({"port": 1}, "Connect call failed ('127.0.0.1', 1)"),
        pytest.param(
            {"ca_file": "strange"},
            "the server's certificate is not valid for localhost",
            marks=pytest.mark.needs("an account"),
        ),
    ],
)
async def test_check_tells_in_one_line_why_a_server_is_not_reached(
    server: Server, tmp_path: Path, xmpp: dict[str, object], words: str
) -> None:
    if "ca_file" in xmpp:
        (tmp_path / "other").mkdir()
        xmpp = {"ca_file": (await self_signed(tmp_path / "other", ["localhost"], []))[0]}
    config = write_config(tmp_path / "config.toml", bot_config(server, xmpp=xmpp))
    code, said = await filebot("check", "--config", str(config))
    assert code == 1
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if not line.startswith(("✓", "config is fine"))]
    assert line.startswith("✗ login: ")
    assert words in line


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("text", "is no database"),
        ("newer", "is of a newer filebot (version 9999)"),
        ("cut", "is cut off"),
        ("other", "is the database of another program"),
        ("versionless", "does not tell its version"),
    ],
)
async def test_a_catalog_that_cannot_be_used_ends_it_with_2_and_one_line(
    server: Server, config: Path, tmp_path: Path, damage: str, words: str
) -> None:
    async with BotProcess(config):
        pass
    catalog = tmp_path / "data/catalog.sqlite"
    if damage == "text":
        catalog.write_text("this is no database" * 100)
    elif damage == "cut":
        os.truncate(catalog, catalog.stat().st_size - 10_000)
    else:
        statement = {
            "newer": "UPDATE alembic_version SET version_num = '9999'",
            "other": "DROP TABLE alembic_version",
            "versionless": "DELETE FROM alembic_version",
        }[damage]
        with closing(sqlite3.connect(catalog, isolation_level=None)) as connection:
            connection.execute(statement)
    before = {each: each.read_bytes() for each in (tmp_path / "data").iterdir() if each.is_file()}
    for command in (("run",), ("check",), ("check", "--offline")):
        code, said = await filebot(*command, "--config", str(config))
        (line,) = said.splitlines()
        assert code == 2
        assert f"data_dir: {catalog} {words}" in line
        assert "backup" in line
    assert before == {each: each.read_bytes() for each in (tmp_path / "data").iterdir() if each.is_file()}


@pytest.mark.smoke
async def test_a_kill_in_the_middle_of_a_download_loses_nothing_that_was_acknowledged(
    server: Server, config: Path, tmp_path: Path, slow_server: SlowServer
) -> None:
    kept = tmp_path / "kept.bin"
    kept.write_bytes(os.urandom(200_000))
    bot = BotProcess(config)
    async with bot, await Peer.of(server, "alice") as alice:
        world = World(server, bot, tmp_path)
        await alice.drop(kept, world.bot_jid)
        await alice.next_message(world.from_bot)
        alice.say(f"fetch {slow_server.url}", world.bot_jid)
        await asyncio.wait_for(slow_server.under_way.wait(), 10)
        await until(world.partials, 10)
        await bot.kill()
        await bot.start()
        assert world.temporary_files() == []
        assert len(world.partials()) == 1  # to be gone on with, and seen by nobody
        assert [path.name for path in world.blobs()] == [sha256(kept.read_bytes())]
        assert "half" not in (await world.ask(alice, "ls")).body
        alice.say("get kept.bin", world.bot_jid)
        heard = await alice.next_message(lambda each: each.url is not None)
        assert sha256(await alice.download(heard.body)) == sha256(kept.read_bytes())


async def test_a_stop_waits_for_what_is_being_written(
    server: Server, config: Path, tmp_path: Path, slow_server: SlowServer
) -> None:
    bot = BotProcess(config)
    async with bot, await Peer.of(server, "alice") as alice:
        world = World(server, bot, tmp_path)
        alice.say(f"fetch {slow_server.url}", world.bot_jid)
        await asyncio.wait_for(slow_server.under_way.wait(), 10)
        stopping = asyncio.create_task(bot.stop())
        await asyncio.sleep(0.5)
        slow_server.go_on.set()
        assert "Stored" in (await alice.next_message(world.from_bot)).body
        assert await stopping == 0
        assert len(world.blobs()) == 1


async def test_after_the_servers_restart_it_serves_again(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with BotProcess(config) as bot:
        world = World(server, bot, tmp_path)
        await server.kill()
        await server.restart()
        async with await Peer.of(server, "alice") as alice:
            assert "files" in (await asked_until_answered(world, alice, "ls"))
            await alice.join(ROOM, "alice")


async def asked_until_answered(world: World, peer: Peer, text: str) -> str:
    for _ in range(10):
        peer.say(text, world.bot_jid)
        try:
            return (await peer.next_message(world.from_bot, timeout_s=3)).body
        except TimeoutError:
            continue
    raise TimeoutError("no answer after the restart")


async def test_a_room_named_by_an_admin_is_entered_again_after_a_crash_until_it_is_left(
    server: Server, tmp_path: Path
) -> None:
    den = f"den@{server.conference}"
    config = write_config(tmp_path / "config.toml", bot_config(server, rooms={"invitations": False}))
    async with await Peer.of(server, "alice") as alice, await Peer.of(server, "bob") as bob:
        await bob.join(den, "Bob")

        async def told(peer: Peer, text: str, words: str) -> None:
            # The server delivers again what a killed bot had not acknowledged, so an answer may come twice.
            peer.say(text, server.jid("filebot"))
            own = server.jid("filebot")
            await peer.next_message(lambda heard: heard.sender.startswith(own) and words in heard.body)

        async def answers_in_den() -> bool:
            bob.say("!ls", den, mtype="groupchat")
            with suppress(TimeoutError):
                await bob.next_message(lambda heard: heard.sender == f"{den}/filebot", timeout_s=3.0)
                return True
            return False

        async with BotProcess(config) as bot:
            await told(bob, f"join {den}", "Only my operator")
            assert not await answers_in_den()
            await told(alice, f"join {den}", "stay there")
            assert await answers_in_den()
            await bot.kill()
            await bot.start()
            assert await answers_in_den()
            await told(alice, f"leave {den}", "I left")
            assert not await answers_in_den()
            await bot.kill()
            await bot.start()
            assert not await answers_in_den()
            await told(alice, f"leave {ROOM}", "configuration")
