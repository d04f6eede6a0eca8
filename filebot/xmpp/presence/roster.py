"""The account's roster (RFC 6121 section 2): asked for in each session, and its changes from us alone."""

import logging
from typing import Final

from slixmpp import ClientXMPP
from slixmpp.exceptions import XMPPError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.xmpp.xml import is_from

log = logging.getLogger(__name__)

ROSTER_LIMIT_S: Final = 20.0


def take_pushes(client: ClientXMPP) -> None:
    """Take changes that the own account sends, and refuse all others (RFC 6121 section 2.1.6).

    slixmpp's own handler makes an error out of others that it cannot send.
    """

    def pushed(iq: StanzaBase) -> None:
        own = str(client.boundjid.bare)
        if is_from(iq.xml, own, own):
            client.event("roster_update", iq)
        else:
            log.info("a change of the roster by %s is refused", iq["from"])
            reply = iq.reply()
            reply["error"]["type"] = "cancel"
            reply["error"]["condition"] = "service-unavailable"
            reply.send()

    client.remove_handler("Roster Update")
    client.register_handler(Callback("Roster Update", StanzaPath("iq@type=set/roster"), pushed))


async def fetch(client: ClientXMPP) -> None:
    """RFC 6121 section 2.2: only who has asked for the roster is sent subscription requests."""
    try:
        await client.get_roster(timeout=ROSTER_LIMIT_S)
    except XMPPError as error:
        log.warning("no roster: %s", error.condition)
