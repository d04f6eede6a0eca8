"""XML names, and reading single facts of a stanza without trusting it."""

from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

from slixmpp.jid import InvalidJID

from filebot.protocol.xml import named
from filebot.xmpp.jid import Jid, parse_jid

MUC: Final = "http://jabber.org/protocol/muc"  # XEP-0045
MUC_USER: Final = "http://jabber.org/protocol/muc#user"
CONFERENCE: Final = "jabber:x:conference"  # XEP-0249
CHAT_STATES: Final = "http://jabber.org/protocol/chatstates"  # XEP-0085
RECEIPTS: Final = "urn:xmpp:receipts"  # XEP-0184
RECEIPT_REQUEST: Final = f"{{{RECEIPTS}}}request"
DELAY: Final = "urn:xmpp:delay"  # XEP-0203
FORM: Final = "jabber:x:data"  # XEP-0004
FORWARD: Final = "urn:xmpp:forward:0"  # XEP-0297
STANZA_IDS: Final = "urn:xmpp:sid:0"  # XEP-0359
OCCUPANT_ID: Final = "urn:xmpp:occupant-id:0"  # XEP-0421
LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"

# RFC 5646 section 4.4.1: nobody needs longer tags.
_LONGEST_LANGUAGE: Final = 35


def jid_or_none(text: str | None) -> Jid | None:
    """The address, prepared (RFC 7622); None if there is none or it is malformed."""
    try:
        return parse_jid(text) if text else None
    except InvalidJID:
        return None


def is_from(stanza: Element, jid: str, account: str) -> bool:
    """Tell whether a stanza comes from exactly ``jid``; ``account`` is the bot's own bare address."""
    if stanza.get("from") is None:
        return jid == account  # RFC 6120 section 8.1.2.1
    sender = sender_of(stanza)
    return sender is not None and str(sender.full) == jid


def sender_of(stanza: Element) -> Jid | None:
    """Return the sender of a stanza, as the server stamped it."""
    return jid_or_none(stanza.get("from"))


def language_of(stanza: Element) -> str | None:
    """The language that the client gave for its text."""
    language = stanza.get(LANGUAGE, "").strip()
    return language if 0 < len(language) <= _LONGEST_LANGUAGE else None


def delayed_since(stanza: Element) -> datetime | None:
    """When a stored stanza was first sent (XEP-0203, XEP-0082), in UTC."""
    for delay in named(stanza, DELAY, "delay"):
        try:
            moment = datetime.fromisoformat(delay.get("stamp", "").strip())
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            continue
    return None
