"""Files of 20 MB over the upload limit: Dino, Gajim and the bot each fall back to Jingle by themselves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.desktop import Sending
from tests.interop.desktop_world import DesktopWorld, bot_in_a_network
from tests.interop.dino import Dino
from tests.interop.gajim import Gajim
from tests.interop.peers import random_file, sha256_of
from tests.interop.test_large import LIMIT_S, SIZE, WHY
from tests.interop.trace import MoveBy

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
    pytest.mark.needs("a contact with an account"),
]


@pytest_asyncio.fixture(
    loop_scope="module", scope="module", params=WHY, ids=["no upload service", "uploads up to 1 MB"]
)
async def cramped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[DesktopWorld, str]]:
    """Start a server that takes no uploads of 20 MB; also give the bot's remark about that."""
    folder = tmp_path_factory.mktemp("cramped")
    async with bot_in_a_network(folder, MoveBy.DIRECT, request.param) as world:
        yield world, WHY[request.param]


async def test_dino_sends_20_mb_and_gets_them_back(
    cramped: tuple[DesktopWorld, str], tmp_path: Path
) -> None:
    world, why = cramped
    path = random_file(tmp_path / "Ein großes Blatt.bin", SIZE)
    async with Dino(world.network, world.server, "alice", world.folder / "alice") as dino:
        sent = await dino.send(world.bot_jid, path, limit_s=LIMIT_S)
        assert sent == Sending(offered=True, way=MoveBy.DIRECT, state="success")
        await dino.said(world.bot_jid, f'Stored "{path.name}"', limit_s=LIMIT_S)
        assert world.keeps(path)
        await dino.chat(world.bot_jid, f"get {path.name}", why)
        arrived = await dino.received(world.bot_jid, limit_s=LIMIT_S)
        assert sha256_of(arrived.path) == sha256_of(path)


async def test_gajim_sends_20_mb(cramped: tuple[DesktopWorld, str], tmp_path: Path) -> None:
    """Gajim sends only: as a receiver it never answers, see ``test_jingle``."""
    world, _ = cramped
    path = random_file(tmp_path / "Ein größeres Blatt.bin", SIZE)
    async with Gajim(world.network, world.server, "bob", world.folder / "bob") as gajim:
        await gajim.until_offered(world.bot_jid, "jingle")
        sent = await gajim.send(world.bot_jid, path, directly=True, limit_s=LIMIT_S)
        assert sent == Sending(offered=True, way=MoveBy.DIRECT, state="success")
        await gajim.said(world.bot_jid, f'Stored "{path.name}"', limit_s=LIMIT_S)
        assert world.keeps(path)
