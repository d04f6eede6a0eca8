"""The bot's account at the beginning of each session: what its server offers, and the first presence."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from filebot.xmpp.archive.first_session import FLEXIBLE_OFFLINE, FirstPlace, first_presence
from filebot.xmpp.archive.mam_query import MAM
from filebot.xmpp.connection.disco import features_of
from filebot.xmpp.connection.stream import ClientStream, Stream
from filebot.xmpp.messages.carbons import CARBONS, enable_carbons
from filebot.xmpp.presence import roster
from filebot.xmpp.xml import STANZA_IDS

log = logging.getLogger(__name__)

FEATURES_LIMIT_S: Final = 5.0


class Account:
    """The account in the present session, as the server describes it. A component has no account."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._own: frozenset[str] | None = None
        self._server: frozenset[str] | None = None

    async def begin(self) -> None:
        """A new session: ask the account and its server at once. Silence is no reason to fail."""
        if not self._stream.is_component:
            jid = self._stream.boundjid
            self._own, self._server = await asyncio.gather(
                self._features(jid.bare), self._features(jid.domain)
            )

    async def gives_archive_ids(self) -> bool | None:
        """Whether messages come with the id that the archive gives them (XEP-0359).

        None if the server does not say; it is asked again the next time.
        """
        if self._own is None:
            self._own = await self._features(self._stream.boundjid.bare)
        # By the account alone: what the server has, it may have for rooms only.
        return None if self._own is None else self._own >= {MAM, STANZA_IDS}

    async def enter(self) -> None:
        """Have everything delivered that is for the account: before the first presence."""
        if isinstance(self._stream, ClientStream):
            await roster.fetch(self._stream)
            if self._has(CARBONS):
                await enable_carbons(self._stream)

    async def become_available(self, place: FirstPlace, announce: Callable[[], None]) -> None:
        """Send the first presence (``announce``), with care for what the server had kept back."""
        if place.has_place:
            announce()
        else:
            flexible = self._has(FLEXIBLE_OFFLINE)
            await first_presence(self._stream, place, flexible=flexible, announce=announce)

    def _has(self, feature: str) -> bool:
        """Servers differ in whose feature it is."""
        return feature in (self._own or ()) or feature in (self._server or ())

    async def _features(self, jid: str) -> frozenset[str] | None:
        """None if nobody answers."""
        try:
            return await features_of(self._stream, jid, FEATURES_LIMIT_S) or frozenset()
        except TimeoutError:
            log.warning("%s does not say what it offers", jid)
            return None
