"""Messages in a form that the bot cannot read: OMEMO (XEP-0384), OpenPGP (XEP-0373, XEP-0027)."""

from typing import Final
from xml.etree.ElementTree import Element

from filebot.model import EncryptedMessage, Sender
from filebot.protocol.xml import first
from filebot.xmpp.xml import language_of

_OMEMO: Final = {
    "{eu.siacs.conversations.axolotl}encrypted": "eu.siacs.conversations.axolotl",  # XEP-0384 before 0.4
    "{urn:xmpp:omemo:2}encrypted": "urn:xmpp:omemo:2",
}
ENCRYPTED: Final = frozenset({*_OMEMO, "{urn:xmpp:openpgp:0}openpgp", "{jabber:x:encrypted}x"})
"""Payloads of encrypted messages."""


def read_encrypted(stanza: Element, sender: Sender) -> EncryptedMessage | None:
    """Read a message with such a payload, or with encrypted files. None if it says nothing."""
    for child in stanza:
        if child.tag not in ENCRYPTED:
            continue
        omemo = _OMEMO.get(child.tag)
        header = first(child, omemo, "header") if omemo else None
        if omemo and first(child, omemo, "payload") is None:
            return None  # keys only (XEP-0384): nothing was said
        device = "" if header is None else header.get("sid", "")[:20]
        return EncryptedMessage(sender, device, language_of(stanza))
    return EncryptedMessage(sender, "", language_of(stanza))
