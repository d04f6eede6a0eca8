"""Copies of messages that went to another client of the bot's account (XEP-0280).

Anybody may send a message that looks like a copy. Only the bot's own server sends one in the name of the
bot's bare address, so nothing else is opened (XEP-0280 section 12).
"""

import logging
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.exceptions import XMPPError

from filebot.model import BareJid
from filebot.protocol.xml import first
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.xml import FORWARD, is_from, jid_or_none

log = logging.getLogger(__name__)

CARBONS: Final = "urn:xmpp:carbons:2"
RECEIVED: Final = f"{{{CARBONS}}}received"
LIMIT_S: Final = 5.0


async def enable_carbons(stream: Stream) -> None:
    """Ask for copies in this session."""
    iq = stream.make_iq_set(ifrom=stream.boundjid)
    iq.xml.append(Element(f"{{{CARBONS}}}enable"))
    try:
        await ask(stream, iq, LIMIT_S)
    except XMPPError as error:
        log.warning("no copies of what other clients of the account receive: %s", error.condition)


def received_copy(stanza: Element, own: BareJid) -> Element | None:
    """Return the message that somebody sent to another client of ``own``, if this is a copy of one."""
    received = first(stanza, CARBONS, "received")
    if received is None or not is_from(stanza, own, own):
        return None
    forwarded = first(received, FORWARD, "forwarded")
    message = None if forwarded is None else first(forwarded, "jabber:client", "message")
    if message is None or message.get("type", "normal") not in {"chat", "normal"}:
        return None
    to = jid_or_none(message.get("to"))
    return message if to is not None and to.bare == own else None
