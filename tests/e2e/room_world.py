"""Rooms of every kind on the world's server, with the bot in them and people who own them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import SubElement

from slixmpp import JID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.demo.peer import Peer, Received
from tests.e2e.conftest import World

MUC = "http://jabber.org/protocol/muc"
NICK = "filebot"
LIMIT_S = 20.0

Affiliation = Literal["outcast", "none", "member", "admin", "owner"]


async def configure(owner: Peer, room: str, **fields: str) -> None:
    """Set fields of a room's configuration (XEP-0045 section 10.2), by their names after the prefix."""
    iq = owner.client.make_iq_set(ito=JID(room))
    form = SubElement(SubElement(iq.xml, f"{{{MUC}#owner}}query"), "{jabber:x:data}x", {"type": "submit"})
    values = {"FORM_TYPE": f"{MUC}#roomconfig"} | {
        f"muc#roomconfig_{name}": value for name, value in fields.items()
    }
    for name, value in values.items():
        field = SubElement(form, "{jabber:x:data}field", {"var": name})
        SubElement(field, "{jabber:x:data}value").text = value
    await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp


async def destroy(owner: Peer, room: str) -> None:
    """End a room for good (section 10.9)."""
    iq = owner.client.make_iq_set(ito=JID(room))
    SubElement(SubElement(iq.xml, f"{{{MUC}#owner}}query"), f"{{{MUC}#owner}}destroy")
    await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp


async def affiliate(owner: Peer, room: str, jid: str, affiliation: Affiliation) -> None:
    """Set somebody's affiliation (section 9)."""
    iq = owner.client.make_iq_set(ito=JID(room))
    query = SubElement(iq.xml, f"{{{MUC}#admin}}query")
    SubElement(query, f"{{{MUC}#admin}}item", {"jid": jid, "affiliation": affiliation})
    await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp


async def set_role(
    moderator: Peer, room: str, nick: str, role: Literal["none", "visitor", "participant"]
) -> None:
    """Set an occupant's role (section 8); ``none`` is a kick."""
    iq = moderator.client.make_iq_set(ito=JID(room))
    query = SubElement(iq.xml, f"{{{MUC}#admin}}query")
    SubElement(query, f"{{{MUC}#admin}}item", {"nick": nick, "role": role})
    await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp


async def enter(peer: Peer, room: str, nick: str, password: str = "") -> None:
    """Go into a room; returns when one is in it (section 7.2)."""
    muc = peer.client.plugin["xep_0045"]
    await muc.join_muc_wait(JID(room), nick, password=password or None, maxstanzas=0, timeout=LIMIT_S)


async def leave(peer: Peer, room: str, nick: str) -> None:
    """Go out of a room; returns when the nick is free (section 7.14)."""
    gone = asyncio.Event()

    def take(stanza: Any) -> None:
        if (stanza["from"].full, stanza.xml.get("type")) == (f"{room}/{nick}", "unavailable"):
            gone.set()

    handler = Callback(f"leaving {room}/{nick}", MatchXPath("{jabber:client}presence"), take)
    peer.client.register_handler(handler)
    try:
        peer.client.plugin["xep_0045"].leave_muc(JID(room), nick)
        await asyncio.wait_for(gone.wait(), LIMIT_S)
    finally:
        peer.client.remove_handler(handler.name)


@dataclass(frozen=True)
class Den:
    """A room that the bot is in, and how to speak there."""

    world: World
    room: str

    @property
    def bot(self) -> str:
        """The bot's address as an occupant."""
        return f"{self.room}/{NICK}"

    async def ask(self, peer: Peer, text: str) -> Received:
        """Say something in the room and return what the bot says to everybody after it."""
        await self.say(peer, text)
        return await self.said(peer)

    async def say(self, peer: Peer, text: str) -> None:
        """Say something in the room; returns when the room has told it to everybody."""
        message = peer.client.make_message(JID(self.room), text, mtype="groupchat")
        message.send()
        await peer.next_message(lambda each: each.element.get("id") == message["id"])

    async def ask_privately(self, peer: Peer, text: str) -> Received:
        """Write to the bot through the room and return its answer."""
        peer.say(text, self.bot)
        return await peer.next_message(self._is_private)

    async def said(self, peer: Peer) -> Received:
        """What the bot says in the room next."""
        return await peer.next_message(lambda each: (each.sender, each.kind) == (self.bot, "groupchat"))

    async def post(self, peer: Peer, path: Path) -> str:
        """Post a file in the room; returns when the room has it."""
        url = await peer.drop(path, self.room, mtype="groupchat")
        await peer.next_message(lambda each: each.url == url)
        return url

    async def keep(self, peer: Peer, path: Path) -> str:
        """Post a file in the room and have it kept; what the bot said."""
        await self.post(peer, path)
        return (await self.ask(peer, "!keep")).body

    def private_words(self, peer: Peer) -> list[str]:
        """All that the bot said to somebody through the room in private."""
        return [each.body for each in peer.messages if self._is_private(each)]

    def public_words(self, peer: Peer) -> list[str]:
        """All that somebody heard the bot say in the room."""
        return [each.body for each in peer.messages if (each.sender, each.kind) == (self.bot, "groupchat")]

    def _is_private(self, heard: Received) -> bool:
        return (heard.sender, heard.kind) == (self.bot, "chat") and bool(heard.body)


async def den(
    world: World, admin: Peer, owner: Peer, nick: str, name: str, *, password: str = "", **fields: str
) -> Den:
    """Let ``owner`` make a room of some configuration, and ``admin`` bring the bot into it."""
    room = f"{name}@{world.server.conference}"
    await owner.join(room, nick)
    if fields:
        await configure(owner, room, **fields)
    if "membersonly" in fields:
        await affiliate(owner, room, world.bot_jid, "member")
    said = await world.ask(admin, f"join {room} with {password}" if password else f"join {room}")
    assert "I am in" in said.body, said.body
    return Den(world, room)
