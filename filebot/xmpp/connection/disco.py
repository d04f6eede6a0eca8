"""Asking others what they are and what they have (XEP-0030)."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.exceptions import XMPPError

from filebot.protocol.disco import INFO, ITEMS, features_in, identities_in, jids_in
from filebot.protocol.xml import first
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.error_conditions import cause

log = logging.getLogger(__name__)

MOST_ITEMS: Final = 50
"""Services of a server that are asked what they are."""

_NO_ANSWER: Final = frozenset({"remote-server-timeout", "remote-server-not-found"})
"""The first one is what slixmpp makes of silence, too."""


async def query(
    stream: Stream, jid: str, namespace: str, limit_s: float, *, own: str = ""
) -> Element | None:
    """Return the ``<query/>`` that comes back for an empty one; None for errors and silence.

    ``own`` is the address that asks; empty for the one by which the bot is in rooms.
    """
    found, _ = await answer_about(stream, jid, namespace, limit_s, own)
    return found


async def features_of(stream: Stream, jid: str, limit_s: float) -> frozenset[str] | None:
    """Return the features that somebody names; none if they refuse to say.

    None if their server says that there is no such address. Raises TimeoutError if nobody answers within
    ``limit_s`` seconds, or only to tell that it is no time to ask.
    """
    found, error = await answer_about(stream, jid, INFO, limit_s)
    if isinstance(error, XMPPError):
        if error.condition in _NO_ANSWER or error.etype == "wait":
            raise TimeoutError(f"{jid} does not answer")
        if error.condition == "item-not-found":
            return None
    return frozenset() if found is None else features_in(found)


async def kinds_of_rooms(stream: Stream, service: str, limit_s: float) -> frozenset[str]:
    """Return the kinds of rooms at an address: ``text`` for those of XMPP (XEP-0045 section 6.1), others
    for those of other networks. Empty if there are none, but people, or if nobody answers.
    """
    # Not by the feature: clients have it, too.
    found = await query(stream, service, INFO, limit_s)
    identities = [] if found is None else identities_in(found)
    return frozenset(kind for category, kind in identities if category == "conference")


async def items(stream: Stream, jid: str, limit_s: float) -> list[str]:
    """Return the addresses of somebody's services, a bounded number, without the bot's own."""
    found = await query(stream, jid, ITEMS, limit_s)
    jids = [] if found is None else jids_in(found)
    # A server lists its external components as well.
    own = stream.boundjid.domain if stream.is_component else ""
    return [each for each in jids if each != own][:MOST_ITEMS]


async def describe(stream: Stream, jids: Iterable[str], limit_s: float) -> dict[str, Element]:
    """Ask addresses, all at once, what they are; the ``<query/>`` of each that answers, in their order."""
    asked = list(dict.fromkeys(jids))
    answers = await asyncio.gather(*(query(stream, jid, INFO, limit_s) for jid in asked))
    return {jid: answer for jid, answer in zip(asked, answers, strict=True) if answer is not None}


async def answer_about(
    stream: Stream, jid: str, namespace: str, limit_s: float, own: str = ""
) -> tuple[Element | None, Exception | None]:
    """Ask as :func:`query`; return the error as well that came instead."""
    try:
        iq = stream.make_iq_get(namespace, ito=jid, ifrom=own or stream.boundjid)
        answer = await ask(stream, iq, limit_s)
    except (XMPPError, ValueError) as error:  # InvalidJID is a ValueError
        log.debug("%s does not answer about %s: %s", jid, namespace, cause(error))
        return None, error
    return first(answer.xml, namespace, "query"), None
