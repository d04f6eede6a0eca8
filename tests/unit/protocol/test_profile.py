"""The bot's own profile: pictures, vcards and the items of its avatar."""

import struct
from base64 import b64encode
from xml.etree.ElementTree import Element, fromstring

import pytest

from filebot.adapters import AVATAR
from filebot.protocol.profile import (
    MOST_PICTURE_BYTES,
    VCARD,
    Picture,
    Profile,
    photo_digest,
    read_picture,
    shows,
    write_avatar_metadata,
    write_vcard,
)

JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 40, 60) + b"\x03" + bytes(9)
PICTURE = Picture(JPEG, "image/jpeg", 60, 40)
PROFILE = Profile("Filebot", "Keeps files.", PICTURE)


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + bytes(20)


def test_the_picture_that_comes_with_filebot_is_small_and_square() -> None:
    picture = read_picture(AVATAR.read_bytes())
    assert (picture.media_type, picture.width, picture.height) == ("image/png", 192, 192)
    assert len(picture.data) <= 16 * 1024


def test_png_and_jpeg_are_read() -> None:
    assert read_picture(JPEG) == PICTURE
    assert read_picture(png(3, 5)) == Picture(png(3, 5), "image/png", 3, 5)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither"),
        (b"GIF89a" + bytes(50), "neither"),
        (b"<svg/>", "neither"),
        (b"\x89PNG\r\n\x1a\n", "neither"),
        (b"\xff\xd8\xff\xd9", "neither"),
        (b"\xff\xd8\xff" + b"\xff" * 60_000, "neither"),
        (png(0, 5), "0 x 5"),
        (png(2_000_000_000, 5), "pixels"),
        (png(5, 5) + bytes(MOST_PICTURE_BYTES), "bytes"),
    ],
)
def test_others_are_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_picture(data)


def test_a_vcard_says_what_the_profile_does_and_keeps_the_rest() -> None:
    before = fromstring(
        f"<vCard xmlns='{VCARD}'><FN>Old</FN><URL>https://example.org</URL><PHOTO><BINVAL/></PHOTO></vCard>"
    )
    vcard = write_vcard(PROFILE, before)
    assert [each.tag.rpartition("}")[2] for each in vcard] == [
        *("URL", "FN", "NICKNAME", "DESC", "NOTE", "PHOTO")
    ]
    assert (vcard.findtext(f"{{{VCARD}}}FN"), photo_digest(vcard)) == ("Filebot", PICTURE.digest)
    assert shows(vcard, PROFILE)
    assert not shows(before, PROFILE)
    assert shows(write_vcard(Profile("Filebot"), vcard), PROFILE), "what is empty changes nothing"


@pytest.mark.parametrize("text", ["", "  ", "?", "a", "A" * 600_000, None])
def test_a_broken_photo_is_none(text: str | None) -> None:
    vcard = fromstring(f"<vCard xmlns='{VCARD}'><PHOTO><BINVAL/></PHOTO></vCard>")
    binval = vcard.find(f"{{{VCARD}}}PHOTO/{{{VCARD}}}BINVAL")
    assert binval is not None
    binval.text = text
    assert photo_digest(vcard) == ""
    assert photo_digest(Element("x")) == photo_digest(None) == ""


def test_the_hash_is_that_of_the_bytes_however_they_are_broken_into_lines() -> None:
    lines = "\n".join(b64encode(JPEG).decode()[at : at + 8] for at in range(0, 60, 8))
    vcard = fromstring(f"<vCard xmlns='{VCARD}'><PHOTO><BINVAL>{lines}</BINVAL></PHOTO></vCard>")
    assert photo_digest(vcard) == PICTURE.digest


def test_the_metadata_names_the_picture() -> None:
    [info] = write_avatar_metadata(PICTURE)
    assert info.attrib == {
        "id": PICTURE.digest, "type": "image/jpeg", "bytes": str(len(JPEG)), "width": "60", "height": "40"
    }  # fmt: skip
