"""What a disco#info says (XEP-0030)."""

from xml.etree.ElementTree import Element

from filebot.protocol.xml import named, namespace_of


def features_of(query: Element) -> frozenset[str]:
    """The features in a ``<query/>``."""
    return frozenset(child.get("var", "") for child in named(query, namespace_of(query), "feature"))
