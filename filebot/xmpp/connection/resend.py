"""Messages that the server may not have heard, because their session is gone (XEP-0198).

slixmpp sends what is unacknowledged again in a session that is resumed, and drops it where that is refused.
The messages among it are said again in the next session, with the ids that they had. Where the server does
not say how much it had heard, its archives are asked first; where those do not tell, a message is said
twice rather than never, and who gets one twice can tell (section 5). Iqs are not said again: nobody waits
for their answers any more.

One of them may be why the session ended: a server ends the stream for a stanza that it does not take. After
such an end they are repeated one by one, each when the one before is acknowledged, until none of them is
left, however many connections break meanwhile. So the next end shows which it was, and that one is given
up.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element

from cachetools import LRUCache
from slixmpp.stanza import Message

from filebot.protocol.file_sharing.namespaces import HINTS
from filebot.protocol.xml import first
from filebot.xmpp.xml import MUC_USER

if TYPE_CHECKING:
    from filebot.xmpp.connection.stream import ClientStream

log = logging.getLogger(__name__)

MOST: Final = 1_000
"""Messages; of more, the last ones. Servers acknowledge every few."""
MOST_CHARACTERS: Final = 4_000_000
"""Length of their texts in all."""
COUNTER: Final = 2**32
"""Section 4: counters wrap here."""
ACK_LIMIT_S: Final = 10.0
"""How long the next of the suspects waits for the one before to be acknowledged."""

GIVEN_UP_AT: Final = 10
BLAMED: Final = 5
"""Weight of a session that ended with the server's complaint: two of these are enough. Connections that
just broke say little of a message; each counts 1, so that nothing is repeated for ever."""

MOST_TOLD: Final = 3
"""How often an addressee is told that a message was given up: perhaps all that goes there ends sessions."""

# RFC 6120 section 4.9.3: ends for which a stanza of ours may be the cause.
_COMPLAINTS: Final = frozenset(
    {
        "bad-format",
        "bad-namespace-prefix",
        "improper-addressing",
        "internal-server-error",
        "invalid-namespace",
        "invalid-xml",
        "not-well-formed",
        "policy-violation",
        "resource-constraint",
        "restricted-xml",
        "undefined-condition",
        "unsupported-encoding",
        "unsupported-feature",
        "unsupported-stanza-type",
    }
)


FindLost = Callable[[Sequence[Message]], Awaitable[list[Message]]]


class UnackedResender:
    """Keeps such messages of one stream."""

    def __init__(self, stream: "ClientStream") -> None:
        self._stream = stream
        self._kept: deque[Message] = deque(maxlen=MOST)
        self._hopeless: deque[Message] = deque(maxlen=MOST)
        self._ends: LRUCache[str, int] = LRUCache(MOST)
        """How much speaks against a message, by its id."""
        self._suspects: LRUCache[str, None] = LRUCache(MOST)
        """Ids of those with which a session ended by the server's complaint."""
        self._told: LRUCache[str, int] = LRUCache(MOST)
        self._complained = False
        self._doubtful: set[str] = set()
        """Ids of those that the server may have heard."""
        self.find_lost: FindLost | None = None
        """Tells which of some messages the server has not heard."""
        self._repeating: asyncio.Task[None] | None = None
        # Binding a resource begins a new session, and slixmpp drops its queue of the old one.
        stream.add_event_handler("session_bind", lambda _: self._renew())
        # Not at the beginning of the session: that is before its stanzas are counted.
        stream.add_event_handler("stream_negotiated", lambda _: self._say_again())
        stream.add_event_handler("disconnected", lambda _: self.stop())

    def refused(self, failed: Element) -> None:
        """The server does not resume the session. To be called before slixmpp hears of it."""
        management: Any = self._stream.plugin["xep_0198"]
        unacked, heard = management.unacked_queue, failed.get("h", "")
        # Section 5: the server may say how much it had heard, if it still knows.
        tells = heard.isascii() and heard.isdigit()
        if tells:
            count = (int(heard) - management.last_ack) % COUNTER
            for _ in range(count if count <= len(unacked) else 0):
                unacked.popleft()
        self._keep(doubtful=not tells)

    def ended_by_server(self, condition: str) -> None:
        """The server ends the stream with an error (RFC 6120 section 4.9)."""
        if condition in _COMPLAINTS:
            self._complained = True
            # A resumed session would begin with the same stanzas, all at once.
            self._stream.plugin["xep_0198"].sm_id = None

    def stop(self) -> None:
        """Repeat nothing more in this session."""
        if self._repeating is not None:
            self._repeating.cancel()
            self._repeating = None

    def _renew(self) -> None:
        self._keep(doubtful=True)
        # slixmpp does so only where it has asked for the old session.
        management: Any = self._stream.plugin["xep_0198"]
        management.seq = management.last_ack = 0
        self._complained = False

    def _keep(self, *, doubtful: bool) -> None:
        unacked = self._stream.plugin["xep_0198"].unacked_queue
        again: list[Message] = []
        for _, stanza in unacked:
            if _is_worth_repeating(stanza):
                (self._hopeless if self._is_hopeless(stanza) else again).append(stanza)
        if doubtful:
            self._doubtful |= {str(each["id"]) for each in again}
        unacked.clear()
        self._kept = deque([*again, *self._kept], maxlen=MOST)
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        left = MOST_CHARACTERS
        for count, stanza in enumerate(reversed(self._kept)):
            left -= len(str(stanza["body"]))
            if left < 0:
                log.warning("%d messages are too much to be said again", len(self._kept) - count)
                self._kept = deque([*self._kept][len(self._kept) - count :], MOST)
                break

    def _is_hopeless(self, message: Message) -> bool:
        name = str(message["id"])
        if self._complained:
            self._suspects[name] = None
        self._ends[name] = self._ends.get(name, 0) + (BLAMED if self._complained else 1)
        return self._ends[name] >= GIVEN_UP_AT

    def _has_suspects(self) -> bool:
        return any(str(each["id"]) in self._suspects for each in self._kept)

    def _say_again(self) -> None:
        while self._hopeless:
            message = self._hopeless.popleft()
            to = str(message["to"])
            log.error("given up: a message to %s with which sessions ended", to)
            self._told[to] = self._told.get(to, 0) + 1
            if self._told[to] <= MOST_TOLD:
                self._stream.on_unsent(message)
        if self._has_suspects() or (self._kept and self._doubtful and self.find_lost is not None):
            self._repeating = asyncio.get_running_loop().create_task(self._repeat(), name="resend")
        else:
            self._say_kept()

    async def _repeat(self) -> None:
        """Say only what the server has not heard. If this is cut off, the next session begins anew."""
        if self._kept and self._doubtful and self.find_lost is not None:
            await self._drop_heard(self.find_lost)
        if self._has_suspects():
            await self._one_by_one()
        else:
            self._say_kept()

    async def _drop_heard(self, find_lost: FindLost) -> None:
        doubtful = [each for each in self._kept if str(each["id"]) in self._doubtful]
        try:
            lost = await find_lost(doubtful)
        except Exception:
            log.exception("it is not known what the server has heard")
            lost = doubtful
        heard = {str(each["id"]) for each in doubtful} - {str(each["id"]) for each in lost}
        self._kept = deque((each for each in self._kept if str(each["id"]) not in heard), maxlen=MOST)

    def _say_kept(self) -> None:
        self._doubtful.clear()
        if self._kept:
            log.info("saying %d messages again that the last session may have lost", len(self._kept))
        while self._kept:
            self._stream.send(self._kept.popleft())

    async def _one_by_one(self) -> None:
        self._doubtful.clear()
        heard = asyncio.Event()
        management: Any = self._stream.plugin["xep_0198"]
        while self._kept:
            message = self._kept[0]
            heard.clear()

            def acked(stanza: object, message: Message = message) -> None:
                if stanza is message:
                    heard.set()

            self._stream.add_event_handler("stanza_acked", acked)
            try:
                self._kept.popleft()
                self._stream.send(message)
                async with asyncio.timeout(ACK_LIMIT_S):
                    await self._stream.waiting_queue.join()
                    management.request_ack()
                    await heard.wait()
            except TimeoutError:
                log.info("a message to %s is not acknowledged yet", message["to"])
            finally:
                self._stream.del_event_handler("stanza_acked", acked)


def _is_worth_repeating(stanza: object) -> bool:
    if not isinstance(stanza, Message):
        return False
    # A private message to an occupant may reach somebody else by now: nicks are reused.
    return first(stanza.xml, HINTS, "no-store") is None and first(stanza.xml, MUC_USER, "x") is None
