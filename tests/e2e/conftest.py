"""One real server and one real bot for the tests of a module; people of their own for each test."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from slixmpp import JID

from filebot.localserver.botprocess import BotProcess, tables_for, write_config
from filebot.localserver.peer import Peer, Received
from filebot.localserver.server import Server
from tests.servers import component_login, private_server
from tests.support.muc import affiliate, configure
from tests.support.room import Here

ROOM = "team@conference.localhost"
USERS = ("alice", "bob", "carol", "eve", "filebot")
UPLOAD_LIMIT = 3_000_000


@dataclass(frozen=True)
class World:
    """The server, the bot on it, and the way to log in."""

    server: Server
    bot: BotProcess
    folder: Path

    async def login(self, user: str) -> Peer:
        return await Peer.of(self.server, user)

    @property
    def bot_jid(self) -> str:
        return self.server.jid("filebot")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def blobs(self) -> list[Path]:
        """Return the files that are visible in the store."""
        return [path for path in (self.data / "blobs").rglob("*") if path.is_file()]

    def keeps(self, path: Path) -> bool:
        """Whether the bytes of a file are in the store."""
        with path.open("rb") as file:
            wanted = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        return wanted in {sha256(blob.read_bytes()) for blob in self.blobs() if blob.stat().st_size == size}

    def temporary_files(self) -> list[Path]:
        return list((self.data / "incoming").iterdir())

    def partials(self) -> list[Path]:
        """Return the files of resumable transfers, whether interrupted or still being written."""
        return list((self.data / "partial").iterdir())

    async def ask(self, peer: Peer, text: str) -> Received:
        """Write to the bot in private and return its answer."""
        peer.say(text, self.bot_jid)
        return await peer.next_message(self.from_bot)

    async def room(self, admin: Peer, owner: Peer, name: str, *, password: str = "", **fields: str) -> Here:
        """Let ``owner`` make a room with such a configuration (see ``configure``), and ``admin`` bring the
        bot into it.
        """
        room = f"{name}@{self.server.conference}"
        await owner.join(room, owner.user)
        if fields:
            await configure(owner, room, **fields)
        if "membersonly" in fields:
            await affiliate(owner, room, self.bot_jid, "member")
        said = await self.ask(admin, f"join {room} with {password}" if password else f"join {room}")
        assert "I am in" in said.body, said.body
        return Here(room)

    def from_bot(self, heard: Received) -> bool:
        is_said = heard.kind != "error" and bool(heard.body)
        return is_said and JID(heard.sender).bare == self.bot_jid


def bot_config(server: Server, **tables: dict[str, Any]) -> dict[str, Any]:
    """The config of issue and README, with what a server on loopback needs."""
    config = tables_for(server, ROOM)
    login = component_login(server, "filebot")
    if login is not None:
        config["xmpp"] |= {"mode": "component", "host": login.host, "port": login.port}
    config["access"]["allow"] = ["alice@localhost", "bob@localhost", "carol@localhost"]
    config["limits"] = {"max_file_size": "2 MB", "idle_timeout": "2 s"}
    config["network"]["allow_insecure"] = True
    for name, table in tables.items():
        config[name] = config.get(name, {}) | table
    return config


@asynccontextmanager
async def world_in(folder: Path, **tables: dict[str, Any]) -> AsyncIterator[World]:
    """The server and the bot, with more in its config."""
    async with AsyncExitStack() as stack:
        server = private_server(folder / "prosody", users=USERS, upload_limit_bytes=UPLOAD_LIMIT)
        await stack.enter_async_context(server)
        config = write_config(folder / "config.toml", bot_config(server, **tables))
        bot = await stack.enter_async_context(BotProcess(config))
        yield World(server, bot, folder)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_in(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def alice(world: World) -> AsyncIterator[Peer]:
    async with await world.login("alice") as peer:
        yield peer


@pytest_asyncio.fixture(loop_scope="module")
async def bob(world: World) -> AsyncIterator[Peer]:
    async with await world.login("bob") as peer:
        yield peer


@pytest_asyncio.fixture(loop_scope="module")
async def carol(world: World) -> AsyncIterator[Peer]:
    async with await world.login("carol") as peer:
        yield peer


@pytest_asyncio.fixture(loop_scope="module")
async def eve(world: World) -> AsyncIterator[Peer]:
    """The bot does not serve her."""
    async with await world.login("eve") as peer:
        yield peer


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
