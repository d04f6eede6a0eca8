"""Messages that the server may not have heard, because their session is gone (XEP-0198).

slixmpp sends what is unacknowledged again in a session that is resumed, and drops it where that is refused.
The messages among it are said again in the next session, with the ids that they had: twice rather than
never, and who gets one twice can tell (section 5). Iqs are not: nobody waits for their answers any more.
"""

import logging
from collections import deque
from typing import Any, Final
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP
from slixmpp.stanza import Message

from filebot.protocol.sharing.xmlns import HINTS
from filebot.xmpp.elements import MUC_USER, first

log = logging.getLogger(__name__)

MOST: Final = 1_000
"""Messages; of more, the last ones. Servers acknowledge every few."""
MOST_CHARACTERS: Final = 4_000_000
"""Of these in all."""
COUNTER: Final = 2**32
"""Section 4: counters wrap here."""


class Unheard:
    """Keeps such messages of one stream."""

    def __init__(self, stream: ClientXMPP) -> None:
        self._stream = stream
        self._kept: deque[Message] = deque(maxlen=MOST)
        # Who binds a resource is in a new session, and slixmpp drops what it has of the old one.
        stream.add_event_handler("session_bind", lambda _: self._keep())
        # Not at the beginning of the session: that is before its stanzas are counted.
        stream.add_event_handler("stream_negotiated", lambda _: self._say_again())

    def refused(self, failed: Element) -> None:
        """The server does not resume the session. To be called before slixmpp hears of it."""
        management: Any = self._stream.plugin["xep_0198"]
        unacked, heard = management.unacked_queue, failed.get("h", "")
        # Section 5: the server may say how much it had heard, if it still knows.
        if heard.isascii() and heard.isdigit():
            count = (int(heard) - management.last_ack) % COUNTER
            for _ in range(count if count <= len(unacked) else 0):
                unacked.popleft()
        self._keep()

    def _keep(self) -> None:
        unacked = self._stream.plugin["xep_0198"].unacked_queue
        self._kept.extend(stanza for _, stanza in unacked if _is_worth_repeating(stanza))
        unacked.clear()
        left = MOST_CHARACTERS
        for count, stanza in enumerate(reversed(self._kept)):
            left -= len(str(stanza["body"]))
            if left < 0:
                log.warning("%d messages are too much to be said again", len(self._kept) - count)
                self._kept = deque([*self._kept][len(self._kept) - count :], MOST)
                break

    def _say_again(self) -> None:
        if self._kept:
            log.info("saying %d messages again that the last session may have lost", len(self._kept))
        while self._kept:
            self._stream.send(self._kept.popleft())


def _is_worth_repeating(stanza: object) -> bool:
    if not isinstance(stanza, Message):
        return False
    # What went to an occupant in private may be for somebody else by now: nicks change hands.
    return first(stanza.xml, HINTS, "no-store") is None and first(stanza.xml, MUC_USER, "x") is None
