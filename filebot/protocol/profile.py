"""Profile of an account: vcard-temp (XEP-0054), the hash of its photo (XEP-0153), a user avatar (XEP-0084)
and a nickname (XEP-0172).
"""

import hashlib
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from xml.etree.ElementTree import Element, SubElement

VCARD: Final = "vcard-temp"
PHOTO_UPDATE: Final = "vcard-temp:x:update"
AVATAR_DATA: Final = "urn:xmpp:avatar:data"
AVATAR_METADATA: Final = "urn:xmpp:avatar:metadata"
NICK: Final = "http://jabber.org/protocol/nick"

MOST_PICTURE_BYTES: Final = 64 * 1024
"""Bytes of the largest picture; in base64 it still fits in a stanza of most servers."""
MOST_PIXELS: Final = 1024
"""Pixels of the longest side."""
_MOST_BASE64: Final = 512 * 1024
"""Characters of the largest photo that is read from a vcard."""

_DESCRIPTIONS: Final = ("DESC", "NOTE")

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Picture:
    """Picture in a form that all clients show."""

    data: bytes
    media_type: str
    width: int
    height: int

    @cached_property
    def digest(self) -> str:
        """SHA-1 in hexadecimal, by which both XEPs name a picture."""
        return hashlib.sha1(self.data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Profile:
    """Name, description and picture of the bot. Whatever is empty is not shown."""

    name: str = ""
    description: str = ""
    picture: Picture | None = None
    replaces_picture: bool = True
    """Whether the picture takes the place of another one that the account has already."""


def read_picture(data: bytes) -> Picture:
    """Return a picture in PNG or JPEG. Raises ValueError, whose text goes on "the file"."""
    if len(data) > MOST_PICTURE_BYTES:
        raise ValueError(f"has {len(data)} bytes; a picture has up to {MOST_PICTURE_BYTES}")
    if data.startswith(_PNG) and data[12:16] == b"IHDR" and len(data) > 33:
        kind, size = "image/png", struct.unpack(">II", data[16:24])
    elif data.startswith(_JPEG) and (found := next(_sizes_in_jpeg(data), None)) is not None:
        kind, size = "image/jpeg", found
    else:
        raise ValueError("is neither a PNG nor a JPEG picture")
    width, height = size
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise ValueError(f"has {width} x {height} pixels; each side has up to {MOST_PIXELS}")
    return Picture(data, kind, width, height)


def _sizes_in_jpeg(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the width and height of each frame header (ITU T.81 B.2.2)."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            yield width, height
        place += 2 + max(length, 2)


# --- vcard-temp -------------------------------------------------------------------------------------


def write_vcard(profile: Profile, before: Element | None = None) -> Element:
    """Return a vcard of a profile; what it does not say stays as it was ``before``."""
    vcard = Element(f"{{{VCARD}}}vCard")
    texts = {"FN": profile.name, "NICKNAME": profile.name}
    # COMPAT(Prosody): keeps a vCard4, which has a NOTE and no DESC.
    texts |= dict.fromkeys(_DESCRIPTIONS, profile.description)
    replaced = {name for name, text in texts.items() if text} | ({"PHOTO"} if profile.picture else set())
    vcard.extend(each for each in (before if before is not None else ()) if _local(each) not in replaced)
    for name, text in texts.items():
        if text:
            SubElement(vcard, f"{{{VCARD}}}{name}").text = text
    if profile.picture is not None:
        photo = SubElement(vcard, f"{{{VCARD}}}PHOTO")
        SubElement(photo, f"{{{VCARD}}}TYPE").text = profile.picture.media_type
        SubElement(photo, f"{{{VCARD}}}BINVAL").text = b64encode(profile.picture.data).decode()
    return vcard


def photo_digest(vcard: Element | None) -> str:
    """Return the SHA-1 of the photo in a vcard, in hexadecimal; empty if there is none."""
    text = "" if vcard is None else vcard.findtext(f"{{{VCARD}}}PHOTO/{{{VCARD}}}BINVAL") or ""
    if not text.strip() or len(text) > _MOST_BASE64:
        return ""
    try:
        data = b64decode(text)
    except ValueError:
        return ""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest() if data else ""


def shows(vcard: Element | None, profile: Profile) -> bool:
    """Tell whether a vcard says all that a profile does."""
    if vcard is None:
        return False

    def said(name: str) -> str:
        return (vcard.findtext(f"{{{VCARD}}}{name}") or "").strip()

    if profile.name not in {"", said("FN")} or profile.description not in {"", *map(said, _DESCRIPTIONS)}:
        return False
    return profile.picture is None or photo_digest(vcard) == profile.picture.digest


def write_photo_update(digest: str) -> Element:
    """Return the mark in a presence that names the photo (XEP-0153 section 3.1)."""
    mark = Element(f"{{{PHOTO_UPDATE}}}x")
    SubElement(mark, f"{{{PHOTO_UPDATE}}}photo").text = digest
    return mark


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


# --- personal eventing ------------------------------------------------------------------------------


def write_avatar_data(picture: Picture) -> Element:
    """Return the item with the bytes of an avatar (XEP-0084 section 4.2.1)."""
    data = Element(f"{{{AVATAR_DATA}}}data")
    data.text = b64encode(picture.data).decode()
    return data


def write_avatar_metadata(picture: Picture) -> Element:
    """Return the item that tells of an avatar (section 4.2.2)."""
    metadata = Element(f"{{{AVATAR_METADATA}}}metadata")
    about = {
        "id": picture.digest,
        "type": picture.media_type,
        "bytes": str(len(picture.data)),
        "width": str(picture.width),
        "height": str(picture.height),
    }
    SubElement(metadata, f"{{{AVATAR_METADATA}}}info", about)
    return metadata


def write_nick(name: str) -> Element:
    """Return a nickname, in a presence or as an item."""
    nick = Element(f"{{{NICK}}}nick")
    nick.text = name
    return nick
