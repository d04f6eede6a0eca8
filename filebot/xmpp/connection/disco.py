"""Asking others what they are and what they have (XEP-0030)."""

import logging
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.exceptions import XMPPError

from filebot.xmpp.connection.stream import Stream, ask
from filebot.xmpp.error_conditions import cause
from filebot.xmpp.xml import first, named

log = logging.getLogger(__name__)

INFO: Final = "http://jabber.org/protocol/disco#info"
ITEMS: Final = "http://jabber.org/protocol/disco#items"
MOST_ITEMS: Final = 50
"""Services of a server that are asked what they are."""

_NO_ANSWER: Final = frozenset({"remote-server-timeout", "remote-server-not-found"})
"""The first one is what slixmpp makes of silence, too."""


async def query(
    stream: Stream, jid: str, namespace: str, limit_s: float, *, own: str = ""
) -> Element | None:
    """The ``<query/>`` that comes back for an empty one; None for errors and silence.

    ``own`` is the address that asks; empty for the one by which the bot is in rooms.
    """
    found, _ = await answer_about(stream, jid, namespace, limit_s, own)
    return found


async def features_of(stream: Stream, jid: str, limit_s: float) -> frozenset[str] | None:
    """What somebody says that they can do; nothing if they refuse to say.

    None if their server says that there is no such address. Raises TimeoutError if nobody answers within
    ``limit_s`` seconds, or only to tell that it is no time to ask.
    """
    found, error = await answer_about(stream, jid, INFO, limit_s)
    if isinstance(error, XMPPError):
        if error.condition in _NO_ANSWER or error.etype == "wait":
            raise TimeoutError(f"{jid} does not answer")
        if error.condition == "item-not-found":
            return None
    features = () if found is None else named(found, INFO, "feature")
    return frozenset(each.get("var", "") for each in features)


async def kinds_of_rooms(stream: Stream, service: str, limit_s: float) -> frozenset[str]:
    """Of what kind the rooms at an address are: ``text`` for those of XMPP (XEP-0045 section 6.1), others
    for those of other networks. Empty if there are none, but people, or if nobody answers.
    """
    # Not by the feature: clients have it, too.
    found = await query(stream, service, INFO, limit_s)
    identities = () if found is None else named(found, INFO, "identity")
    return frozenset(each.get("type", "") for each in identities if each.get("category") == "conference")


async def items(stream: Stream, jid: str, limit_s: float) -> list[str]:
    """Addresses of what somebody has, a bounded number, without the bot's own."""
    found = await query(stream, jid, ITEMS, limit_s)
    jids = () if found is None else (each.get("jid", "") for each in found if not each.get("node"))
    # A server lists its external components as well.
    own = stream.boundjid.domain if stream.is_component else ""
    return [each for each in jids if each and each != own][:MOST_ITEMS]


async def answer_about(
    stream: Stream, jid: str, namespace: str, limit_s: float, own: str = ""
) -> tuple[Element | None, Exception | None]:
    """As :func:`query`, with the error that came instead."""
    try:
        iq = stream.make_iq_get(namespace, ito=jid, ifrom=own or stream.boundjid)
        answer = await ask(stream, iq, limit_s)
    except (XMPPError, ValueError) as error:  # InvalidJID is a ValueError
        log.debug("%s does not answer about %s: %s", jid, namespace, cause(error))
        return None, error
    return first(answer.xml, namespace, "query"), None


def server_of(stream: Stream) -> str:
    """The domain that has the bot's services; a component's own domain is the component itself."""
    domain = stream.boundjid.domain
    return domain.partition(".")[2] or domain if stream.is_component else domain
