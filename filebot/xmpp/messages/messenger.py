"""The ``Messenger`` port on a stream."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from cachetools import LRUCache
from slixmpp.stanza import Message

from filebot.model import Address, AddressKind, BareJid, Entry, MessageRef
from filebot.protocol.file_sharing import outgoing
from filebot.protocol.file_sharing.namespaces import HINTS
from filebot.protocol.message_references import REACTIONS
from filebot.protocol.xml import first, sayable
from filebot.xmpp.connection.stream import SAFE_BYTES, Stream, stanza_bytes
from filebot.xmpp.jid import Jid
from filebot.xmpp.rooms.room_sender import RoomSender
from filebot.xmpp.xml import CHAT_STATES, LANGUAGE, MUC_USER, RECEIPTS, STANZA_IDS, jid_or_none

log = logging.getLogger(__name__)

MAX_TEXT: Final = 30_000
"""Characters that are said at once; in several messages, where one would be too large for a server."""

LEAST_BYTES: Final = 500
"""For the text of a message. Long addresses alone may fill one: of 3,071 bytes each, as XML up to 8,000."""

SERVER_BYTES: Final = 400
"""Left free for what servers add to a text on its way, a sender's address above all."""

MOST_SAID: Final = 2000
"""Ids of messages that are known again when one comes back."""

REMEMBERED: Final = 200
"""Messages to clients that may come back; each is small enough for any server."""

_NOT_THERE: Final = frozenset({"gone", "item-not-found", "recipient-unavailable", "service-unavailable"})

_ESCAPED: Final = {"&": 5, "<": 4, ">": 4, "'": 6, '"': 6}
"""Bytes of the characters that slixmpp escapes."""


class StreamMessenger:
    """Says things to addresses. No message asks for chat markers: nobody here would read them."""

    def __init__(
        self,
        stream: Stream,
        all_correct: Callable[[BareJid], Awaitable[bool]],
        is_same_occupant: Callable[[Address], bool],
        flow: RoomSender,
        is_there: Callable[[Jid, BareJid], Awaitable[bool]] | None = None,
        known_as: Callable[[BareJid], str] = lambda _: "",
    ) -> None:
        """``all_correct`` tells of a person whether each client of theirs shows corrections;
        ``is_same_occupant``, of a nick in a room, whether it still belongs to whom it belonged to;
        ``is_there``, of a client that knows the bot by this address, whether it still reads what is sent to
        it (always if None); ``known_as``, of a person, by which of its addresses they know a component.
        """
        self._is_there = is_there
        self._known_as = known_as
        self._stream = stream
        self._flow = flow
        self._is_same_occupant = is_same_occupant
        self._all_correct = all_correct
        self._to_clients: LRUCache[str, Message] = LRUCache(REMEMBERED)
        """The last messages to single clients, by id."""
        self._said: LRUCache[str, None] = LRUCache(MOST_SAID)
        """Ids of the last messages."""

    async def say(
        self,
        to: Address,
        text: str,
        *,
        language: str | None = None,
        replaces: str | None = None,
        answers: MessageRef | None = None,
    ) -> str:
        if replaces and not self._stream.is_online:
            return replaces  # it would wait for the next session, where only a later one is of use
        said, rest, to = "", _sayable(text), await self._present(to)
        while rest:
            message = self._addressed(to)
            if message is None:
                return said
            if language:
                message.xml.set(LANGUAGE, language)
            if to.kind is not AddressKind.ROOM:
                message.xml.append(Element(f"{{{CHAT_STATES}}}active"))
            if replaces:
                message.xml.append(Element("{urn:xmpp:message-correct:0}replace", {"id": replaces}))
            if answers is not None and not said:
                self._refer(message, answers)
            if self._room_for_text(message) < LEAST_BYTES:
                log.warning("not said: the addresses leave no room for words: %s", message["to"])
                return said
            part, rest = first_part(rest, self._room_for_text(message))
            if replaces and rest:
                part, rest = f"{part[:-1]}…", ""  # a correction is one message
            message["body"] = part
            await self._send(to, message)
            said = str(message["id"])
        return said

    async def shows_corrections(self, to: Address) -> bool:
        return to.kind is AddressKind.CHAT and await self._all_correct(to.jid.partition("/")[0])

    async def send_file(self, to: Address, entry: Entry, url: str) -> str:
        to = await self._present(to)
        message = self._addressed(to)
        if message is None:
            return ""
        body, children = outgoing(entry, url)
        message["body"] = body
        for child in children:
            # Elements that most clients read come first; a long URL may leave no room for the others.
            if stanza_bytes(child, self._stream.default_ns) > self._room_for_text(message):
                break
            message.xml.append(child)
        await self._send(to, message)
        return str(message["id"])

    async def react(self, to: Address, message_id: str, emoji: str) -> None:
        to = await self._present(to)
        message = self._addressed(to)
        if message is None or not message_id:
            return
        reactions = SubElement(message.xml, f"{{{REACTIONS}}}reactions", {"id": message_id})
        SubElement(reactions, f"{{{REACTIONS}}}reaction").text = emoji
        message.xml.append(Element(f"{{{HINTS}}}store"))  # section 4
        await self._send(to, message)

    async def composing(self, to: Address, active: bool) -> None:
        if to.kind is AddressKind.ROOM:
            return  # it would run past everybody's eyes (XEP-0085 on group chats)
        message = self._addressed(to)
        if message is None:
            return
        # Not "paused", which clients show for ever: only a further state would end it.
        state = "composing" if active else "active"
        message.xml.append(Element(f"{{{CHAT_STATES}}}{state}"))
        message.xml.append(Element(f"{{{HINTS}}}no-store"))
        message.send()

    def acknowledge(self, to: Jid, message_id: str, own: str = "") -> None:
        """Tell a client that its message to this address of ours arrived (XEP-0184 section 5.2)."""
        message = self._message(to, AddressKind.CHAT, own)
        message.xml.append(Element(f"{{{RECEIPTS}}}received", {"id": message_id}))
        message.send()

    def has_said(self, message_id: str) -> bool:
        """Whether this is the id of one of the latest messages."""
        return message_id in self._said

    def came_back(self, client: Jid, message_id: str, condition: str) -> bool:
        """Send a message to the person whose client, as its server answers, was not there to take it.

        Returns whether it is sent again.

        Most servers do so themselves (RFC 6121 section 8.5.3.2.1).
        """
        message = self._to_clients.get(message_id)
        if condition in _NOT_THERE and message is not None and message["to"].full == client.full:
            del self._to_clients[message_id]
            message["to"] = client.bare
            message.send()
            return True
        return False

    async def _present(self, to: Address) -> Address:
        """Where the person reads it: in the client that asked, or, if that has left, anywhere."""
        client = jid_or_none(to.jid) if to.kind is AddressKind.CHAT else None
        if client is None or not client.resource or self._is_there is None:
            return to
        return to if await self._is_there(client, self._own(client, to.own)) else to.conversation

    def _addressed(self, to: Address) -> Message | None:
        jid = jid_or_none(to.jid)
        if jid is None:
            log.warning("%r is no address", to.jid)
            return None
        if to.kind is AddressKind.ROOM_PRIVATE and not self._is_same_occupant(to):
            log.info("%s is not who asked any more; nothing is said there", to.jid)
            return None
        return self._message(jid, to.kind, to.own)

    def _message(self, to: Jid, kind: AddressKind, own: str) -> Message:
        stanza_type = "groupchat" if kind is AddressKind.ROOM else "chat"
        message = Message(  # type: ignore[no-untyped-call]  # untyped in slixmpp
            self._stream, sto=to, stype=stanza_type
        )
        if kind is AddressKind.ROOM_PRIVATE:
            message.xml.append(Element(f"{{{MUC_USER}}}x"))  # XEP-0045 section 7.5
        if self._stream.is_component:
            # Rooms know their occupant by its full JID.
            main, in_room = self._stream.boundjid, kind is not AddressKind.CHAT
            message["from"] = main if in_room else self._own(to, own) or main.bare
        return message

    def _own(self, to: Jid, own: str) -> str:
        """Return the bot's address for this person; empty for the main one, and an account has no other."""
        return own or (self._known_as(to.bare) if self._stream.is_component else "")

    def _refer(self, message: Message, answers: MessageRef) -> None:
        """Tell what a message answers, if that leaves room for words."""
        # Without a quotation (section 3.2): the bot's answers say themselves what they are about.
        to = {"to": answers.author, "id": answers.message_id}
        reference = Element("{urn:xmpp:reply:0}reply", to)
        message.xml.append(reference)
        if self._room_for_text(message) < LEAST_BYTES:
            message.xml.remove(reference)

    def _room_for_text(self, message: Message) -> int:
        """How many bytes more fit in a message, its id included, on all of its way."""
        most = min(self._stream.stanza_limit_bytes, SAFE_BYTES) - SERVER_BYTES
        return most - stanza_bytes(message.xml, self._stream.default_ns)

    async def _send(self, to: Address, message: Message) -> None:
        self._said[str(message["id"])] = None
        message.xml.append(Element(f"{{{STANZA_IDS}}}origin-id", {"id": message["id"]}))
        if to.kind is AddressKind.ROOM:
            await self._flow.send(to.jid, message)
        elif to.kind is AddressKind.ROOM_PRIVATE:
            self._flow.send_aside(to.jid, message)
        else:
            if message["to"].resource:
                self._to_clients[str(message["id"])] = message
            message.send()


def addressee(message: Message) -> Address | None:
    """Return to whom a message of the bot's is; None for one that went to an occupant in private.

    Its address alone does not tell who that was.
    """
    if first(message.xml, MUC_USER, "x") is not None:
        return None
    kind = AddressKind.ROOM if message["type"] == "groupchat" else AddressKind.CHAT
    return Address(str(message["to"]), kind)


def _sayable(text: str) -> str:
    """Leave of a text what can be sent: XML characters only, and not without an end."""
    clean = sayable(text)
    return clean if len(clean) <= MAX_TEXT else f"{clean[: MAX_TEXT - 1]}…"


def first_part(text: str, most_bytes: int) -> tuple[str, str]:
    """Cut a text after at most so many bytes, and return both parts.

    The cut is at the end of a line if there is one in the later half, else at a blank, else anywhere; the
    line end or the blank is dropped. The first part has at least one character.
    """
    fitting = _fitting(text, most_bytes)
    if fitting == len(text):
        return text, ""
    fitting = max(fitting, 1)
    for position in ("\n", " "):
        end = text.rfind(position, fitting // 2, fitting + 1)
        if end > 0:
            return text[:end], text[end + 1 :]
    return text[:fitting], text[fitting:]


def _fitting(text: str, most_bytes: int) -> int:
    """How many characters from the beginning fit."""
    for place, character in enumerate(text):
        most_bytes -= _ESCAPED.get(character) or len(character.encode())
        if most_bytes < 0:
            return place
    return len(text)
