"""SOCKS5 candidates of both sides as Jingle wants them (XEP-0260)."""

import secrets
from collections.abc import Collection, Sequence
from typing import Final

from filebot.protocol.bytestreams import CANDIDATES, StreamHost, destination, destinations
from filebot.protocol.jingle.parameters import SessionParameters
from filebot.protocol.jingle.transports import Candidate, CandidateType, Socks5Transport
from filebot.xmpp.bytestreams.socks5_ports import Socks5Connector
from filebot.xmpp.bytestreams.socks5_proxies import Proxies

_ID_BYTES: Final = 6
_STEP: Final = 2


async def own_candidates(
    connections: Socks5Connector,
    proxies: Proxies,
    sid: str,
    own: str,
    peer: str,
    *,
    named: Collection[Candidate] = (),
) -> Socks5Transport:
    """Where the bot can be met: its own listener, and the proxies of its server that worked lately.

    Proxies that are among the candidates that the peer has ``named`` are left out if the bot may meet the
    peer there: of those named by a peer it may not use private addresses, of its own server's it may.
    COMPAT(Dino, 0.4.2): ends if its offer is accepted without any candidate, so then all are named.
    """
    met = {
        (each.host.host, each.host.port)
        for each in named
        if each.is_proxy and connections.may_dial(each.host)
    }
    direct = [StreamHost(own, host, port) for host, port in connections.addresses()]
    kinds = [(CandidateType.DIRECT, host) for host in direct]
    kinds += [
        (CandidateType.PROXY, host)
        for host in await proxies.hosts(peer)
        if (host.host, host.port) not in met
    ]
    if named and not kinds:
        kinds = [(CandidateType.PROXY, host) for host in await proxies.all()]
    kinds = kinds[:CANDIDATES]
    # XEP-0260 leaves the lower 16 bits to us. Odd and at random: nobody else has the same, and so it does
    # not matter that COMPAT(Dino): breaks ties in its own way.
    lowest = 2 * secrets.randbelow(2**14) + 1
    candidates = tuple(
        Candidate(
            secrets.token_hex(_ID_BYTES),
            host,
            (kind.preference << 16) + lowest + _STEP * (len(kinds) - place),
            kind,
        )
        for place, (kind, host) in enumerate(kinds)
    )
    # For our proxies the hash is made of us and then the peer; those who would take another order are told.
    return Socks5Transport(sid, candidates, destination(sid, own, peer))


def expected(terms: SessionParameters, transport_sid: str, own: str, peer: str) -> frozenset[str]:
    """All hashes by which the peer may ask our listener for this session.

    COMPAT(Gajim, 1.x): makes them of the session's sid, too.
    """
    return destinations(transport_sid, own, peer) | destinations(terms.sid, own, peer)


def to_dial(
    terms: SessionParameters, theirs: Socks5Transport, own: str, peer: str
) -> dict[StreamHost, Candidate]:
    """Return the hosts to connect to, best first, and the candidate that each stands for.

    XEP-0260 makes the hash of who offers the candidate and then of who connects. COMPAT(iris, Gajim): make
    it of the initiator and the responder, whoever offers, so that is tried, too. A proxy takes any hash and
    then keeps silent; whoever makes that of a proxy in another way says so.
    """
    if not terms.quirks.candidates_work:
        return {}
    orders = (destination(theirs.sid, peer, own), destination(theirs.sid, own, peer))
    hosts: dict[StreamHost, Candidate] = {}
    for each in theirs.candidates:
        hashes = orders[: 2 if terms.initiating else 1]
        if each.is_proxy:
            hashes = (theirs.dstaddr or orders[0],)
        for hashed in hashes:
            host = StreamHost(each.host.jid, each.host.host, each.host.port, hashed)
            hosts.setdefault(host, each)
    return hosts


def proxy_of(candidate: Candidate, sid: str, own: str, peer: str) -> Sequence[StreamHost]:
    """Our own proxy, to be connected to by ourselves."""
    host = candidate.host
    return (StreamHost(host.jid, host.host, host.port, destination(sid, own, peer)),)
