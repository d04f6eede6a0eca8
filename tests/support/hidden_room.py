"""Semi-anonymous room in which the bot learns no more than any other occupant."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer, Received
from filebot.localserver.server import Server
from tests.e2e.conftest import ROOM, bot_config
from tests.servers import private_server
from tests.support.room import BotRoom

HERE = BotRoom(ROOM)
OCCUPANT = HERE.bot
HIDDEN_ROOM_USERS = ("alice", "bob", "filebot", "second")
SECOND = f"{ROOM}/second"
"""Occupant JID of another filebot."""


@dataclass(frozen=True)
class HiddenRoom:
    """A semi-anonymous room that Alice owns, with Bob in it, and a bot that can come in.

    The bot is not a moderator, so the room does not show it real JIDs.
    """

    alice: Peer
    bob: Peer
    folder: Path
    bot: BotProcess
    bot_jid: str
    stack: AsyncExitStack
    second: BotProcess | None = None

    async def let_the_bot_in(self) -> None:
        await self.stack.enter_async_context(self.bot)

    async def let_the_second_bot_in(self) -> None:
        assert self.second is not None
        await self.stack.enter_async_context(self.second)

    async def post(self, peer: Peer, name: str) -> None:
        path = self.folder / name
        path.write_bytes(name.encode() * 100)
        await HERE.post(peer, path)

    async def ask(self, peer: Peer, text: str) -> str:
        """Send a private message to the bot through the room and return its answer."""
        return (await HERE.ask_privately(peer, text)).body

    async def heard(self, peer: Peer, kind: str) -> Received:
        return await HERE.heard(peer, kind)


@asynccontextmanager
async def hidden_room_in(
    folder: Path,
    serves: str = "nobody@localhost",
    server: Server | None = None,
    *,
    second_bot: bool = False,
) -> AsyncIterator[HiddenRoom]:
    """Make a room with everybody but the bots in it; the first bot serves one person outside of it."""
    async with AsyncExitStack() as stack:
        server = server or private_server(folder / "server", users=HIDDEN_ROOM_USERS)
        await stack.enter_async_context(server)
        alice, bob = [
            await stack.enter_async_context(await Peer.of(server, user)) for user in ("alice", "bob")
        ]
        await alice.join(ROOM, "Alice")
        await bob.join(ROOM, "Bob")
        config = bot_config(server)
        config["access"]["allow"] = [serves]
        bot = BotProcess(write_config(folder / "config.toml", config))
        yield HiddenRoom(
            alice,
            bob,
            folder,
            bot,
            server.jid("filebot"),
            stack,
            _second(folder, server) if second_bot else None,
        )


def _second(folder: Path, server: Server) -> BotProcess:
    config = bot_config(server)
    config["data_dir"] = "second"
    config["xmpp"] |= {"jid": server.jid("second"), "password": server.password("second"), "nick": "second"}
    return BotProcess(write_config(folder / "second.toml", config))
