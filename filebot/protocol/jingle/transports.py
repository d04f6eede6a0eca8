"""Transports of a Jingle content: SOCKS5 bytestreams (XEP-0260) and in-band ones (XEP-0261)."""

import re
from dataclasses import dataclass, replace
from enum import Enum, unique
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, SubElement

from filebot.errors import PeerProtocolError
from filebot.protocol.bytestreams import CANDIDATES, StreamHost, stream_host
from filebot.protocol.ibb import LARGEST_BLOCK
from filebot.protocol.jingle.namespaces import IN_BAND, SOCKS5
from filebot.protocol.xml import bounded_int, local_name, named, namespace_of

LONGEST_ID: Final = 256
_LARGEST_NUMBER: Final = 2**63 - 1
_HIGHEST_PRIORITY: Final = 2**31 - 1
_HASH: Final = re.compile("[0-9a-fA-F]{40}")


@unique
class CandidateType(Enum):
    """Type of a candidate (XEP-0260, "Exchanging Candidates")."""

    DIRECT = "direct"
    ASSISTED = "assisted"
    TUNNEL = "tunnel"
    PROXY = "proxy"

    @property
    def preference(self) -> int:
        """Type preference in a priority (XEP-0260, "Selecting Candidates")."""
        return {"direct": 126, "assisted": 120, "tunnel": 110, "proxy": 10}[self.value]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Stream host at which one side can be reached."""

    cid: str
    host: StreamHost
    priority: int
    type: CandidateType

    @property
    def is_proxy(self) -> bool:
        """Whether it has to be activated, by the side that offered it, before bytes flow."""
        return self.type is CandidateType.PROXY


@dataclass(frozen=True, slots=True)
class Socks5Transport:
    """Candidates of one side."""

    sid: str
    candidates: tuple[Candidate, ...] = ()
    dstaddr: str = ""
    """The hash for its proxies, where the side gives one."""

    def element(self) -> Element:
        """Return it as it goes into a content. COMPAT(Conversations, Dino): want all six attributes."""
        attributes = {"sid": self.sid, "mode": "tcp"} | ({"dstaddr": self.dstaddr} if self.dstaddr else {})
        transport = Element(f"{{{SOCKS5}}}transport", attributes)
        for each in self.candidates:
            about = {
                "cid": each.cid,
                "host": each.host.host,
                "jid": each.host.jid,
                "port": str(each.host.port),
                "priority": str(each.priority),
                "type": each.type.value,
            }
            SubElement(transport, f"{{{SOCKS5}}}candidate", about)
        return transport


@dataclass(frozen=True, slots=True)
class InBandTransport:
    """An in-band bytestream."""

    sid: str
    block_size: int

    def within(self, block_size: int) -> "InBandTransport":
        """Return the same stream with a block that is not larger than this (XEP-0261)."""
        return replace(self, block_size=min(self.block_size, block_size))

    def element(self) -> Element:
        """Return it as it goes into a content."""
        return Element(f"{{{IN_BAND}}}transport", {"block-size": str(self.block_size), "sid": self.sid})


@dataclass(frozen=True, slots=True)
class CandidateUsed:
    """A connection to this candidate was made."""

    cid: str


@dataclass(frozen=True, slots=True)
class CandidateError:
    """No candidate could be connected to."""


@dataclass(frozen=True, slots=True)
class Activated:
    """The proxy that this candidate stands for lets the bytes through."""

    cid: str


@dataclass(frozen=True, slots=True)
class ProxyError:
    """The proxy could not be activated."""


Notice: TypeAlias = CandidateUsed | CandidateError | Activated | ProxyError


@dataclass(frozen=True, slots=True)
class TransportNotice:
    """Notice about a SOCKS5 transport, in a ``transport-info``."""

    sid: str
    notice: Notice

    def element(self) -> Element:
        """Return it as it goes into a content."""
        transport = Element(f"{{{SOCKS5}}}transport", {"sid": self.sid})
        match self.notice:
            case CandidateUsed(cid):
                SubElement(transport, f"{{{SOCKS5}}}candidate-used", {"cid": cid})
            case CandidateError():
                SubElement(transport, f"{{{SOCKS5}}}candidate-error")
            case Activated(cid):
                SubElement(transport, f"{{{SOCKS5}}}activated", {"cid": cid})
            case ProxyError():
                SubElement(transport, f"{{{SOCKS5}}}proxy-error")
        return transport


@dataclass(frozen=True, slots=True)
class UnknownTransport:
    """Transport that filebot does not have, such as ICE."""

    namespace: str


Transport: TypeAlias = Socks5Transport | InBandTransport | TransportNotice | UnknownTransport


def read_transport(transport: Element, *, answers: bool = False) -> Transport:
    """Read a ``<transport/>``. Raises PeerProtocolError if it is of a known kind and malformed.

    ``answers``: it accepts our offer, from which attributes that it leaves out are known.
    """
    namespace = namespace_of(transport)
    if namespace == SOCKS5:
        return _read_socks5(transport)
    if namespace == IN_BAND:
        return InBandTransport(_read_sid(transport), _read_block_size(transport, answers=answers))
    return UnknownTransport(namespace[:LONGEST_ID])


def _read_block_size(transport: Element, *, answers: bool) -> int:
    """Read the largest block that the peer takes.

    XEP-0261, "Flow": an answer may name a smaller block than the offer. One without a size, or with a
    larger one than there can be, leaves it at the offer's: the smaller one of both is used.
    """
    text = transport.get("block-size")
    if answers and text is None:
        return LARGEST_BLOCK
    size = bounded_int(text, _LARGEST_NUMBER if answers else LARGEST_BLOCK)
    if not size:
        raise PeerProtocolError("an in-band transport without a block-size")
    return min(size, LARGEST_BLOCK)


def _read_socks5(transport: Element) -> Transport:
    sid = _read_sid(transport)
    for child in transport:
        if (notice := _read_notice(child)) is not None:
            return TransportNotice(sid, notice)
    if transport.get("mode", "tcp") != "tcp":
        return UnknownTransport(f"{SOCKS5} over UDP")
    read_all = (_read_candidate(each) for each in named(transport, SOCKS5, "candidate"))
    candidates = {each.cid: each for each in read_all if each is not None}
    best_first = sorted(candidates.values(), key=lambda each: -each.priority)
    return Socks5Transport(sid, tuple(best_first[:CANDIDATES]), _read_hash(transport.get("dstaddr", "")))


def _read_hash(digits: str) -> str:
    return digits if _HASH.fullmatch(digits) else ""


def _read_notice(element: Element) -> Notice | None:
    cid = element.get("cid", "")[:LONGEST_ID]
    notices: dict[str, Notice] = {
        "candidate-used": CandidateUsed(cid),
        "candidate-error": CandidateError(),
        "activated": Activated(cid),
        "proxy-error": ProxyError(),
    }
    return notices.get(local_name(element)) if namespace_of(element) == SOCKS5 else None


def _read_candidate(element: Element) -> Candidate | None:
    """Read a candidate; None if it cannot be used. Its host is untrusted."""
    cid, priority = element.get("cid", ""), bounded_int(element.get("priority"), _HIGHEST_PRIORITY)
    host = stream_host(element.get("jid", ""), element.get("host", ""), element.get("port", ""))
    if not 0 < len(cid) <= LONGEST_ID or priority is None or host is None:
        return None
    try:
        kind = CandidateType(element.get("type", "direct"))
    except ValueError:
        return None
    return Candidate(cid, host, priority, kind)


def _read_sid(transport: Element) -> str:
    sid = transport.get("sid", "")
    if not 0 < len(sid) <= LONGEST_ID:
        raise PeerProtocolError("a transport without a sid")
    return sid
