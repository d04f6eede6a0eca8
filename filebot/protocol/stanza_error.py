"""Errors of stanzas (RFC 6120 section 8.3) and streams (section 4.9) as values."""

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.protocol.xml import first, local_name, namespace_of

STANZAS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAMS: Final = "urn:ietf:params:xml:ns:xmpp-streams"
CONDITIONS: Final = frozenset(
    {
        "bad-request",
        "conflict",
        "feature-not-implemented",
        "forbidden",
        "gone",
        "internal-server-error",
        "item-not-found",
        "jid-malformed",
        "not-acceptable",
        "not-allowed",
        "not-authorized",
        "policy-violation",
        "recipient-unavailable",
        "redirect",
        "registration-required",
        "remote-server-not-found",
        "remote-server-timeout",
        "resource-constraint",
        "service-unavailable",
        "subscription-required",
        "undefined-condition",
        "unexpected-request",
    }
)
"""Conditions of section 8.3.3."""

_LONGEST_CONDITION: Final = 60
"""The defined conditions of streams have half of that; others are shown in the log alone."""

_LEGACY_CODES: Final = {
    "bad-request": "400",
    "forbidden": "403",
    "item-not-found": "404",
    "not-acceptable": "406",
    "resource-constraint": "500",
}
# COMPAT(old servers and gateways): an error without a condition, told by its code alone (XEP-0086).
_CONDITIONS_BY_CODE: Final = {code: condition for condition, code in _LEGACY_CODES.items()}


@dataclass(frozen=True, slots=True)
class StanzaError:
    """Content of an ``<error/>``."""

    condition: str
    kind: str = "cancel"
    """The ``type``: cancel, modify, wait, auth or continue."""
    specific: str = ""
    """An application's own condition as ``{namespace}name``."""
    text: str = ""
    """For a person."""

    def element(self, namespace: str) -> Element:
        """The ``<error/>`` in the namespace of the stanza that it is in.

        COMPAT(Pidgin, 2): reads the code of XEP-0086, so that is given where there is one.
        """
        code = _LEGACY_CODES.get(self.condition)
        error = Element(f"{{{namespace}}}error", {"type": self.kind} | ({"code": code} if code else {}))
        SubElement(error, f"{{{STANZAS}}}{self.condition}")
        if self.specific:
            SubElement(error, self.specific)
        if self.text:
            SubElement(error, f"{{{STANZAS}}}text").text = self.text
        return error


def read_error(stanza: Element) -> StanzaError:
    """Read the error in a stanza; ``undefined-condition`` if its condition is not known."""
    error = first(stanza, namespace_of(stanza), "error")
    if error is None:
        return StanzaError("undefined-condition")
    names = [local_name(child) for child in error if namespace_of(child) == STANZAS]
    by_code = _CONDITIONS_BY_CODE.get(error.get("code", ""), "undefined-condition")
    condition = next((name for name in names if name in CONDITIONS), by_code)
    others = (str(child.tag) for child in error if namespace_of(child) != STANZAS)
    text = first(error, STANZAS, "text")
    return StanzaError(
        condition,
        error.get("type", "cancel"),
        next(others, ""),
        "" if text is None else (text.text or "").strip(),
    )


def stream_condition(error: Element) -> str:
    """Return the condition of a stream error (section 4.9.2); empty if there is none."""
    names = (local_name(child) for child in error if namespace_of(child) == STREAMS)
    return next((name for name in names if name != "text"), "")[:_LONGEST_CONDITION]
