"""Features of Jingle file transfer in disco#info: required of clients, and listed by filebot."""

from collections.abc import Set as AbstractSet
from typing import Final

from filebot.model import Method
from filebot.protocol.jingle.description import NAMESPACES
from filebot.protocol.jingle.namespaces import IN_BAND, JINGLE, SOCKS5

_TRANSPORTS: Final = {SOCKS5: Method.SOCKS5, IN_BAND: Method.IBB}

OWN_IN_BAND: Final = frozenset({JINGLE, *NAMESPACES, IN_BAND})
OWN_SOCKS5: Final = frozenset({SOCKS5})
"""COMPAT(Conversations): begins in-band where it is missing, so it must not be listed if there is neither a
proxy nor a place to connect to."""


def methods_of(features: AbstractSet[str]) -> frozenset[Method]:
    """By which transports a client with these features takes files."""
    if JINGLE not in features or file_namespace(features) is None:
        return frozenset()
    return frozenset(method for namespace, method in _TRANSPORTS.items() if namespace in features)


def file_namespace(features: AbstractSet[str]) -> str | None:
    """The best one in which the client reads descriptions of files. COMPAT(Swift): only the old one."""
    return next((namespace for namespace in NAMESPACES if namespace in features), None)
