"""Files of the ISO base media family (ISO/IEC 14496-12), told by their brands."""

from collections.abc import Iterator, Mapping
from typing import Final

from filebot.filetype.reader import BoundedReader

_BRANDS: Final[Mapping[bytes, str]] = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4P ": "audio/mp4",
    b"F4A ": "audio/mp4",
    b"F4B ": "audio/mp4",
    b"F4V ": "video/mp4",
    b"F4P ": "video/mp4",
    b"M4V ": "video/x-m4v",
    b"M4VH": "video/x-m4v",
    b"M4VP": "video/x-m4v",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic-sequence",
    b"hevx": "image/heic-sequence",
    b"hevm": "image/heic-sequence",
    b"hevs": "image/heic-sequence",
    b"mif1": "image/heif",
    b"mif2": "image/heif",
    b"msf1": "image/heif-sequence",
    b"crx ": "image/x-canon-cr3",
    b"jp2 ": "image/jp2",
    b"jpx ": "image/jpx",
    b"jpm ": "image/jpm",
    b"mjp2": "video/mj2",
    b"mj2s": "video/mj2",
    b"jxl ": "image/jxl",
    b"mp21": "application/mp21",
    b"dash": "video/mp4",
    b"XAVC": "video/mp4",
    b"dby1": "video/mp4",
    b"MSNV": "video/mp4",
    b"MSNP": "video/mp4",
    b"isml": "video/mp4",
}
_CODINGS: Final = frozenset({b"avif", b"avis", b"heic", b"heix", b"hevc", b"hevx"})
_BY_START: Final[tuple[tuple[bytes, str], ...]] = (
    (b"3g2", "video/3gpp2"),
    (b"3gp", "video/3gpp"),
    (b"3ge", "video/3gpp"),
    (b"3gr", "video/3gpp"),
    (b"3gs", "video/3gpp"),
    (b"3gh", "video/3gpp"),
    (b"iso", "video/mp4"),
    (b"mp4", "video/mp4"),
    (b"avc", "video/mp4"),
    (b"cmf", "video/mp4"),
)
# Old QuickTime has no brands; its first box is one of these.
_QUICKTIME: Final = frozenset({b"moov", b"mdat", b"wide", b"pnot", b"skip", b"free"})
_INSIDE: Final = frozenset(
    {b"moov", b"mdat", b"wide", b"pnot", b"skip", b"free", b"mvhd", b"cmov", b"uuid"}
)
_JPEG2000: Final = b"\0\0\0\x0cjP  \r\n\x87\n"
_JPEG_XL: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_STEPS: Final = 8


def iso_media_type(reader: BoundedReader) -> str | None:
    """Return the media type of a file of this family, else None."""
    head = reader.head
    if head.startswith(_JPEG_XL):
        return "image/jxl"
    at = len(_JPEG2000) if head.startswith(_JPEG2000) else 0
    if head[at + 4 : at + 8] == b"ftyp":
        brands = list(_brands(head, at))
        return _of_brands(brands) or ("image/jp2" if at else None)
    if at:
        return "image/jp2"
    return "video/quicktime" if head[4:8] in _QUICKTIME and _is_quicktime(reader) else None


def _brands(head: bytes, at: int) -> Iterator[bytes]:
    length = min(int.from_bytes(head[at : at + 4]), 1024)
    yield head[at + 8 : at + 12]
    for place in range(at + 16, min(at + length, len(head) - 3), 4):
        yield head[place : place + 4]


def _of_brands(brands: list[bytes]) -> str | None:
    major = _of_brand(brands[0])
    # The general brands of HEIF stand before that of the coding.
    if major in {"image/heif", "image/heif-sequence"}:
        return next((_BRANDS[brand] for brand in brands if brand in _CODINGS), major)
    if major is not None:
        return major
    return next((kind for kind in map(_of_brand, brands[1:]) if kind is not None), None)


def _of_brand(brand: bytes) -> str | None:
    brand = brand.replace(b"\0", b" ")
    if brand in _BRANDS:
        return _BRANDS[brand]
    return next((kind for start, kind in _BY_START if brand.startswith(start)), None)


def _is_quicktime(reader: BoundedReader) -> bool:
    """Return whether boxes follow each other to the end, or to a box that only QuickTime has."""
    at = 0
    for _ in range(_STEPS):
        header = reader.part(at, 16)
        length, kind = int.from_bytes(header[:4]), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16])
        if kind not in _INSIDE or (length < 8 and length != 0):
            return False
        if kind == b"moov" or length == 0 or at + length >= reader.size:
            return length == 0 or length > 8
        at += length
    return True
