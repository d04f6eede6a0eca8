"""How large a stanza may be, and how a text is cut to fit (XEP-0478; RFC 6120 section 13.12).

A server ends the stream for one stanza that is too large for it, so none such may be sent.
"""

from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.xmlstream import tostring

SAFE_BYTES: Final = 10_000
"""Every server has to take this much (RFC 6120 section 13.12). Assumed where a server names no limit."""

SERVER_BYTES: Final = 400
"""Left free for what servers add to a text on its way, a sender's address above all."""

_ESCAPED: Final = {"&": 5, "<": 4, ">": 4, "'": 6, '"': 6}
"""Bytes of the characters that slixmpp escapes."""


def stanza_bytes(xml: Element, namespace: str) -> int:
    """Return the size of a stanza on a stream with this default namespace."""
    return len(tostring(xml, xmlns=namespace).encode())


def first_part(text: str, most_bytes: int) -> tuple[str, str]:
    """Cut a text after at most so many bytes, and return both parts.

    The cut is at the end of a line if there is one in the later half, else at a blank, else anywhere; the
    line end or the blank is dropped. The first part has at least one character.
    """
    fitting = _fitting(text, most_bytes)
    if fitting == len(text):
        return text, ""
    fitting = max(fitting, 1)
    for position in ("\n", " "):
        end = text.rfind(position, fitting // 2, fitting + 1)
        if end > 0:
            return text[:end], text[end + 1 :]
    return text[:fitting], text[fitting:]


def _fitting(text: str, most_bytes: int) -> int:
    """How many characters from the beginning fit."""
    for place, character in enumerate(text):
        most_bytes -= _ESCAPED.get(character) or len(character.encode())
        if most_bytes < 0:
            return place
    return len(text)
