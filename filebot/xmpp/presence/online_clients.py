"""Which clients of the people who are served are online, and by which streams they take files.

Presences tell who is there; disco#info (XEP-0030) of the full JID tells what it can do, asked only when
somebody wants to know. XEP-0115 gives a name to a set of features: while it stays the same in a client's
presences, the answer holds. It is not shared between clients, so nobody can lie about another's.

Some clients leave at once: go-sendxmpp logs in, writes and ends, in a resource that never comes again. What
is sent to it while it leaves is lost. To a client that has left already, a server sends nothing either, but
gives a chat message to the person's other clients, or keeps it (RFC 6121 section 8.5.3.2.1). So a client
that has not been seen online for a moment is given one, and then asked what it is: every client answers
that. This is done before the first answer to a client, and holds for a day.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from cachetools import FIFOCache

from filebot.concurrency.lru import DefaultLRUCache
from filebot.model import BareJid, Client, Method, Negotiation
from filebot.protocol import stream_initiation as si
from filebot.protocol.disco import INFO, features_in
from filebot.protocol.jingle import features as jingle
from filebot.protocol.jingle.quirks import quirks_of
from filebot.protocol.xml import bounded_int, first
from filebot.xmpp.connection import own_addresses as own
from filebot.xmpp.connection.disco import query
from filebot.xmpp.connection.disco_features import CAPS
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.jid import Jid
from filebot.xmpp.xml import sender_of

ANSWER_LIMIT_S: Final = 10.0
MOST_PEOPLE: Final = 10_000
MOST_CLIENTS: Final = 16
"""Clients of one person; later ones stay unknown."""
LONGEST_CAPS: Final = 300
"""Characters of the name that a client gives to its features (XEP-0115): a URL and a hash."""
LONGEST_SHOW: Final = 8
"""Characters: the longest word of RFC 6121 has four."""
SILENT_FOR_S: Final = 60.0
"""How long a client that did not answer is not asked again."""

SETTLED_S: Final = 1.0
"""Whoever has been online for so long has not come to leave at once."""
PAUSE_S: Final = 0.5
"""COMPAT(go-sendxmpp, 0.5): answers questions even while it leaves, which takes some ten milliseconds."""
CHECK_LIMIT_S: Final = 2.0
BELIEVED_FOR_S: Final = 86_400.0
"""How long an answer counts. When a client leaves meanwhile, its server knows what to do."""
MOST_CHECKED: Final = 1_000

_CORRECT: Final = "urn:xmpp:message-correct:0"
_INTERESTING: Final = frozenset(
    {_CORRECT, si.FILE_TRANSFER, *si.NAMESPACES.values(), *jingle.OWN_IN_BAND, *jingle.OWN_SOCKS5}
)
"""Nobody can make the bot remember more than these."""
_SHOWS: Final = ("chat", "", "away", "dnd", "xa")
"""The likeliest to have a person in front of it first (RFC 6121 section 4.7.2.1)."""


@dataclass(slots=True)
class _Online:
    caps: str
    priority: int
    show: str
    since_s: float
    """When it came online, or its features changed; by the clock of the event loop."""
    features: frozenset[str] | None = None
    """The features that matter here; None if it was not asked yet, or did not answer."""
    ask_again_at: float = 0.0
    own: str = ""
    """By which of its addresses the client sees the bot; empty for the main one."""

    @property
    def software(self) -> str:
        """The node of its caps."""
        return self.caps.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Known:
    """A client, as it described itself."""

    features: frozenset[str] = frozenset()
    software: str = ""
    """The node of its caps."""


@dataclass(slots=True)
class _Checked:
    """A client that was asked whether it is there."""

    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Answers wait here in their order."""
    is_there: bool = True
    ask_at_s: float = 0.0


class OnlineClients:
    """Fed with presences; asks for features."""

    def __init__(
        self,
        stream: Stream,
        is_served: Callable[[str], bool],
        on_gone: Callable[[str], None] = lambda _: None,
        on_online: Callable[[BareJid], None] = lambda _: None,
    ) -> None:
        """``on_gone`` is told the full JID of each client that goes offline, ``on_online`` whose client
        came online, or has other features now.
        """
        self._stream = stream
        self._is_served = is_served
        self._on_gone = on_gone
        self._on_online = on_online
        self._people = FIFOCache[BareJid, dict[str, _Online]](MOST_PEOPLE)
        self._checked = DefaultLRUCache[str, _Checked](MOST_CHECKED, _Checked)

    def presence(self, stanza: Element) -> None:
        """Take a presence that is not from a room."""
        sender = sender_of(stanza)
        if sender is None or not sender.resource:
            return
        kind = stanza.get("type")
        if kind in {"unavailable", "error"}:
            self._gone(sender.bare, sender.full)
            self._checked.pop(sender.full, None)
            self._on_gone(sender.full)
        elif kind is None and self._is_served(sender.bare) and not own.is_own(self._stream, sender):
            self._came(sender.bare, sender.full, stanza)

    def forget(self) -> None:
        """A new session is sent all presences again."""
        self._people.clear()

    async def clients(self, jid: BareJid) -> list[Client]:
        """Return the clients that take files by a stream, the likeliest to be used first."""
        return [client for client in await self.present(jid) if client.methods]

    async def present(self, jid: BareJid) -> list[Client]:
        """All of the person's, the likeliest to be used first."""
        online = await self._inspected(jid)
        ranked = sorted(online.items(), key=lambda each: _rank(each[1]))
        return [Client(full, _streams(client), client.software) for full, client in ranked]

    async def all_correct(self, jid: BareJid) -> bool:
        """Whether each of the person's clients shows corrections (XEP-0308); no if none is online."""
        online = await self._inspected(jid)
        return bool(online) and all(_CORRECT in (client.features or ()) for client in online.values())

    def known(self, full: str) -> Known:
        """Return what is known of this client; nothing if it was never asked."""
        client = self._people.get(full.partition("/")[0], {}).get(full)
        return Known() if client is None else Known(client.features or frozenset(), client.software)

    def online_for_s(self, full: str) -> float:
        """For how long a client has been online with these features; 0 if it is not."""
        client = self._people.get(full.partition("/")[0], {}).get(full)
        return 0.0 if client is None else self._stream.loop.time() - client.since_s

    async def is_there(self, client: Jid, known_as: BareJid = "") -> bool:
        """Return whether a client that wrote still reads what is sent to it.

        It is asked from the address that it knows (``known_as``): some answer no strangers. Takes
        ``PAUSE_S + CHECK_LIMIT_S`` at most.
        """
        if self.online_for_s(client.full) >= SETTLED_S or not self._stream.is_online:
            return True
        checked, now_s = self._checked[client.full], self._stream.loop.time
        async with checked.asking:
            if now_s() >= checked.ask_at_s:
                await asyncio.sleep(PAUSE_S)
                asker = own.full(self._stream, known_as)
                info = await query(self._stream, client.full, INFO, CHECK_LIMIT_S, own=asker)
                checked.is_there = info is not None
                checked.ask_at_s = now_s() + (BELIEVED_FOR_S if checked.is_there else SILENT_FOR_S)
            return checked.is_there

    def own_for(self, full: str) -> str:
        """By which full JID of the bot to write to this client: a component has many addresses."""
        client = self._people.get(full.partition("/")[0], {}).get(full)
        return own.full(self._stream, "" if client is None else client.own)

    async def _inspected(self, jid: BareJid) -> dict[str, _Online]:
        online = dict(self._people.get(jid, {}))
        await asyncio.gather(*(self._inspect(full, client) for full, client in online.items()))
        return online

    def _came(self, bare: BareJid, full: str, stanza: Element) -> None:
        clients = self._people.setdefault(bare, {})
        caps = first(stanza, CAPS, "c")
        name = "" if caps is None else f"{caps.get('node')}#{caps.get('ver')}"[:LONGEST_CAPS]
        online = clients.get(full)
        new = online is None or not name or online.caps != name
        if online is None or new:
            if online is None and len(clients) >= MOST_CLIENTS:
                return
            online = clients[full] = _Online(name, 0, "", self._stream.loop.time())
        if self._stream.is_component:
            online.own = stanza.get("to", "")
        online.priority = _number(stanza, "priority")
        online.show = _text(stanza, "show")[:LONGEST_SHOW]
        if new:
            self._on_online(bare)

    def _gone(self, bare: BareJid, full: str) -> None:
        clients = self._people.get(bare, {})
        clients.pop(full, None)
        if not clients:
            self._people.pop(bare, None)

    async def _inspect(self, full: str, client: _Online) -> None:
        loop = asyncio.get_running_loop()
        if client.features or loop.time() < client.ask_again_at:
            return
        info = await query(self._stream, full, INFO, ANSWER_LIMIT_S, own=own.full(self._stream, client.own))
        client.features = None if info is None else features_in(info) & _INTERESTING
        client.ask_again_at = loop.time() + SILENT_FOR_S


def _streams(client: _Online) -> dict[Negotiation, frozenset[Method]]:
    features = client.features or frozenset()
    by_jingle = jingle.methods_of(features)
    quirks = quirks_of(client.software)
    if not quirks.takes_files:
        return {}
    if not quirks.takes_in_band:
        by_jingle -= {Method.IBB}
    able = {Negotiation.JINGLE: by_jingle, Negotiation.SI: si.methods_of(features)}
    return {negotiation: methods for negotiation, methods in able.items() if methods}


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
