"""Errors that name no condition, or one that slixmpp does not know (RFC 6120 section 8.3.3).

slixmpp fails over them: whoever asked would wait until the limit, and the log show a traceback for each.
"""

from typing import Final
from xml.etree.ElementTree import Element, SubElement

from slixmpp.exceptions import XMPPError
from slixmpp.stanza import Error

from filebot.protocol.stanza_error import STANZAS

# COMPAT(slixmpp, 1.17): does not know this condition (section 8.3.3.12).
Error.conditions = Error.conditions | {"policy-violation"}

_KNOWN: Final = frozenset(f"{{{STANZAS}}}{each}" for each in Error.conditions)


def complete(stanza: Element) -> None:
    """Give an error the condition ``undefined-condition`` if it has none that is known."""
    for error in stanza:
        if str(error.tag).endswith("}error") and not any(child.tag in _KNOWN for child in error):
            SubElement(error, f"{{{STANZAS}}}undefined-condition")


def cause(error: Exception) -> str:
    """Return what to log of an error: of slixmpp's the condition, for as text they are the whole stanza."""
    return error.condition if isinstance(error, XMPPError) else str(error)
