"""Dino and Gajim as people use them, without a person: with the bot by upload, and with each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.localserver.server import Server
from tests.interop.conftest import Reports
from tests.interop.desktop import Sending
from tests.interop.desktop_world import DesktopWorld, bot_in_a_network, server_in_a_network
from tests.interop.dino import Dino
from tests.interop.gajim import Gajim
from tests.interop.matrix import Cell, Direction, Outcome
from tests.interop.network import Network
from tests.interop.peers import random_file, sha256_of
from tests.interop.trace import MoveBy, sessions

NEEDS_CONTACT = pytest.mark.needs("a contact with an account")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]

SIZES = pytest.mark.parametrize("size", [1, pytest.param(1_000_000, marks=pytest.mark.smoke)])


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DesktopWorld]:
    async with bot_in_a_network(tmp_path_factory.mktemp("desktop"), MoveBy.UPLOAD) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def dino(world: DesktopWorld) -> AsyncIterator[Dino]:
    async with Dino(world.network, world.server, "alice", world.folder / "alice") as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gajim(world: DesktopWorld) -> AsyncIterator[Gajim]:
    async with Gajim(world.network, world.server, "bob", world.folder / "bob") as client:
        yield client


@NEEDS_CONTACT
@SIZES
async def test_dino_uploads_a_file_and_gets_it_back(
    world: DesktopWorld, dino: Dino, tmp_path: Path, report: Reports, size: int
) -> None:
    path = random_file(tmp_path / f"Ein Blättchen für Dino {size}.bin", size)
    assert await dino.send(world.bot_jid, path) == Sending(offered=True, way=MoveBy.UPLOAD, state="success")
    name = world.uploaded(path)
    await dino.said(world.bot_jid, f'Stored "{name}"')
    assert world.keeps(path)
    report(Cell("dino", Direction.SENDS, MoveBy.UPLOAD, size), Outcome.SAME)
    await dino.chat(world.bot_jid, f"get {name}", "https://")
    arrived = await dino.received(world.bot_jid)
    assert (arrived.name, arrived.method) == (name, "http")
    assert sha256_of(arrived.path) == sha256_of(path)
    report(Cell("dino", Direction.LINK, MoveBy.UPLOAD, size), Outcome.SAME)


@SIZES
async def test_gajim_uploads_a_file_and_gets_it_back(
    world: DesktopWorld, gajim: Gajim, tmp_path: Path, report: Reports, size: int
) -> None:
    path = random_file(tmp_path / f"Ein Blättchen für Gajim {size}.bin", size)
    assert await gajim.send(world.bot_jid, path) == Sending(
        offered=True, way=MoveBy.UPLOAD, state="success"
    )
    name = world.uploaded(path)
    await gajim.said(world.bot_jid, f'Stored "{name}"')
    assert world.keeps(path)
    report(Cell("gajim", Direction.SENDS, MoveBy.UPLOAD, size), Outcome.SAME)
    url = await gajim.chat(world.bot_jid, f"get {name}", "https://")
    arrived = await gajim.received(url)
    assert (arrived.name, arrived.method) == (name, "http")
    assert sha256_of(arrived.path) == sha256_of(path)
    report(Cell("gajim", Direction.LINK, MoveBy.UPLOAD, size), Outcome.SAME)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plain_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Network, Server]]:
    """Start a server without an upload service."""
    async with server_in_a_network(tmp_path_factory.mktemp("plain"), None) as place:
        yield place


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(
    plain_server: tuple[Network, Server], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Gajim, Dino]]:
    folder = tmp_path_factory.mktemp("pair")
    async with AsyncExitStack() as stack:
        bob = await stack.enter_async_context(Dino(*plain_server, "bob", folder / "bob"))
        alice = await stack.enter_async_context(Gajim(*plain_server, "alice", folder / "alice"))
        await alice.until_offered(bob.jid, "jingle")
        yield alice, bob


@pytest.mark.parametrize("size", [1, 1_000_000, 10_000_000])
async def test_gajim_sends_dino_a_file_without_any_bot(
    pair: tuple[Gajim, Dino], tmp_path: Path, size: int
) -> None:
    alice, bob = pair
    path = random_file(tmp_path / f"Ein Blättchen {size}.bin", size)
    async with asyncio.TaskGroup() as both:
        sending = both.create_task(alice.send(bob.jid, path, directly=True))
        receiving = both.create_task(bob.received(alice.jid))
    assert sending.result() == Sending(offered=True, way=MoveBy.DIRECT, state="success")
    arrived = receiving.result()
    assert (arrived.name, arrived.method) == (path.name, "jingle")
    assert sha256_of(arrived.path) == sha256_of(path)


async def test_gajim_never_answers_what_dino_offers(
    pair: tuple[Gajim, Dino], plain_server: tuple[Network, Server], tmp_path: Path
) -> None:
    alice, bob = pair
    _, server = plain_server
    before = server.log_file.stat().st_size
    with pytest.raises(TimeoutError, match=r"dino: no end of .*dino\.png, and its log ends with"):
        await bob.send(alice.jid, random_file(tmp_path / "x.bin", 1000), limit_s=10)
    [session] = sessions(server, before)
    assert (session.actions, session.way) == (["session-initiate"], None)


async def test_a_killed_client_comes_back_and_nothing_is_left_of_a_network(tmp_path: Path) -> None:
    # Other tests' servers listen on 5222 meanwhile, so this shows that the network is separate.
    async with server_in_a_network(tmp_path, None) as (network, server):
        running = network.running()
        async with Dino(network, server, "alice", tmp_path / "dino") as client:
            await client.kill()
            await client.start()
        assert network.running() == running
        forgotten = await asyncio.create_subprocess_exec(*network.launcher, "sleep", "60")
    assert await forgotten.wait() == -9
