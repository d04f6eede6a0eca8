"""The first session of an account, in which nothing tells yet where in its archive the bot began.

Theory of operation. The first presence makes the server deliver what it had kept for the account, and
forget it. Those messages are in the archive as well, behind a history that is not the bot's business. Only
their ids and times tell where the one ends and the other begins, so these have to be on the disk before the
server forgets. A kill at any moment then finds the messages either in the place where the server keeps
them, or behind the position.

* A server that lets a client look at what it keeps (XEP-0013) is asked for that before the first presence.
  Then it removes the messages only when it is told to. ejabberd does.
* To any other server, nothing is acknowledged (XEP-0198) between the first presence and the moment when the
  position is saved: what a lost session did not acknowledge is kept again. Prosody does that, but not for a
  session that has asked for the archive. So the archive is not asked for before.

Servers that have neither leave a gap of some milliseconds.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from xml.etree.ElementTree import Element, SubElement

from slixmpp.exceptions import XMPPError

from filebot.protocol.disco import INFO
from filebot.xmpp.connection.ping import server_answers
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)

FLEXIBLE_OFFLINE: Final = "http://jabber.org/protocol/offline"  # XEP-0013
LIMIT_S: Final = 20.0
"""For all that the server had kept back to arrive."""
SLACK: Final = timedelta(seconds=1)
"""A message is archived a little before the server notes that nobody is there for it."""

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The place in an archive that was empty at first, whatever the clocks say."""


@dataclass(frozen=True, slots=True)
class KeptBack:
    """A message that the server had kept."""

    archive_id: str
    since: datetime


def earliest(known: KeptBack | None, came: KeptBack) -> KeptBack:
    """Return where what was kept back begins, as far as is known now that a message more has come.

    The server gives it in its order. The stamp may be the sender's: not every server takes out one in its
    name. So it moves the time, and neither the place nor anything out of the calendar.
    """
    since = max(came.since, BEGINNING + SLACK)
    return (
        KeptBack(came.archive_id, since) if known is None else replace(known, since=min(known.since, since))
    )


class FirstPlace(Protocol):
    """Part of :class:`filebot.xmpp.archive.catchup.CatchUp` that finds the place in the archive."""

    @property
    def has_place(self) -> bool: ...

    async def begin_before_kept_back(self) -> None: ...

    async def find_place(self) -> None: ...


async def first_presence(
    stream: Stream, place: FirstPlace, *, flexible: bool, announce: Callable[[], None]
) -> None:
    """Take what the server had kept back, and be available (``announce``)."""
    with stream.acks.held():
        # From now on the server gives nothing away unasked.
        looks = flexible and await _is_looked_at(stream)
        announce()
        if looks:
            # COMPAT(ejabberd, 23.01): fetched before the presence, they go back to their senders as errors.
            await _offline(stream, "fetch")
        await _until_delivered(stream)
        await place.begin_before_kept_back()
    await place.find_place()
    if looks:
        await _offline(stream, "purge")


async def _is_looked_at(stream: Stream) -> bool:
    """Ask how much is kept back (XEP-0013 section 2.3): whoever has asked is sent none of it unasked."""
    iq = stream.make_iq_get(ito=stream.boundjid.bare)
    iq.append(Element(f"{{{INFO}}}query", {"node": FLEXIBLE_OFFLINE}))
    try:
        await ask(stream, iq, LIMIT_S)
    except XMPPError as error:
        log.warning("what the server kept back: %s", error.condition)
        return False
    return True


async def _offline(stream: Stream, action: str) -> bool:
    """Have something done with all that is kept back (XEP-0013 sections 2.6 and 2.7)."""
    iq = stream.make_iq_get() if action == "fetch" else stream.make_iq_set()
    SubElement(iq.xml, f"{{{FLEXIBLE_OFFLINE}}}offline").append(Element(f"{{{FLEXIBLE_OFFLINE}}}{action}"))
    try:
        await ask(stream, iq, LIMIT_S)
    except XMPPError as error:
        log.warning("what the server kept back (%s): %s", action, error.condition)
        return False
    return True


async def _until_delivered(stream: Stream) -> None:
    """Return when the server has answered what was sent after the presence (RFC 6120 section 10.1)."""
    if not await server_answers(stream, LIMIT_S):
        log.warning("the server does not answer")
