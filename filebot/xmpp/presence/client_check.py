"""Whether a client that wrote is still there to read the answer.

Some clients leave at once: go-sendxmpp logs in, writes and ends, in a resource that never comes again. What
is sent to it while it leaves is lost. To a client that has left already, a server sends nothing either, but
gives a chat message to the person's other clients, or keeps it (RFC 6121 section 8.5.3.2.1).

So a client that has not been seen online for a moment is given one, and then asked what it is (XEP-0030):
every client answers that. This is done before the first answer to a client, and holds for a day.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from slixmpp.jid import JID

from filebot.concurrency.lru import DefaultLRUCache
from filebot.model import BareJid
from filebot.protocol.disco import INFO
from filebot.xmpp.connection.disco import query
from filebot.xmpp.connection.own_addresses import full
from filebot.xmpp.connection.stream import Stream

SETTLED_S: Final = 1.0
"""Whoever has been online for so long has not come to leave at once."""
PAUSE_S: Final = 0.5
"""COMPAT(go-sendxmpp, 0.5): answers questions even while it leaves, which takes some ten milliseconds."""
ANSWER_LIMIT_S: Final = 2.0
BELIEVED_FOR_S: Final = 86_400.0
"""How long an answer counts. When a client leaves meanwhile, its server knows what to do."""
SILENT_FOR_S: Final = 60.0
"""How long a client that did not answer is not asked again."""
MOST_CLIENTS: Final = 1_000


@dataclass(slots=True)
class _Client:
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Answers wait here in their order."""
    is_there: bool = True
    ask_at_s: float = 0.0


class ClientCheck:
    """Asks clients, and remembers what came of it."""

    def __init__(self, stream: Stream, online_for_s: Callable[[str], float]) -> None:
        """``online_for_s`` tells of a full JID for how long its presence is known; 0 if it is not."""
        self._stream = stream
        self._online_for_s = online_for_s
        self._clients = DefaultLRUCache[str, _Client](MOST_CLIENTS, _Client)

    async def is_there(self, client: JID, own: BareJid = "") -> bool:
        """Return whether a client is there; takes ``PAUSE_S + ANSWER_LIMIT_S`` at most.

        It is asked from the address that it knows (``own``): some answer no strangers.
        """
        if self._online_for_s(client.full) >= SETTLED_S or not self._stream.is_online:
            return True
        known, now_s = self._clients[client.full], self._stream.loop.time
        async with known.asking:
            if now_s() >= known.ask_at_s:
                await asyncio.sleep(PAUSE_S)
                asker = full(self._stream, own)
                info = await query(self._stream, client.full, INFO, ANSWER_LIMIT_S, own=asker)
                known.is_there = info is not None
                known.ask_at_s = now_s() + (BELIEVED_FOR_S if known.is_there else SILENT_FOR_S)
            return known.is_there

    def gone(self, full: str) -> None:
        """Note that a client went offline."""
        self._clients.pop(full, None)
