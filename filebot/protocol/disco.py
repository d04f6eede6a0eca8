"""Service discovery (XEP-0030): what the answers say."""

from typing import Final
from xml.etree.ElementTree import Element

from filebot.protocol.xml import named

INFO: Final = "http://jabber.org/protocol/disco#info"
ITEMS: Final = "http://jabber.org/protocol/disco#items"


def features_in(query: Element) -> frozenset[str]:
    """Return the features that an answer about ``INFO`` names."""
    return frozenset(child.get("var", "") for child in named(query, INFO, "feature"))


def identities_in(query: Element) -> list[tuple[str, str]]:
    """Return category and type of each identity that an answer about ``INFO`` names."""
    found = named(query, INFO, "identity")
    return [(child.get("category", ""), child.get("type", "")) for child in found]


def jids_in(query: Element) -> list[str]:
    """Return the addresses that an answer about ``ITEMS`` names, without those of nodes."""
    found = (child.get("jid", "") for child in named(query, ITEMS, "item") if not child.get("node"))
    return [jid for jid in found if jid]
