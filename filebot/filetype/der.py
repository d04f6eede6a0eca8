"""Certificates, keys and signed messages in DER or BER (X.690), told by their first elements."""

from collections.abc import Mapping
from typing import Final, NamedTuple

X509: Final = "application/pkix-cert"

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OID: Final = 0x06
_CONTEXT_0: Final = 0xA0
_SET: Final = 0x31

# Content types of CMS (RFC 5652) and of PKCS #9.
_SIGNED: Final = bytes.fromhex("2a864886f70d010702")
_CONTENTS: Final[Mapping[bytes, str]] = {
    bytes.fromhex("2a864886f70d010701"): "application/pkcs7-mime",
    _SIGNED: "application/pkcs7-mime",
    bytes.fromhex("2a864886f70d010703"): "application/pkcs7-mime",
    bytes.fromhex("2a864886f70d010705"): "application/pkcs7-mime",
    bytes.fromhex("2a864886f70d010706"): "application/pkcs7-mime",
    bytes.fromhex("2a864886f70d0109100109"): "application/pkcs7-mime",
    bytes.fromhex("2a864886f70d0109100117"): "application/pkcs7-mime",
    bytes.fromhex("2a864886f70d010910011f"): "application/timestamped-data",
}


class _Element(NamedTuple):
    tag: int
    length: int
    """Bytes of the content; -1 if it ends by a mark."""
    start: int
    """Place of the content."""

    @property
    def end(self) -> int:
        return self.start + max(self.length, 0)


def der_type(head: bytes, size: int) -> str | None:
    """Return the media type of such a file of ``size`` bytes, else None."""
    outer = _element(head, 0)
    # The whole file is one sequence, perhaps with a line's end behind it.
    if outer is None or outer.tag != _SEQUENCE or (outer.length >= 0 and not 0 <= size - outer.end <= 2):
        return None
    first = _element(head, outer.start)
    if first is None:
        return None
    if first.tag == _OID:
        return _of_content(head, first)
    if outer.length < 0 and first.tag != _INTEGER:
        return None
    if first.tag == _SEQUENCE:
        return _of_sequence(head, first)
    return _of_version(head, first) if first.tag == _INTEGER else None


def _of_content(head: bytes, first: _Element) -> str | None:
    oid = head[first.start : first.end]
    kind = _CONTENTS.get(oid)
    return "application/pkcs7-signature" if oid == _SIGNED and _is_detached(head, first.end) else kind


def _is_detached(head: bytes, at: int) -> bool:
    """Return whether signed data carries signatures, but nothing that is signed (RFC 5652 section 5.1)."""
    for tags in ((_CONTEXT_0,), (_SEQUENCE,)):
        element = _element(head, at)
        if element is None or element.tag not in tags:
            return False
        at = element.start
    version = _element(head, at)
    algorithms = _element(head, version.end) if version else None
    if algorithms is None or algorithms.tag != _SET or algorithms.length <= 0:
        return False  # no digest, so no signature: certificates alone
    inner = _element(head, algorithms.end)
    oid = _element(head, inner.start) if inner else None
    if inner is None or oid is None:
        return False
    if inner.length >= 0:
        return oid.end == inner.end
    return head[oid.end : oid.end + 2] == b"\0\0"


def _of_sequence(head: bytes, first: _Element) -> str | None:
    """Tell a certificate (RFC 5280) and an encrypted key (PKCS #8)."""
    inner = _element(head, first.start)
    if inner is None:
        return None
    if inner.tag == _CONTEXT_0 and head[inner.start : inner.start + 2] == b"\x02\x01":
        return X509
    return "application/pkcs8-encrypted" if inner.tag == _OID else None


def _of_version(head: bytes, first: _Element) -> str | None:
    """Tell a key store (PKCS #12) and keys (PKCS #1 and #8, RFC 5915)."""
    second = _element(head, first.end)
    if second is None:
        return None
    if second.tag == _SEQUENCE:
        inner = _element(head, second.start)
        if inner is None or inner.tag != _OID:
            return None
        is_store = head[first.start : first.end] == b"\x03"
        return "application/x-pkcs12" if is_store else "application/pkcs8"
    if head[first.start : first.end] in {b"\0", b"\1"} and second.tag in {_INTEGER, 0x04}:
        return "application/pkcs8"
    return None


def _element(data: bytes, at: int) -> _Element | None:
    if at + 2 > len(data):
        return None
    tag, first = data[at], data[at + 1]
    if first == 0x80:
        return _Element(tag, -1, at + 2)
    if first < 0x80:
        return _Element(tag, first, at + 2)
    count = first & 0x7F
    if count > 8 or at + 2 + count > len(data):
        return None
    return _Element(tag, int.from_bytes(data[at + 2 : at + 2 + count]), at + 2 + count)
