"""Stream Initiation (XEP-0095) with its file transfer profile (XEP-0096): reading and writing elements.

How it goes: the sender offers a file and lists the methods that it can do; the receiver answers with one
of them, and with the part of the file that it wants; or with an error. The ``id`` of the offer becomes the
``sid`` of the stream.
"""

import binascii
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.errors import LocalProtocolError, PeerProtocolError
from filebot.model import Method, Offer
from filebot.protocol.ibb import IBB
from filebot.protocol.stanza_error import StanzaError
from filebot.protocol.xml import bounded_int, first, named

SI: Final = "http://jabber.org/protocol/si"
FILE_TRANSFER: Final = "http://jabber.org/protocol/si/profile/file-transfer"
BYTESTREAMS: Final = "http://jabber.org/protocol/bytestreams"  # XEP-0065

NAMESPACES: Final = {Method.SOCKS5: BYTESTREAMS, Method.IBB: IBB}
"""The streams of XEP-0096 section 3.1, in the order in which they are to be preferred."""

_FEATURE_NEG: Final = "http://jabber.org/protocol/feature-neg"  # XEP-0020
_DATA_FORM: Final = "jabber:x:data"
_STREAM_METHOD: Final = "stream-method"
_METHODS: Final = {namespace: method for method, namespace in NAMESPACES.items()}
_LARGEST_SIZE: Final = 2**63 - 1
_LONGEST_SID: Final = 256
_LONGEST_TEXT: Final = 4096
_MOST_OPTIONS: Final = 32
_MD5_BYTES: Final = 16


class BadOffer(PeerProtocolError):
    """An offer that cannot be taken as it stands; ``error`` is what to answer."""

    def __init__(self, error: StanzaError) -> None:
        super().__init__(f"{error.condition} {error.specific}")
        self.error = error


@dataclass(frozen=True, slots=True)
class SiOffer:
    """A file that somebody wants to send."""

    sid: str
    methods: tuple[Method, ...]
    """Offered methods that filebot knows, in the sender's order; at least one."""
    offer: Offer
    size: int
    """In bytes."""
    resumable: bool
    """Whether the sender can begin at an offset (XEP-0096, ranged transfers)."""


@dataclass(frozen=True, slots=True)
class SiAnswer:
    """Answer of a receiver: a method, and the part of the file."""

    method: Method
    offset: int
    length: int
    """How many bytes from ``offset`` on."""


NO_VALID_STREAMS: Final = StanzaError("bad-request", specific=f"{{{SI}}}no-valid-streams")
"""XEP-0095 section 3.2: none of the methods can be used."""
BAD_PROFILE: Final = StanzaError("bad-request", "modify", f"{{{SI}}}bad-profile")
_INCOMPLETE: Final = StanzaError("bad-request", "modify")


def declined(text: str) -> StanzaError:
    """The receiver does not want it (XEP-0095 section 3.2, XEP-0096)."""
    return StanzaError("forbidden", text=text)


# --- offers -----------------------------------------------------------------------------------------


def read_offer(si: Element) -> SiOffer:
    """From the ``<si/>`` of an iq-set. Raises BadOffer."""
    sid = si.get("id", "")
    if not 0 < len(sid) <= _LONGEST_SID:
        raise BadOffer(_INCOMPLETE)
    file = first(si, FILE_TRANSFER, "file")
    if si.get("profile") != FILE_TRANSFER or file is None:
        raise BadOffer(BAD_PROFILE)
    name, size = file.get("name", "")[:_LONGEST_TEXT], bounded_int(file.get("size"), _LARGEST_SIZE)
    # XEP-0096 section 3: both MUST be there. Without a size nobody could tell when the file is complete.
    if not name or size is None:
        raise BadOffer(BAD_PROFILE)
    methods = _offered_methods(si)
    if not methods:
        raise BadOffer(NO_VALID_STREAMS)
    offer = Offer(
        name=name,
        size=size,
        media_type=si.get("mime-type", "").strip()[:_LONGEST_TEXT] or None,
        hashes=_md5(file.get("hash")),
        description=_text(first(file, FILE_TRANSFER, "desc")),
    )
    return SiOffer(sid, methods, offer, size, first(file, FILE_TRANSFER, "range") is not None)


def write_offer(
    sid: str, *, name: str, size: int, media_type: str, methods: tuple[Method, ...], resumable: bool = True
) -> Element:
    """The ``<si/>`` of an iq-set. Without a hash: it would be an MD5, and cost a read of the whole file."""
    si = Element(f"{{{SI}}}si", {"id": sid, "mime-type": media_type, "profile": FILE_TRANSFER})
    file = SubElement(si, f"{{{FILE_TRANSFER}}}file", {"name": name, "size": str(size)})
    if resumable:
        SubElement(file, f"{{{FILE_TRANSFER}}}range")
    field = _form(si, "form")
    field.set("type", "list-single")
    for method in methods:
        option = SubElement(field, f"{{{_DATA_FORM}}}option")
        SubElement(option, f"{{{_DATA_FORM}}}value").text = NAMESPACES[method]
    return si


def _offered_methods(si: Element) -> tuple[Method, ...]:
    field = _stream_method(si)
    if field is None:
        return ()
    options = list(named(field, _DATA_FORM, "option"))[:_MOST_OPTIONS]
    values = (_text(first(option, _DATA_FORM, "value")) for option in options)
    known = (_METHODS[value] for value in values if value in _METHODS)
    return tuple(dict.fromkeys(known))


def _md5(digits: str | None) -> dict[str, bytes]:
    """XEP-0096: the hash is the MD5 of the content, in hexadecimal digits. Anything else is ignored."""
    try:
        digest = binascii.unhexlify((digits or "").strip())
    except ValueError:
        return {}
    return {"md5": digest} if len(digest) == _MD5_BYTES else {}


# --- answers ----------------------------------------------------------------------------------------


def write_answer(method: Method, *, offset: int = 0) -> Element:
    """The ``<si/>`` of a result. Only who was offered ranges may ask for an offset.

    XEP-0095 section 4.1: no id, no profile, one method.
    """
    si = Element(f"{{{SI}}}si")
    if offset:
        file = SubElement(si, f"{{{FILE_TRANSFER}}}file")
        SubElement(file, f"{{{FILE_TRANSFER}}}range", {"offset": str(offset)})
    field = _form(si, "submit")
    SubElement(field, f"{{{_DATA_FORM}}}value").text = NAMESPACES[method]
    return si


def read_answer(iq: Element, offered: tuple[Method, ...], size: int) -> SiAnswer:
    """From an iq-result to an offer of ``size`` bytes. Raises PeerProtocolError.

    COMPAT(QXmpp): repeats the profile; attributes of the ``<si/>`` are not looked at.
    """
    if not offered:
        raise LocalProtocolError("an offer without methods")
    si = first(iq, SI, "si")
    if si is None:
        raise PeerProtocolError("a result without si")
    return SiAnswer(_chosen(si, offered), *_range(first(si, FILE_TRANSFER, "file"), size))


def _chosen(si: Element, offered: tuple[Method, ...]) -> Method:
    field = _stream_method(si)
    if field is None:
        # XEP-0095 section 5.1: it may be left out where there is no choice.
        if len(offered) == 1:
            return offered[0]
        raise PeerProtocolError("no method is chosen")
    value = _text(first(field, _DATA_FORM, "value"))
    method = _METHODS.get(value)
    if method not in offered:
        raise PeerProtocolError(f"chooses {value:.100}, which was not offered")
    return method


def _range(file: Element | None, size: int) -> tuple[int, int]:
    wanted = first(file, FILE_TRANSFER, "range")
    if wanted is None:
        return 0, size
    offset = bounded_int(wanted.get("offset", "0"), size)
    if offset is None:
        raise PeerProtocolError("a range that begins outside of the file")
    length = bounded_int(wanted.get("length", str(size - offset)), size - offset)
    if length is None:
        raise PeerProtocolError("a range that ends outside of the file")
    return offset, length


# --- the form ---------------------------------------------------------------------------------------


def _form(si: Element, kind: str) -> Element:
    """An empty ``stream-method`` field in a form of its own."""
    feature = SubElement(si, f"{{{_FEATURE_NEG}}}feature")
    form = SubElement(feature, f"{{{_DATA_FORM}}}x", {"type": kind})
    return SubElement(form, f"{{{_DATA_FORM}}}field", {"var": _STREAM_METHOD})


def _stream_method(si: Element) -> Element | None:
    form = first(first(si, _FEATURE_NEG, "feature"), _DATA_FORM, "x")
    fields = () if form is None else named(form, _DATA_FORM, "field")
    return next((field for field in fields if field.get("var") == _STREAM_METHOD), None)


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()[:_LONGEST_TEXT]


def methods_of(features: AbstractSet[str]) -> frozenset[Method]:
    """The methods by which a client with these features takes files.

    COMPAT(Psi): its own features are complete, but others forget ``si`` itself; the profile says it all.
    COMPAT(gloox, 1.0): names the profile and no method at all; the offer's form settles it.
    """
    if FILE_TRANSFER not in features:
        return frozenset()
    named = frozenset(method for method, namespace in NAMESPACES.items() if namespace in features)
    return named or frozenset(NAMESPACES)
