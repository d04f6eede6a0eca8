"""A bot that people bring into rooms, on a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer, Received
from filebot.localserver.server import Server
from tests.e2e.conftest import bot_config
from tests.servers import private_server
from tests.support.muc import MUC

ROOM = "den@conference.localhost"
USERS = ["alice", "bob", "carol", "eve", "filebot"]


def invite_directly(peer: Peer, bot: str, room: str, password: str = "") -> None:
    """Invite as Dino and Gajim do (XEP-0249), with words for clients that know no invitations."""
    message = peer.client.make_message(mto=JID(bot), mbody=f"Come to {room}", mtype="normal")
    extra = {"password": password} if password else {}
    message.append(Element("{jabber:x:conference}x", {"jid": room, "reason": "files"} | extra))
    message.send()


def invite_through_room(peer: Peer, bot: str, room: str = ROOM) -> None:
    """Invite as Conversations and Psi do (XEP-0045 section 7.8.2)."""
    message = peer.client.make_message(mto=JID(room), mtype="normal")
    invite = SubElement(SubElement(message.xml, f"{{{MUC}#user}}x"), f"{{{MUC}#user}}invite", {"to": bot})
    SubElement(invite, f"{{{MUC}#user}}reason").text = "files"
    message.send()


class World:
    """Server, a bot on it that serves alice (its admin) and bob, and the people who log in."""

    def __init__(self, server: Server, folder: Path, stack: AsyncExitStack) -> None:
        self.server = server
        self.bot = server.jid("filebot")
        self._folder = folder
        self._stack = stack

    async def start(self, **access: list[str]) -> BotProcess:
        access = {"allow": ["bob@localhost"]} | access
        config = bot_config(self.server, rooms={"join": []}, access=access)
        path = write_config(self._folder / "config.toml", config)
        return await self._stack.enter_async_context(BotProcess(path))

    async def login(self, user: str) -> Peer:
        return await self._stack.enter_async_context(await Peer.of(self.server, user))

    async def told(self, peer: Peer, *parts: str) -> str:
        """Return the next message of the bot to somebody in private that has these parts.

        After a kill name parts: the server delivers again what the bot had not acknowledged
        (XEP-0198 section 5), and the bot answers that too.
        """

        def fits(heard: Received) -> bool:
            return heard.sender.startswith(self.bot) and all(each in heard.body for each in parts)

        heard = await peer.next_message(lambda each: bool(each.body) and fits(each))
        return heard.body


@asynccontextmanager
async def world_with(folder: Path, *components: str) -> AsyncIterator[World]:
    """Start a server with external components for these domains; the bot is not started yet."""
    async with AsyncExitStack() as stack:
        server = private_server(folder / "server", users=USERS, components=components)
        await stack.enter_async_context(server)
        yield World(server, folder, stack)
