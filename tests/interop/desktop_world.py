"""Server and bot in a network namespace that they share with graphical clients."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.server import Server
from tests.e2e.conftest import USERS, World, bot_config
from tests.interop.network import ADDRESS_OUTSIDE, Network
from tests.interop.trace import MoveBy
from tests.servers import private_server

UPLOAD_LIMIT: Final = 20_000_000

# A bot that neither listens nor may connect to private addresses is left with the server's proxy, and
# without a proxy with in-band streams.
_TABLES: Final[dict[MoveBy, dict[str, dict[str, Any]]]] = {
    MoveBy.UPLOAD: {},
    MoveBy.DIRECT: {"bytestreams": {"addresses": [ADDRESS_OUTSIDE], "bind": ADDRESS_OUTSIDE}},
    MoveBy.PROXY: {"network": {"allow_private": False}},
    MoveBy.IBB: {"network": {"allow_private": False}},
}


@dataclass(frozen=True)
class DesktopWorld(World):
    """World in which all users have one another as contacts, the bot included."""

    network: Network
    way: MoveBy
    """Only way that is possible, for files in either direction."""

    def uploaded(self, path: Path) -> str:
        """Return the name that a file has in its link."""
        # COMPAT(ejabberd, 23.01): it replaces spaces in the names of uploaded files.
        return path.name.replace(" ", "_") if self.server.name == "ejabberd" else path.name


@asynccontextmanager
async def server_in_a_network(
    folder: Path, upload_limit_bytes: int | None, *, proxy: bool = True, websockets: bool = False
) -> AsyncIterator[tuple[Network, Server]]:
    """Start a network and a server in it, without a bot."""
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(Network(folder / "network"))
        server = private_server(
            folder / "prosody",
            users=USERS,
            upload_limit_bytes=upload_limit_bytes,
            acquainted=True,
            logs_stanzas=True,
            websockets=websockets,
            place=network.place(proxy=proxy),
        )
        await stack.enter_async_context(server)
        network.trust(server)
        yield network, server


@asynccontextmanager
async def bot_in_a_network(
    folder: Path, way: MoveBy, upload_limit_bytes: int | None = None, *, websockets: bool = False
) -> AsyncIterator[DesktopWorld]:
    """Run a server and a bot with one way for files, or for those over the limit of an upload service."""
    if way is MoveBy.UPLOAD:
        upload_limit_bytes = UPLOAD_LIMIT
    proxy = way is not MoveBy.IBB
    async with server_in_a_network(folder, upload_limit_bytes, proxy=proxy, websockets=websockets) as (
        network,
        server,
    ):
        limits = {"max_file_size": "60 MB", "idle_timeout": "20 s"}
        tables = bot_config(server, limits=limits, **_TABLES[way])
        async with BotProcess(write_config(folder / "config.toml", tables), network.launcher) as bot:
            yield DesktopWorld(server, bot, folder, network, way)
