"""Addresses of stanzas (RFC 7622).

slixmpp judges a resource by Unicode 3.2 (RFC 3920, resourceprep). Servers that go by RFC 8265 let people
choose newer characters, and tell names apart that resourceprep makes equal. So a resource is compared and
used exactly as the server wrote it; for the bare JID slixmpp's rules hold.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from slixmpp.jid import JID, InvalidJID
from slixmpp.xmlstream.stanzabase import StanzaBase

LONGEST_PART_BYTES: Final = 1023
"""Bytes of a resource in UTF-8 (RFC 7622 section 3.4)."""
_LONGEST_JID: Final = 3 * LONGEST_PART_BYTES + 2
"""Characters of a whole address."""

_REFUSED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of characters that no resource has: controls, surrogates, separators of lines."""


@dataclass(frozen=True, slots=True)
class Jid:
    """An address that a stanza names."""

    bare: str
    """Prepared: in lower case."""
    resource: str = ""
    """Resource in the server's own writing; empty in a bare JID."""

    @property
    def full(self) -> str:
        """The whole address."""
        return f"{self.bare}/{self.resource}" if self.resource else self.bare

    @property
    def node(self) -> str:
        """The part before the ``@``; empty for a domain."""
        return self.bare.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The part after the ``@``."""
        return self.bare.rpartition("@")[2]

    def __str__(self) -> str:
        return self.full


@lru_cache(1024)
def parse_jid(text: str) -> Jid:
    """Return the address. Raises InvalidJID."""
    if len(text) > _LONGEST_JID:
        raise InvalidJID("longer than any address")
    bare, slash, resource = text.partition("/")
    if not bare or (slash and not _is_resource(resource)):
        raise InvalidJID("a part is missing or malformed")
    return Jid(str(JID(bare).bare), resource)


def _is_resource(text: str) -> bool:
    if not text or any(unicodedata.category(character) in _REFUSED for character in text):
        return False
    return len(text.encode()) <= LONGEST_PART_BYTES


def _address(stanza: StanzaBase, attribute: str) -> JID:
    text = stanza.xml.get(attribute, "")
    with suppress(InvalidJID):
        jid = JID(text)
        if jid.resource == text.partition("/")[2]:
            return jid
    return parse_jid(text)  # type: ignore[return-value]  # it has all that slixmpp asks of one


def _get_to(stanza: StanzaBase) -> JID:
    return _address(stanza, "to")


def _get_from(stanza: StanzaBase) -> JID:
    return _address(stanza, "from")


# COMPAT(slixmpp, 1.17): fails over each stanza with a newer name in its addresses, also for its answers.
StanzaBase.get_to = _get_to  # type: ignore[assignment, method-assign]
StanzaBase.get_from = _get_from  # type: ignore[assignment, method-assign]
