"""Matroska, Ogg, ASF and MPEG transport streams, told by what they carry."""

from collections.abc import Mapping
from typing import Final

from filebot.filetype.reader import BoundedReader

_EBML_DOCTYPES: Final[Mapping[bytes, str]] = {b"webm": "video/webm", b"matroska": "video/matroska"}
_DOCTYPE: Final = b"\x42\x82"

_OGG_VIDEO: Final = (b"\x80theora", b"\x01video\0\0\0", b"BBCD\0", b"\x80daala")
_OGG_AUDIO: Final = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ", b"\x01audio\0\0\0", b"PCM     ")
_OGG_HEADERS: Final = 4096
"""First pages of all streams stand at the beginning (RFC 3533 section 4)."""

ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_AUDIO: Final = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_ASF_VIDEO: Final = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")

_PACKETS: Final = ((188, 0), (192, 4), (204, 0))
"""Lengths of packets of a transport stream, and where their sync byte stands."""


def container_type(reader: BoundedReader) -> str | None:
    """Return the media type of a file in one of these containers, else None."""
    head = reader.head
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _ebml(head)
    if head.startswith(b"OggS"):
        return _ogg(head[:_OGG_HEADERS])
    if head.startswith(ASF):
        return _asf(head)
    return "video/mp2t" if _is_transport_stream(head) else None


def _ebml(head: bytes) -> str | None:
    at = head.find(_DOCTYPE, 4, 128)
    if at < 0 or at + 3 > len(head):
        return None
    length = head[at + 2] & 0x7F
    return _EBML_DOCTYPES.get(head[at + 3 : at + 3 + length].rstrip(b"\0"))


def _ogg(head: bytes) -> str:
    if any(mark in head for mark in _OGG_VIDEO):
        return "video/ogg"
    return "audio/ogg" if any(mark in head for mark in _OGG_AUDIO) else "application/ogg"


def _asf(head: bytes) -> str:
    if _ASF_VIDEO in head:
        return "video/x-ms-wmv"
    return "audio/x-ms-wma" if _ASF_AUDIO in head else "application/vnd.ms-asf"


def _is_transport_stream(head: bytes) -> bool:
    return any(
        len(head) >= start + 5 * length
        and all(head[at] == 0x47 for at in range(start, min(len(head), 50 * length), length))
        for length, start in _PACKETS
    )
