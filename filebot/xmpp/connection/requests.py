"""Requests (iq) to others, and their results."""

import asyncio
import logging
from typing import Any

from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.stanza import Iq

from filebot.xmpp.connection.oversized import as_error
from filebot.xmpp.connection.stream import Stream

log = logging.getLogger(__name__)


async def ask(stream: Stream, iq: Iq, limit_s: float) -> Iq:
    """Send a request and return its result, within ``limit_s`` seconds in all.

    Without a session it is not sent before there is one. slixmpp would keep it until then, also if nobody
    waits for the answer any more, and after a long outage send thousands of such before all else.

    Raises slixmpp's IqError or IqTimeout, both XMPPError. One that is too large for the server is not sent,
    and raises the IqError with which a server would refuse it.
    """
    deadline = stream.loop.time() + limit_s
    try:
        async with asyncio.timeout_at(deadline):
            await stream.session()
    except TimeoutError:
        raise IqTimeout(iq) from None  # type: ignore[no-untyped-call]  # untyped in slixmpp
    if not stream.fits(iq):
        log.error("not sent: an iq to %s, larger than %d bytes", iq["to"], stream.stanza_limit_bytes)
        refusal = as_error(iq.reply(), "policy-violation")  # type: ignore[no-untyped-call]
        raise IqError(refusal)  # type: ignore[no-untyped-call]  # untyped in slixmpp
    limit_s = deadline - stream.loop.time()
    answer: asyncio.Future[Any] = iq.send(timeout=limit_s)  # type: ignore[no-untyped-call]  # untyped in slixmpp
    try:
        result = await answer
    except asyncio.CancelledError:
        # Otherwise slixmpp would keep the question, and its timer, until the limit.
        stream.cancel_schedule(f"IqTimeout_{iq['id']}")
        stream.remove_handler(f"IqCallback_{iq['id']}")
        raise
    assert isinstance(result, Iq)  # noqa: S101  # a get or set has nothing else as its result
    return result
