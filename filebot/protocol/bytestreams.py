"""SOCKS5 bytestreams: stream hosts and destination hashes (XEP-0065)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

CANDIDATES: Final = 24
"""Most stream hosts that are tried or announced for one session; nobody honest has more."""

DEFAULT_PORT: Final = 1080
"""Port of a stream host that names none: the registered port of SOCKS, also in XEP-0260."""

_HOST: Final = re.compile(r"[!-~\u00a1-\uffff]{1,255}")
_PORT: Final = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class StreamHost:
    """Stream host: a listener of one side, or a proxy that both can reach."""

    jid: str
    """JID of the stream host, by which ``streamhost-used`` names it (XEP-0065 5.3.3)."""
    host: str
    """An IP address or a name. Given by a peer: not trusted, see ``transfer/address_policy``."""
    port: int
    destination: str = ""
    """DST.ADDR to ask it for; empty where all hosts of a session share one. See :func:`destination`."""


def destination(sid: str, requester: str, target: str) -> str:
    """Return the DST.ADDR of a session: 40 hexadecimal digits (XEP-0065 5.3.2).

    The requester is the one who began the negotiation. Both are full JIDs, prepared (RFC 7622).
    """
    return hashlib.sha1(f"{sid}{requester}{target}".encode(), usedforsecurity=False).hexdigest()


def destinations(sid: str, one: str, other: str) -> frozenset[str]:
    """Both orders: clients disagree about who the requester is, so a listener takes either."""
    return frozenset((destination(sid, one, other), destination(sid, other, one)))


def stream_host(jid: str, host: str, port: str) -> StreamHost | None:
    """A peer's description, its attributes as they stand (absent ones empty); None if it is unusable."""
    if port and not _PORT.fullmatch(port):
        return None
    number = int(port or DEFAULT_PORT)
    # COMPAT(some clients): brackets as in a URL (RFC 3986). A zone (RFC 4007) means nothing outside of the
    # peer's own machine.
    if host.startswith("[") and host.endswith("]") and ":" in host:
        host = host[1:-1]
    if "[" in host or "]" in host or "%" in host:
        return None
    if not jid or not _HOST.fullmatch(host) or not 0 < number < 65536:
        return None
    return StreamHost(jid, host, number)


def candidates(direct: Iterable[StreamHost], proxies: Iterable[StreamHost] = ()) -> tuple[StreamHost, ...]:
    """In the order in which they are to be tried; no address twice, and not too many.

    Direct ones come first: they spare the server's bandwidth and are several times as fast. A peer's list
    is kept in its own order (XEP-0065 5.3.2).
    """
    unique: dict[tuple[str, int, str], StreamHost] = {}
    for host in (*direct, *proxies):
        unique.setdefault((host.host, host.port, host.destination), host)
    return tuple(unique.values())[:CANDIDATES]
