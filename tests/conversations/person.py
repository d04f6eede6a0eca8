"""Somebody with an app, who writes to the bot; each thing that is done is written down with its answers."""

import asyncio
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID

from filebot.localserver.peer import OOB, MessageType, Peer, Received
from tests.conversations.stage import ANSWER_LIMIT_S, BOT, Stage, size_text
from tests.conversations.transcript import Line

UPLOAD_S: Final = 0.3
"""Time that an app needs for one of several files."""
LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
OPENING: Final = 24
"""Characters of a message that are enough to recognise it."""
HINTS: Final = ("type: ", "输入：")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that somebody wrote."""

    id: str
    text: str


class Person:
    """Person in one conversation.

    Each method waits for ``answers`` messages of the bot and for the silence after them. ``room`` is the
    name of a room, ``aside`` means a private message through it.
    """

    def __init__(self, stage: Stage, peer: Peer, language: str) -> None:
        self.stage = stage
        self.peer = peer
        self.name = peer.user
        self._language = language

    @classmethod
    async def of(cls, stage: Stage, user: str, *, language: str = "en") -> "Person":
        """Let somebody come online."""
        return cls(stage, await stage.login(user), language)

    async def adds_the_bot(self, *, answers: int = 1) -> None:
        """Add the bot to the contacts."""
        self.stage.transcript.happens(f"{self.name} adds {self.stage.bot} to the contacts")
        async with self.stage.step(answers, "adds the bot"):
            presence = self.peer.client.make_presence(pto=self.stage.bot, ptype="subscribe")
            presence.xml.set(LANGUAGE, self._language)
            presence.send()

    async def enters(self, room: str) -> None:
        """Enter a room."""
        await self.peer.join(self.stage.address(room), self.name)
        self.stage.transcript.happens(f"{self.name} enters the room {room}")

    async def invites_the_bot(self, room: str, *, answers: int = 1) -> None:
        """Invite the bot as Dino and Gajim do (XEP-0249)."""
        self.stage.transcript.happens(f"{self.name} invites {BOT} into the room {room}")
        message = self.peer.client.make_message(JID(self.stage.bot), mtype="normal")
        message.append(Element("{jabber:x:conference}x", {"jid": self.stage.address(room)}))
        async with self.stage.step(answers, f"invitation into {room}"):
            message.send()

    async def says(
        self, text: str, *, room: str = "", aside: bool = False, answers: int = 1, until_said: str = ""
    ) -> Sent:
        """Write something."""
        self._note(text, room, aside=aside)
        async with self.stage.step(answers, text, until_said=until_said):
            return self._send(text, room, aside=aside)

    async def replies(self, text: str, to: Received | Sent, *, answers: int = 1) -> None:
        """Write a reply to a message (XEP-0461), with the quotation that apps add for others."""
        is_heard = isinstance(to, Received)
        words = to.body if isinstance(to, Received) else to.text
        self._note(f"[replies to {_opening(words)}] {text}", "")
        quote = "".join(f"> {row}\n" for row in words.split("\n"))
        message = self.peer.client.make_message(JID(self.stage.bot), quote + text, mtype="chat")
        sender = self.stage.bot if is_heard else self.peer.jid
        number = to.element.get("id", "") if isinstance(to, Received) else to.id
        SubElement(message.xml, "{urn:xmpp:reply:0}reply", {"to": sender, "id": number})
        fallback = SubElement(message.xml, "{urn:xmpp:fallback:0}fallback", {"for": "urn:xmpp:reply:0"})
        SubElement(fallback, "{urn:xmpp:fallback:0}body", {"start": "0", "end": str(len(quote))})
        async with self.stage.step(answers, text):
            message.send()

    async def reacts(self, sign: str, to: Received, *, answers: int = 1) -> None:
        """React to a message of the bot (XEP-0444)."""
        self._note(f"[reacts with {sign} to {_opening(to.body)}]", "")
        message = self.peer.client.make_message(JID(self.stage.bot), mtype="chat")
        reactions = SubElement(
            message.xml, "{urn:xmpp:reactions:0}reactions", {"id": to.element.get("id", "")}
        )
        SubElement(reactions, "{urn:xmpp:reactions:0}reaction").text = sign
        SubElement(message.xml, "{urn:xmpp:hints}store")
        async with self.stage.step(answers, f"reaction {sign}"):
            message.send()

    async def retracts(self, sent: Sent, *, answers: int = 1) -> None:
        """Take an own message back (XEP-0424)."""
        self._note(f"[takes back the message with {sent.text}]", "")
        message = self.peer.client.make_message(
            JID(self.stage.bot), "/me retracted a message", mtype="chat"
        )
        SubElement(message.xml, "{urn:xmpp:message-retract:1}retract", {"id": sent.id})
        SubElement(message.xml, "{urn:xmpp:fallback:0}fallback", {"for": "urn:xmpp:message-retract:1"})
        SubElement(message.xml, "{urn:xmpp:hints}store")
        async with self.stage.step(answers, "retraction"):
            message.send()

    async def drops(
        self, *paths: Path, room: str = "", aside: bool = False, answers: int = 1, until_said: str = ""
    ) -> list[Sent]:
        """Send files, each in a message of its own, as apps do."""
        for path in paths:
            self._note(f"[file {path.name}, {size_text(path.stat().st_size)}]", room, aside=aside)
        sent: list[Sent] = []
        async with self.stage.step(
            answers, f"drops {paths[0].name}", 3 * ANSWER_LIMIT_S, until_said=until_said
        ):
            for path in paths:
                if sent:
                    await asyncio.sleep(UPLOAD_S)
                url = await self.peer.upload(path)
                sent.append(Sent(self._send(url, room, aside=aside, url=url).id, path.name))
        return sent

    async def waits_for_news(self, room: str, limit_s: float) -> None:
        """Wait for what the bot says unasked."""
        async with self.stage.step(1, f"news in {room}", limit_s):
            self.stage.transcript.happens("some time later")

    async def types_the_hint(
        self, *, otherwise: str, room: str = "", aside: bool = False, answers: int = 1
    ) -> None:
        """Type the command that the bot showed last, exactly as it stands there."""
        said = [line.text for line in self.stage.transcript.lines if line.who == BOT]
        text = next((hint for each in reversed(said) if (hint := _hint(each))), otherwise)
        await self.says(text, room=room, aside=aside, answers=answers)

    def heard_last(self, part: str = "") -> Received:
        """Return the bot's last message to this person in private that has such words."""
        bot = self.stage.bot
        fits = [each for each in self.peer.messages if JID(each.sender).bare == bot and part in each.body]
        return [each for each in fits if each.body][-1]

    def _note(self, text: str, room: str, *, aside: bool = False) -> None:
        place = f"{room}, to {BOT} only" if aside else room
        self.stage.transcript.lines.append(Line(self.name, "", place, text))

    def _send(self, text: str, room: str, *, aside: bool, url: str = "") -> Sent:
        kind: MessageType = "groupchat" if room and not aside else "chat"
        address = self.stage.address(room) if room else self.stage.bot
        to = f"{address}/{BOT}" if aside else address
        message = self.peer.client.make_message(JID(to), text, mtype=kind)
        message.xml.set(LANGUAGE, self._language)
        if aside:
            SubElement(message.xml, "{http://jabber.org/protocol/muc#user}x")
        if url:
            SubElement(SubElement(message.xml, f"{{{OOB}}}x"), f"{{{OOB}}}url").text = url
        message.send()
        return Sent(str(message["id"]), text)


def _opening(text: str) -> str:
    words = text.split("\n", maxsplit=1)[0]
    return f'"{words[:OPENING]}{"..." if len(words) > OPENING else ""}"'


def _hint(text: str) -> str:
    """Return the last command that a message asks to type, if nothing in it is to be filled in."""
    for row in reversed(text.split("\n")):
        for mark in HINTS:
            _, found, typed = row.rpartition(mark)
            if found and not any(word.isupper() and word.isalpha() for word in typed.split()):
                return typed.strip()
    return ""


def picture(folder: Path, name: str, size: int) -> Path:
    """Write a PNG picture of about this many bytes, the same one for the same name (RFC 2083)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + name.encode().ljust(12, b"-")[:12]) * 4)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", rows)
    filling = chunk(b"fiLl", bytes(max(0, size - 100)))
    return _written(folder / name, b"\x89PNG\r\n\x1a\n" + b"".join((*parts, filling, chunk(b"IEND", b""))))


def pdf(folder: Path, name: str, size: int) -> Path:
    """Write a small PDF document, filled up with a comment."""
    body = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n% " + name.encode() + b"\n"
    return _written(folder / name, body.ljust(size - 7, b"%") + b"\n%%EOF\n")


def text_file(folder: Path, name: str, text: str) -> Path:
    """Write a text."""
    return _written(folder / name, text.encode())


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
