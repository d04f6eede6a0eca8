"""Files of 20 MB where the upload service is too small: both ways with each client, without options."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.conftest import World
from tests.interop.peers import KINDS, ForeignPeer, random_file, sha256_of
from tests.interop.test_matrix import USER, bot_on_a_server, forget

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

SIZE = 20_000_000
LIMIT_S = 120.0
WHY = {None: "Your server has no upload service", 1_000_000: "Your server takes files up to 1 MB"}


@pytest_asyncio.fixture(
    loop_scope="module", scope="module", params=WHY, ids=["no upload service", "uploads up to 1 MB"]
)
async def cramped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, str]]:
    """Start a server that takes no uploads of 20 MB; also give the bot's remark about that."""
    async with bot_on_a_server(tmp_path_factory.mktemp("cramped"), request.param) as world:
        yield world, WHY[request.param]


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(name, marks=pytest.mark.needs("a node in its address") if name == "purple" else [])
        for name in KINDS
    ],
)
async def test_a_large_file_goes_to_the_bot_and_comes_back(
    cramped: tuple[World, str], client: str, binaries: dict[str, Path], tmp_path: Path
) -> None:
    world, why = cramped
    path = random_file(tmp_path / "Ein großes Blatt.bin", SIZE)
    kind: type[ForeignPeer] = KINDS[client]
    async with kind(binaries[client], world.server, USER[client], tmp_path / "client") as peer:
        await peer.find_proxy()
        await peer.befriend(world.bot_jid)
        await peer.send(path, world.bot_jid, limit_s=LIMIT_S)
        await peer.said(world.bot_jid, "Stored ", limit_s=LIMIT_S)
        assert world.keeps(path)
        peer.say(f"get {path.name}", world.bot_jid)
        arrived = await peer.received(limit_s=LIMIT_S)
        assert sha256_of(Path(arrived.path)) == sha256_of(path)
        await peer.said(world.bot_jid, why)
        await forget(peer, world, path, Path(arrived.path))
