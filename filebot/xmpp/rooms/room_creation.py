"""Requests of the owner of a room that did not exist before (XEP-0045 section 10)."""

import logging
from typing import Final
from xml.etree.ElementTree import SubElement

from slixmpp.exceptions import XMPPError

from filebot.model import BareJid
from filebot.xmpp.connection.requests import ask
from filebot.xmpp.connection.stream import Stream
from filebot.xmpp.xml import FORM

log = logging.getLogger(__name__)

_OWNER: Final = "http://jabber.org/protocol/muc#owner"


async def unlock(stream: Stream, room: BareJid, limit_s: float) -> None:
    """Accept the room's default configuration (section 10.1.2)."""
    iq = stream.make_iq_set(ito=room, ifrom=stream.boundjid)
    query = SubElement(iq.xml, f"{{{_OWNER}}}query")
    SubElement(query, f"{{{FORM}}}x", {"type": "submit"})
    try:
        await ask(stream, iq, limit_s)
    except XMPPError as error:
        log.warning("room %s stays locked: %s", room, error.condition)


def unmake(stream: Stream, room: BareJid) -> None:
    """Destroy a room that was made by mistake (section 10.9). To leave it is not enough where a service
    keeps new rooms. Nobody waits for the answer.
    """
    iq = stream.make_iq_set(ito=room, ifrom=stream.boundjid)
    SubElement(SubElement(iq.xml, f"{{{_OWNER}}}query"), f"{{{_OWNER}}}destroy")
    stream.send(iq)
