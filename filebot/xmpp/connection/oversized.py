"""Stanzas that are too large for the server: it would end the stream for one (RFC 6120 section 13.12)."""

import logging
from xml.etree.ElementTree import Element, SubElement

from slixmpp.stanza import Iq, Message, Presence

from filebot.protocol.stanza_error import STANZAS

log = logging.getLogger(__name__)


def substitute(stanza: Message | Presence | Iq, limit_bytes: int) -> Presence | Iq | None:
    """Return what still serves the purpose of a stanza that is too large; None if nothing does."""
    what = f"a {stanza.name} to {stanza['to']}, larger than {limit_bytes} bytes"
    if isinstance(stanza, Iq) and stanza["type"] == "result":
        log.error("not sent: %s; answered with an error", what)
        return as_error(stanza, "resource-constraint")
    if isinstance(stanza, Presence) and stanza["status"]:
        log.error("sent without its status: %s", what)
        del stanza["status"]
        return stanza
    log.error("not sent: %s", what)
    return None


def as_error(iq: Iq, condition: str) -> Iq:
    """Make an answer an error in place of what it holds."""
    error = Element(f"{{{iq.namespace}}}error", {"type": "cancel"})
    SubElement(error, f"{{{STANZAS}}}{condition}")
    iq.xml.set("type", "error")
    iq.xml[:] = [error]
    # Made anew: slixmpp remembers the children that it has seen.
    return Iq(iq.stream, xml=iq.xml)  # type: ignore[no-untyped-call]  # untyped in slixmpp
