"""A room with the bot in it, and how people speak there."""

from dataclasses import dataclass
from pathlib import Path

from slixmpp import JID

from filebot.localserver.peer import Peer, Received

NICK = "filebot"


@dataclass(frozen=True)
class BotRoom:
    """Room, by its address."""

    room: str

    @property
    def bot(self) -> str:
        """Return the bot's occupant JID."""
        return f"{self.room}/{NICK}"

    async def say(self, peer: Peer, text: str) -> None:
        """Say something in the room and wait until the room has reflected it."""
        message = peer.client.make_message(JID(self.room), text, mtype="groupchat")
        message.send()
        await peer.next_message(lambda each: each.element.get("id") == message["id"])

    async def ask(self, peer: Peer, text: str) -> Received:
        """Say something in the room and return what the bot says to everybody after it."""
        await self.say(peer, text)
        return await self.heard(peer, "groupchat")

    async def ask_privately(self, peer: Peer, text: str) -> Received:
        """Write to the bot through the room and return its answer."""
        peer.say(text, self.bot)
        return await self.heard(peer, "chat")

    async def heard(self, peer: Peer, kind: str) -> Received:
        """Return the bot's next words, to all (``groupchat``) or to one through the room (``chat``)."""
        return await peer.next_message(lambda each: self._is_bot(each, kind))

    async def got(self, peer: Peer, kind: str) -> bytes:
        """Return the content of the next file that the bot sends with this type of message."""
        heard = await peer.next_message(lambda each: self._is_bot(each, kind) and each.url is not None)
        assert heard.body == heard.url
        return await peer.download(heard.body)

    async def post(self, peer: Peer, path: Path) -> None:
        """Post a file in the room and wait until the room has reflected it."""
        url = await peer.drop(path, self.room, mtype="groupchat")
        await peer.next_message(lambda each: each.url == url)

    async def keep(self, peer: Peer, path: Path) -> str:
        """Post a file in the room, have the bot keep it and return the bot's answer."""
        await self.post(peer, path)
        return (await self.ask(peer, "!keep")).body

    def words(self, peer: Peer, kind: str) -> list[str]:
        """Return everything that somebody has heard the bot say so."""
        return [each.body for each in peer.messages if self._is_bot(each, kind)]

    def _is_bot(self, heard: Received, kind: str) -> bool:
        return (heard.sender, heard.kind) == (self.bot, kind) and bool(heard.body)
