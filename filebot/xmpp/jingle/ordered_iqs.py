"""The iqs of one Jingle session, sent one at a time (XEP-0166)."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from slixmpp.exceptions import IqError, XMPPError

from filebot.protocol.jingle.actions import Action, Jingle
from filebot.protocol.jingle.effects import SendJingle
from filebot.protocol.stanza_error import StanzaError, read_error
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

ANSWER_S: Final = 15.0
"""For the bare answer to an iq, which a client gives without asking anybody."""


class OrderedIqs:
    """Queue of iqs to one peer."""

    def __init__(
        self,
        stream: Stream,
        fast_path: IqFastPath,
        peer: str,
        own: str,
        *,
        start: Callable[[Coroutine[Any, Any, None]], None],
        refused: Callable[[Jingle, StanzaError], None],
    ) -> None:
        """``start`` runs work in a task of the session; ``refused`` is told of errors."""
        self._stream = stream
        self._fast_path = fast_path
        self._peer = peer
        self._own = own
        self._start = start
        self._refused = refused
        self._waiting: deque[SendJingle] = deque()
        self._is_sending = False

    def send(self, effect: SendJingle) -> None:
        """Send it after those that wait already."""
        self._waiting.append(effect)
        if not self._is_sending:
            self._is_sending = True
            self._start(self._send_all())

    def send_the_rest(self) -> None:
        """Send all at once that still waits; nobody waits for the answers any more."""
        while self._waiting:
            self._fast_path.tell(self._peer, self._own, self._waiting.popleft().jingle.element())

    async def _send_all(self) -> None:
        """Wait for each answer first: COMPAT(Conversations): takes two of them for reordered."""
        try:
            while self._waiting:
                effect = self._waiting[0]
                if effect.after_s:
                    await asyncio.sleep(effect.after_s)
                self._waiting.popleft()
                error = await self._ask(effect.jingle)
                if error is not None:
                    log.info("%s refuses %s: %s", self._peer, effect.jingle.action.value, error)
                    self._refused(effect.jingle, error)
        finally:
            self._is_sending = False

    async def _ask(self, jingle: Jingle) -> StanzaError | None:
        iq = self._stream.make_iq_set(jingle.element(), ito=self._peer, ifrom=self._own)
        try:
            await ask(self._stream, iq, ANSWER_S)
        except IqError as error:
            return read_error(error.iq.xml)
        except XMPPError:
            if jingle.action is Action.SESSION_INITIATE:
                return StanzaError("remote-server-timeout")
        return None
