"""Converse.js as people see it: what the bot sends is shown once, as a link or a picture."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.localserver.botprocess import BotProcess, write_config
from tests.e2e.conftest import USERS, World, bot_config
from tests.interop.converse import Converse
from tests.interop.peers import random_file
from tests.servers import private_server

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("converse")
    server = private_server(folder / "server", users=USERS, acquainted=True, websockets=True)
    async with server, BotProcess(write_config(folder / "config.toml", bot_config(server))) as bot:
        yield World(server, bot, folder)


@pytest.mark.parametrize("kind", ["png", "bin"])
async def test_a_file_is_shown_once(
    world: World, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    path = tmp_path / f"summit.{kind}"
    if kind == "png":
        path.write_bytes(PIXEL)
    else:
        random_file(path, 1000)
    async with (
        Converse(None, world.server, "alice", tmp_path / "client") as alice,
        await world.login("bob") as bob,
    ):
        await bob.drop(path, world.bot_jid)
        await bob.next_message(world.from_bot)
        bob.say(f"send {path.name} to {alice.jid}", world.bot_jid)
        await bob.next_message(world.from_bot)
        shown = await alice.messages_of(world.bot_jid, path.name)
        await alice.picture(request.config.cache.mkdir("converse") / f"{kind}.png")
    # Earlier messages of the chat are there as well.
    [file] = [each for each in shown if path.name in "".join(each.links)]
    assert len(file.links) == 1
    assert file.text == ("" if file.pictures else file.links[0])
    assert len(file.pictures) == (kind == "png")
