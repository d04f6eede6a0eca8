"""Messages that the server may not have heard, because their session is gone (XEP-0198).

slixmpp sends what is unacknowledged again in a session that is resumed, and drops it where that is refused.
The messages among it are said again in the next session, with the ids that they had. Where the server does
not say how much it had heard, its archives are asked first; where those do not tell, a message is said
twice rather than never, and who gets one twice can tell (section 5). Iqs are not said again: nobody waits
for their answers any more.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP
from slixmpp.stanza import Message

from filebot.protocol.sharing.xmlns import HINTS
from filebot.xmpp.elements import MUC_USER, first

log = logging.getLogger(__name__)

MOST: Final = 1_000
"""Messages; of more, the last ones. Servers acknowledge every few."""
FindLost = Callable[[Sequence[Message]], Awaitable[list[Message]]]
COUNTER: Final = 2**32
"""Section 4: counters wrap here."""


class Unheard:
    """Keeps such messages of one stream."""

    def __init__(self, stream: ClientXMPP) -> None:
        self._stream = stream
        self._kept: deque[Message] = deque(maxlen=MOST)
        self._doubtful: set[str] = set()
        """Ids of those that the server may have heard."""
        self.find_lost: FindLost | None = None
        """Tells which of some messages the server has not heard."""
        self._asking: asyncio.Task[None] | None = None
        # Who binds a resource is in a new session, and slixmpp drops what it has of the old one.
        stream.add_event_handler("session_bind", lambda _: self._keep())
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

    def stop(self) -> None:
        """The session ends: ask nothing more in it."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _keep(self, *, doubtful: bool = True) -> None:
        unacked = self._stream.plugin["xep_0198"].unacked_queue
        again = [stanza for _, stanza in unacked if _is_worth_repeating(stanza)]
        self._kept.extend(again)
        if doubtful:
            self._doubtful |= {str(each["id"]) for each in again}
        unacked.clear()

    def _say_again(self) -> None:
        if self._kept and self._doubtful and self.find_lost is not None:
            asking = self._ask_and_say(self.find_lost)
            self._asking = asyncio.get_running_loop().create_task(asking, name="unheard")
        else:
            self._say_kept()

    async def _ask_and_say(self, find_lost: FindLost) -> None:
        """Say only what the server has not heard. If this is cut off, the next session begins anew."""
        doubtful = [each for each in self._kept if str(each["id"]) in self._doubtful]
        try:
            lost = await find_lost(doubtful)
        except Exception:
            log.exception("it is not known what the server has heard")
            lost = doubtful
        heard = {str(each["id"]) for each in doubtful} - {str(each["id"]) for each in lost}
        self._kept = deque((each for each in self._kept if str(each["id"]) not in heard), maxlen=MOST)
        self._say_kept()

    def _say_kept(self) -> None:
        self._doubtful.clear()
        if self._kept:
            log.info("saying %d messages again that the last session may have lost", len(self._kept))
        while self._kept:
            self._stream.send(self._kept.popleft())


def _is_worth_repeating(stanza: object) -> bool:
    if not isinstance(stanza, Message):
        return False
    # What went to an occupant in private may be for somebody else by now: nicks change hands.
    return first(stanza.xml, HINTS, "no-store") is None and first(stanza.xml, MUC_USER, "x") is None
