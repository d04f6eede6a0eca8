"""A server and a bot in a network of their own, where clients with windows find them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from filebot.demo.botprocess import BotProcess, write_config
from filebot.demo.prosody import Prosody
from tests.e2e.conftest import USERS, World, bot_config
from tests.interop.network import ADDRESS_OUTSIDE, Network

BYTESTREAMS_PORT = 5080


@dataclass(frozen=True)
class DesktopWorld(World):
    """All of them know one another, the bot included."""

    network: Network


@asynccontextmanager
async def server_in_a_network(
    folder: Path, upload_limit_bytes: int | None
) -> AsyncIterator[tuple[Network, Prosody]]:
    """Without a bot."""
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(Network(folder / "network"))
        server = await stack.enter_async_context(
            Prosody(
                folder / "prosody",
                users=USERS,
                upload_limit_bytes=upload_limit_bytes,
                acquainted=True,
                logs_stanzas=True,
                place=network.place,
            )
        )
        network.trust(server)
        yield network, server


@asynccontextmanager
async def bot_in_a_network(folder: Path, upload_limit_bytes: int | None) -> AsyncIterator[DesktopWorld]:
    async with server_in_a_network(folder, upload_limit_bytes) as (network, server):
        tables = bot_config(
            server,
            limits={"max_file_size": "60 MB", "idle_timeout": "20 s"},
            bytestreams={
                "addresses": [ADDRESS_OUTSIDE],
                "bind": ADDRESS_OUTSIDE,
                "port": BYTESTREAMS_PORT,
            },
        )
        async with BotProcess(write_config(folder / "config.toml", tables), network.launcher) as bot:
            yield DesktopWorld(server, bot, folder, network)
