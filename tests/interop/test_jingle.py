"""Dino and Gajim exchange files with the bot by Jingle, on a server without an upload service."""

import re
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
from tests.interop.trace import MoveBy, Session, sessions
from tests.support.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
    pytest.mark.needs("stanzas in its log"),
    pytest.mark.needs("a contact with an account"),
]

SIZES = (1, 1_000_000)
SILENCE_S = 180.0
DIRECTLY = "Your server has no upload service, so I am sending "

ANYWHERE = pytest.mark.parametrize(
    "world", [MoveBy.DIRECT, MoveBy.PROXY, MoveBy.IBB], indirect=True, scope="module"
)
BY_SOCKS5 = pytest.mark.parametrize("world", [MoveBy.DIRECT, MoveBy.PROXY], indirect=True, scope="module")
IN_BAND = pytest.mark.parametrize("world", [MoveBy.IBB], indirect=True, scope="module")


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
    """Send a file to the bot by the only possible way, and check that the bot keeps it."""
    if isinstance(client, Gajim):
        sent = await client.send(world.bot_jid, path, directly=True)
    else:
        sent = await client.send(world.bot_jid, path)
    assert sent == Sending(offered=True, way=world.way, state="success")
    await until(lambda: world.keeps(path), 60)


async def drop_it(client: Dino | Gajim, world: DesktopWorld, said: str) -> None:
    """Cancel the delivery that failed, so that it is not tried again."""
    command = re.search(r"To cancel it, type: (cancel \d+)", said)
    assert command is not None, said
    await client.chat(world.bot_jid, command[1])


def offers(world: DesktopWorld, client: Dino | Gajim, since: int) -> list[Session]:
    """Return the sessions that the bot began with a client after byte ``since`` of the server's log."""
    both = (f"{world.bot_jid}/", f"{client.jid}/")
    found = sessions(world.server, since)
    return [
        each for each in found if each.initiator.startswith(both[0]) and each.responder.startswith(both[1])
    ]


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
    await dino.chat(world.bot_jid, f"get {path.name}", DIRECTLY)
    arrived = await dino.received(world.bot_jid)
    assert (arrived.name, arrived.method) == (path.name, "jingle")
    assert sha256_of(arrived.path) == sha256_of(path)

    async def ended() -> Session | None:
        # The server may log a session and its end after Dino has the file.
        found = offers(world, dino, since)
        assert len(found) <= 1
        return found[0] if found and found[0].reason else None

    session = await dino.until(ended, "end of the session", 10.0)
    assert (session.way, session.reason) == (world.way, "success")
    report(Cell("dino", Direction.UNASKED, world.way, size), Outcome.SAME)


@BY_SOCKS5
async def test_dino_takes_a_large_file_after_a_click(
    world: DesktopWorld, dino: Dino, tmp_path: Path
) -> None:
    path = random_file(tmp_path / "Ein Blatt.bin", 5_500_000)
    await drop(dino, world, path)
    await dino.chat(world.bot_jid, f"get {path.name}", DIRECTLY)
    arrived = await dino.received(world.bot_jid)
    assert sha256_of(arrived.path) == sha256_of(path)


@IN_BAND
@pytest.mark.parametrize("size", SIZES)
async def test_without_another_way_dino_gets_nothing_and_is_told(
    world: DesktopWorld, dino: Dino, tmp_path: Path, report: Reports, size: int
) -> None:
    path = random_file(tmp_path / f"Ein verlorenes Blättchen {size}.bin", size)
    await drop(dino, world, path)
    said = await dino.chat(world.bot_jid, f"get {path.name}", f'"{path.name}" did not get through')
    await drop_it(dino, world, said)
    report(Cell("dino", Direction.UNASKED, world.way, size), Outcome.FAILS)


@IN_BAND
async def test_the_bot_does_not_send_dino_in_band_what_would_be_lost(
    world: DesktopWorld, dino: Dino, tmp_path: Path
) -> None:
    path = random_file(tmp_path / "Verloren.bin", 100_000)
    await drop(dino, world, path)
    said = await dino.chat(world.bot_jid, f"get {path.name} by ibb")
    assert said.startswith("I see no app of yours online that takes files over the chat connection.")


@ANYWHERE
@pytest.mark.parametrize("size", SIZES)
async def test_the_bot_keeps_what_gajim_sends(
    world: DesktopWorld, gajim: Gajim, tmp_path: Path, report: Reports, size: int
) -> None:
    await drop(gajim, world, random_file(tmp_path / f"Noch ein Blättchen {size}.bin", size))
    report(Cell("gajim", Direction.SENDS, world.way, size), Outcome.SAME)


@ANYWHERE
async def test_gajim_is_offered_nothing_and_told_once_what_is_true(
    world: DesktopWorld, gajim: Gajim, tmp_path: Path, report: Reports
) -> None:
    """Gajim 1.7 never answers an offer, so the bot makes none."""
    path = random_file(tmp_path / "Unbeantwortet.bin", 1_000_000)
    await drop(gajim, world, path)
    since = gajim.log_size()
    cannot = f'"{path.name}" cannot be sent now'
    said = await gajim.chat(world.bot_jid, f"get {path.name}", cannot, limit_s=SILENCE_S)
    assert "The app that is online cannot receive files directly." in said
    assert offers(world, gajim, since) == []
    await drop_it(gajim, world, said)
    report(Cell("gajim", Direction.UNASKED, world.way, 1_000_000), Outcome.NOT_OFFERED)
