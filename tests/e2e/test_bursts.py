"""Many files at once, and files on a server without an upload service, on a real server."""

import asyncio
import os
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer, Received
from tests.e2e.conftest import USERS, World, bot_config
from tests.e2e.test_progress import replaced
from tests.servers import private_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 15


async def drop_all(peer: Peer, world: World, folder: Path) -> list[str]:
    paths = [folder / f"photo{number}.jpg" for number in range(COUNT)]
    for path in paths:
        path.write_bytes(os.urandom(20_000))
    await asyncio.gather(*(peer.drop(path, world.bot_jid) for path in paths))
    return [path.name for path in paths]


def names_all(heard: Received, names: list[str]) -> bool:
    return all(name in heard.body for name in names)


async def test_fifteen_photos_have_one_answer_that_is_corrected(world: World, tmp_path: Path) -> None:
    async with await world.login("alice") as alice:
        alice.client.register_plugin("xep_0308")
        await alice.client.plugin["xep_0115"].update_caps()
        alice.client.send_presence(pto=world.bot_jid)
        names = await drop_all(alice, world, tmp_path)
        first = await alice.next_message(world.from_bot)
        last = await alice.next_message(lambda heard: names_all(heard, names))
        assert replaced(last) == first.element.get("id")
        said = [each for each in alice.messages if world.from_bot(each)]
        assert [each for each in said if replaced(each) is None] == [first]


async def test_who_sees_no_corrections_has_two_answers(world: World, tmp_path: Path) -> None:
    async with await world.login("bob") as bob:
        names = await drop_all(bob, world, tmp_path)
        first = await bob.next_message(world.from_bot)
        others = [name for name in names if name not in first.body]
        assert len(others) == COUNT - 1
        await bob.next_message(lambda heard: names_all(heard, others))
        assert len([each for each in bob.messages if world.from_bot(each)]) == 2


async def test_without_an_upload_service_what_is_true_is_said_once(tmp_path: Path) -> None:
    async with private_server(tmp_path / "server", users=USERS, upload_limit_bytes=None) as server:
        path = tmp_path / "a.txt"
        path.write_bytes(b"a")
        web = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}/a.txt"
        config = write_config(tmp_path / "config.toml", bot_config(server))
        async with web, BotProcess(config) as bot, await Peer.of(server, "alice") as alice:
            world = World(server, bot, tmp_path)
            assert "Stored" in (await world.ask(alice, f"fetch {url}")).body
            said = (await world.ask(alice, "get a.txt")).body
            assert said.startswith('"a.txt" cannot be sent now:')
            assert "no upload service" in said
            assert "minutes" not in said
            assert "a.txt" in (await world.ask(alice, "transfers")).body


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer any request with one byte."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na")
    await writer.drain()
    writer.close()
