"""Which clients of the people who are served are online, and by which streams they take files.

Presences tell who is there; disco#info (XEP-0030) of the full JID tells what it can do, asked only when
somebody wants to know. XEP-0115 gives a name to a set of features: while it stays the same in a client's
presences, the answer holds. It is not shared between clients, so nobody can lie about another's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from filebot.model import BareJid, Client, Method, Negotiation
from filebot.protocol.elements import bounded_int
from filebot.protocol.si import features_of
from filebot.xmpp.disco import INFO, query
from filebot.xmpp.elements import first, sender_of
from filebot.xmpp.stream import Stream

ANSWER_LIMIT_S: Final = 10.0
MOST_PEOPLE: Final = 10_000
MOST_CLIENTS: Final = 16
"""Of one person; later ones stay unknown."""
SILENT_FOR_S: Final = 60.0
"""How long a client that did not answer is not asked again."""

_CORRECT: Final = "urn:xmpp:message-correct:0"
_CAPS: Final = "http://jabber.org/protocol/caps"
_SHOWS: Final = ("chat", "", "away", "dnd", "xa")
"""The likeliest to have a person in front of it first (RFC 6121 section 4.7.2.1)."""


@dataclass(slots=True)
class _Online:
    caps: str
    priority: int
    show: str
    methods: frozenset[Method] | None = None
    corrects: bool = False
    ask_again_at: float = 0.0


class Resources:
    """Fed with presences; asks for features."""

    def __init__(self, stream: Stream, is_served: Callable[[str], bool]) -> None:
        self._stream = stream
        self._is_served = is_served
        self._people: dict[BareJid, dict[str, _Online]] = {}

    def presence(self, stanza: Element) -> None:
        """Take a presence that is not from a room."""
        sender = sender_of(stanza)
        if sender is None or not sender.resource:
            return
        kind = stanza.get("type")
        if kind in {"unavailable", "error"}:
            self._gone(sender.bare, sender.full)
        elif kind is None and self._is_served(sender.bare) and sender.bare != self._stream.boundjid.bare:
            self._came(sender.bare, sender.full, stanza)

    def forget(self) -> None:
        """A new session is sent all presences again."""
        self._people.clear()

    async def clients(self, jid: BareJid) -> list[Client]:
        """Those that take files by a stream, the likeliest to be used first."""
        online = dict(self._people.get(jid, {}))
        await asyncio.gather(*(self._inspect(full, client) for full, client in online.items()))
        ranked = sorted(online.items(), key=lambda each: _rank(each[1]))
        return [_described(full, client) for full, client in ranked if client.methods]

    async def all_correct(self, jid: BareJid) -> bool:
        """Whether each of the person's clients shows corrections (XEP-0308); no if none is online."""
        online = dict(self._people.get(jid, {}))
        await asyncio.gather(*(self._inspect(full, client) for full, client in online.items()))
        return bool(online) and all(client.corrects for client in online.values())

    def methods(self, full: str) -> frozenset[Method]:
        """What is known of this client; nothing if it was never asked."""
        client = self._people.get(full.partition("/")[0], {}).get(full)
        return frozenset() if client is None or client.methods is None else client.methods

    def _came(self, bare: BareJid, full: str, stanza: Element) -> None:
        clients = self._people.setdefault(bare, {})
        caps = first(stanza, _CAPS, "c")
        name = "" if caps is None else f"{caps.get('node')}#{caps.get('ver')}"
        online = clients.get(full)
        if online is None or not name or online.caps != name:
            if online is None and len(clients) >= MOST_CLIENTS:
                return
            online = clients[full] = _Online(name, 0, "")
        online.priority = _number(stanza, "priority")
        online.show = _text(stanza, "show")
        if len(self._people) > MOST_PEOPLE:
            del self._people[next(iter(self._people))]

    def _gone(self, bare: BareJid, full: str) -> None:
        clients = self._people.get(bare, {})
        clients.pop(full, None)
        if not clients:
            self._people.pop(bare, None)

    async def _inspect(self, full: str, client: _Online) -> None:
        loop = asyncio.get_running_loop()
        if client.methods is not None and (client.methods or loop.time() < client.ask_again_at):
            return
        info = await query(self._stream, full, INFO, ANSWER_LIMIT_S)
        client.methods = frozenset() if info is None else features_of(info)
        client.corrects = info is not None and any(each.get("var") == _CORRECT for each in info)
        client.ask_again_at = loop.time() + SILENT_FOR_S


def _described(full: str, client: _Online) -> Client:
    methods = client.methods or frozenset()
    return Client(full, {Negotiation.SI: methods}, client.caps.partition("#")[0])


def _rank(client: _Online) -> tuple[int, int]:
    place = _SHOWS.index(client.show) if client.show in _SHOWS else len(_SHOWS)
    return -client.priority, place


def _text(stanza: Element, name: str) -> str:
    return (stanza.findtext(f"{stanza.tag.rpartition('}')[0]}}}{name}") or "").strip()


def _number(stanza: Element, name: str) -> int:
    """A priority, -128 to 127 (RFC 6121 section 4.7.2.3); 0 if it is none."""
    text = _text(stanza, name)
    size = bounded_int(text.removeprefix("-"), 128)
    return 0 if size is None else -size if text.startswith("-") else size
