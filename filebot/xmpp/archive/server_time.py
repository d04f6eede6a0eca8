"""The time of the bot's server: by Entity Time (XEP-0202), or by the newest stamp in the bot's archive.

Not every server has Entity Time (ejabberd: ``mod_time``). What it has archived last for the bot was stamped
by it then (XEP-0313, XEP-0203), so its time is that or later.
"""

import logging
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from slixmpp.exceptions import IqError, XMPPError

from filebot.errors import PeerProtocolError
from filebot.protocol.xml import first
from filebot.system.server_clock import ServerClock, ServerTime
from filebot.xmpp.archive.mam_query import MessageArchive
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.error_conditions import cause

log = logging.getLogger(__name__)

TIME: Final = "urn:xmpp:time"
LIMIT_S: Final = 10.0


class ServerTimes:
    """Asks the server, and sets the bot's clock by what it says."""

    def __init__(self, stream: Stream, clock: ServerClock) -> None:
        self._stream = stream
        self._clock = clock
        self._archive = MessageArchive(stream, stream.boundjid.bare)
        self._warned = False

    async def read(self) -> ServerTime | None:
        """The server's time just now; None if it is not to be had, within some seconds."""
        told = await self.exact()
        if told is None and not self._stream.is_component:
            told = await self._newest_stamp()
        return told

    async def exact(self) -> ServerTime | None:
        """The same by Entity Time alone."""
        iq = self._stream.make_iq_get(ito=self._stream.server_domain, ifrom=self._stream.boundjid)
        SubElement(iq.xml, f"{{{TIME}}}time")
        try:
            answer = await ask(self._stream, iq, LIMIT_S)
        except IqError as error:
            if not self._warned:
                log.warning(
                    "%s does not tell its time (%s): what is too old is removed only as far as its stamps "
                    "show the time; switch Entity Time on there (ejabberd: mod_time)",
                    self._stream.server_domain,
                    error.condition,
                )
            self._warned = True
            return None
        except XMPPError:
            return None
        at = _utc(answer.xml)
        return None if at is None else self._noted(ServerTime(at))

    async def _newest_stamp(self) -> ServerTime | None:
        try:
            newest = await self._archive.newest()
        except (XMPPError, PeerProtocolError) as error:
            log.info("the archive tells no time: %s", cause(error))
            return None
        return None if newest is None else self._noted(ServerTime(newest.at, exact=False))

    def stamped(self, at: datetime) -> None:
        """The server put this stamp on something of the bot's."""
        self._clock.told(ServerTime(at, exact=False))

    def _noted(self, told: ServerTime) -> ServerTime:
        self._clock.told(told)
        return told


def _utc(answer: Element) -> datetime | None:
    time = first(answer, TIME, "time")
    utc = "" if time is None else (time.findtext(f"{{{TIME}}}utc") or "").strip()
    try:
        at = datetime.fromisoformat(utc)
    except ValueError:
        return None
    # XEP-0082: what has no offset is not allowed there.
    return None if at.tzinfo is None else at.astimezone(UTC)
