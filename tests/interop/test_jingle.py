"""Dino and Gajim exchange files with the bot by Jingle, on a server without an upload service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.conftest import Reports
from tests.interop.desktop import Sending
from tests.interop.desktop_world import DesktopWorld, bot_in_a_network
from tests.interop.dino import Dino
from tests.interop.gajim import Gajim
from tests.interop.matrix import Cell, Direction, Outcome
from tests.interop.peers import random_file, sha256_of
from tests.interop.trace import Session, Way, sessions

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SIZES = (1, 1_000_000)
SILENCE_S = 90.0

ANYWHERE = pytest.mark.parametrize("world", [Way.DIRECT, Way.PROXY, Way.IBB], indirect=True, scope="module")
BY_SOCKS5 = pytest.mark.parametrize("world", [Way.DIRECT, Way.PROXY], indirect=True, scope="module")
IN_BAND = pytest.mark.parametrize("world", [Way.IBB], indirect=True, scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[DesktopWorld]:
    folder = tmp_path_factory.mktemp(request.param.name)
    async with bot_in_a_network(folder, request.param) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def dino(world: DesktopWorld) -> AsyncIterator[Dino]:
    async with Dino(world.network, world.server, "alice", world.folder / "alice") as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gajim(world: DesktopWorld) -> AsyncIterator[Gajim]:
    async with Gajim(world.network, world.server, "bob", world.folder / "bob") as client:
        await client.until_offered(world.bot_jid, "jingle")
        yield client


async def drop(client: Dino | Gajim, world: DesktopWorld, path: Path) -> None:
    """The file goes to the bot by the only way that there is, and is kept."""
    if isinstance(client, Gajim):
        sent = await client.send(world.bot_jid, path, directly=True)
    else:
        sent = await client.send(world.bot_jid, path)
    assert sent == Sending(offered=True, way=world.way, state="success")
    await client.said(world.bot_jid, f'Stored "{path.name}"')
    assert world.keeps(path)


def last_offer(world: DesktopWorld, since: int) -> Session:
    """The session that the bot began after this many bytes of the server's log."""
    bots = [
        each for each in sessions(world.server.log_file, since) if each.initiator.startswith(world.bot_jid)
    ]
    return bots[-1]


@ANYWHERE
@pytest.mark.parametrize("size", SIZES)
async def test_the_bot_keeps_what_dino_sends(
    world: DesktopWorld, dino: Dino, tmp_path: Path, report: Reports, size: int
) -> None:
    await drop(dino, world, random_file(tmp_path / f"Ein Blättchen {size}.bin", size))
    report(Cell("dino", Direction.SENDS, world.way, size), Outcome.SAME)


@BY_SOCKS5
@pytest.mark.parametrize("size", SIZES)
async def test_dino_takes_what_the_bot_sends(
    world: DesktopWorld, dino: Dino, tmp_path: Path, report: Reports, size: int
) -> None:
    path = random_file(tmp_path / f"Ein anderes Blättchen {size}.bin", size)
    await drop(dino, world, path)
    since = dino.log_size()
    await dino.chat(world.bot_jid, f"get {path.name}", "I could not give you a link")
    arrived = await dino.received(world.bot_jid)
    assert (arrived.name, arrived.method) == (path.name, "jingle")
    assert sha256_of(arrived.path) == sha256_of(path)
    session = last_offer(world, since)
    assert (session.way, session.reason) == (world.way, "success")
    report(Cell("dino", Direction.UNASKED, world.way, size), Outcome.SAME)


@BY_SOCKS5
async def test_dino_takes_a_large_file_after_a_click(
    world: DesktopWorld, dino: Dino, tmp_path: Path
) -> None:
    path = random_file(tmp_path / "Ein Blatt.bin", 5_500_000)
    await drop(dino, world, path)
    since = dino.last_message()
    await dino.say(world.bot_jid, f"get {path.name}")
    arrived = await dino.received(world.bot_jid)
    assert sha256_of(arrived.path) == sha256_of(path)
    assert path.name in await dino.said(world.bot_jid, "I could not give you a link", since=since)


@IN_BAND
@pytest.mark.parametrize("size", SIZES)
async def test_without_another_way_dino_gets_nothing_and_is_told(
    world: DesktopWorld, dino: Dino, tmp_path: Path, report: Reports, size: int
) -> None:
    path = random_file(tmp_path / f"Ein verlorenes Blättchen {size}.bin", size)
    await drop(dino, world, path)
    said = await dino.chat(
        world.bot_jid, f"get {path.name}", "The connection broke", "Sent ", "I could not"
    )
    assert said.startswith("The connection broke")
    assert path.name in await dino.chat(world.bot_jid, "ls")
    report(Cell("dino", Direction.UNASKED, world.way, size), Outcome.FAILS)


@IN_BAND
async def test_the_bot_does_not_say_that_dino_has_what_it_cannot_take_in_band(
    world: DesktopWorld, dino: Dino, tmp_path: Path
) -> None:
    path = random_file(tmp_path / "Verloren.bin", 100_000)
    await drop(dino, world, path)
    said = await dino.chat(
        world.bot_jid, f"get {path.name} by ibb", "Nothing moved for ", "Sent ", limit_s=SILENCE_S
    )
    assert said.startswith("Nothing moved for ")
    assert path.name in await dino.chat(world.bot_jid, "ls")


@ANYWHERE
@pytest.mark.parametrize("size", SIZES)
async def test_the_bot_keeps_what_gajim_sends(
    world: DesktopWorld, gajim: Gajim, tmp_path: Path, report: Reports, size: int
) -> None:
    await drop(gajim, world, random_file(tmp_path / f"Noch ein Blättchen {size}.bin", size))
    report(Cell("gajim", Direction.SENDS, world.way, size), Outcome.SAME)


@ANYWHERE
async def test_the_bot_does_not_wait_for_gajim_for_ever(
    world: DesktopWorld, gajim: Gajim, tmp_path: Path, report: Reports
) -> None:
    """Gajim 1.7 never answers an offer."""
    path = random_file(tmp_path / "Unbeantwortet.bin", 1_000_000)
    await drop(gajim, world, path)
    since = gajim.log_size()
    await gajim.chat(world.bot_jid, f"get {path.name}", "Nothing moved for 45 seconds", limit_s=SILENCE_S)
    session = last_offer(world, since)
    assert (session.actions, session.reason) == (["session-initiate", "session-terminate"], "timeout")
    assert path.name in await gajim.chat(world.bot_jid, "ls")
    report(Cell("gajim", Direction.UNASKED, world.way, 1_000_000), Outcome.UNANSWERED)
