"""The one message that every client shows as a file."""

from datetime import UTC, datetime, timedelta, timezone
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebot.model import BlobRef, Entry, Offer
from filebot.protocol.file_sharing import outgoing, read

URL = "https://up.example/3f2a/summit.jpg"
DIGEST = "ab" * 32


def entry(
    name: str = "summit view.jpg",
    media_type: str = "image/jpeg",
    *,
    size: int = 3032449,
    width: int | None = None,
    height: int | None = None,
) -> Entry:
    created = datetime(2026, 3, 1, 13, 30, tzinfo=timezone(timedelta(hours=1)))
    return Entry(
        name=name,
        owner="anna@example.org",
        room=None,
        caption="never sent along",
        blob=BlobRef(DIGEST, size),
        media_type=media_type,
        created_at=created,
        width=width,
        height=height,
        id=12,
        modified_at=created.astimezone(UTC),
    )


def message(body: str, children: list[Element]) -> Element:
    stanza = Element("{jabber:client}message")
    SubElement(stanza, "{jabber:client}body").text = body
    stanza.extend(children)
    return fromstring(tostring(stanza))


def test_the_body_is_the_url_and_equals_that_of_oob() -> None:
    body, children = outgoing(entry(), URL)
    oob = children[0]
    assert body == oob.findtext("{jabber:x:oob}url") == URL


def test_the_stanza_has_what_each_reader_insists_on() -> None:
    body, children = outgoing(entry(width=40, height=30), URL)
    stanza = message(body, children)
    sfs = stanza.find("{urn:xmpp:sfs:0}file-sharing")
    assert sfs is not None
    assert sfs.get("disposition") == "inline"
    meta = sfs.find("{urn:xmpp:file:metadata:0}file")
    assert meta is not None
    assert {child.tag.rpartition("}")[2]: child.text for child in meta} == {
        "name": "summit view.jpg",
        "size": "3032449",
        "media-type": "image/jpeg",
        "date": "2026-03-01T12:30:00Z",
        "width": "40",
        "height": "30",
        "hash": "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
    }
    sims = stanza.find("{urn:xmpp:reference:0}reference/{urn:xmpp:sims:1}media-sharing")
    assert sims is not None
    assert sims.find("{urn:xmpp:jingle:apps:file-transfer:5}file/{urn:xmpp:hashes:2}hash") is not None
    source = sims.find("{urn:xmpp:sims:1}sources/{urn:xmpp:reference:0}reference")
    assert source is not None
    assert source.get("uri") == URL
    fallbacks = stanza.findall("{urn:xmpp:fallback:0}fallback")
    assert [fallback.get("for") for fallback in fallbacks] == ["urn:xmpp:sfs:0"]
    assert stanza.find("{urn:xmpp:hints}store") is not None


@pytest.mark.parametrize("url", [URL, "https://up.example/3f2a/\N{MOUNTAIN}\N{COMBINING ACUTE ACCENT}.jpg"])
def test_each_reference_is_to_the_whole_body_in_code_points(url: str) -> None:
    body, children = outgoing(entry(), url)
    references = list(message(body, children).iter("{urn:xmpp:reference:0}reference"))
    assert [(each.get("begin"), each.get("end")) for each in references] == [("0", str(len(url)))] * 2
    # Converse.js drops a reference whose anchor it does not find, and so shows the link once.
    assert {each.get("anchor") for each in references} == {"body"}


def test_a_document_is_for_saving_not_for_showing() -> None:
    _, children = outgoing(entry("a.pdf", "application/pdf"), URL)
    assert [child.get("disposition") for child in children if "sfs" in child.tag] == ["attachment"]


@settings(deadline=None)
@given(
    name=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=40),
    size=st.integers(0, 2**63 - 1),
    pixels=st.none() | st.integers(1, 2**31 - 1),
)
def test_what_is_written_is_read_back_as_one_file(name: str, size: int, pixels: int | None) -> None:
    stored = entry(name, size=size, width=pixels, height=pixels)
    shared = read(message(*outgoing(stored, URL)))
    assert shared.offers == (
        Offer(
            urls=(URL,),
            name=name,
            size=size,
            media_type="image/jpeg",
            hashes={"sha-256": bytes.fromhex(DIGEST)},
            width=pixels,
            height=pixels,
        ),
    )
    assert (shared.offered, shared.text, shared.encrypted, shared.announced) == (1, "", False, ())
    assert shared.by_bot


@pytest.mark.parametrize(("width", "height"), [(None, None), (40, None), (None, 30)])
def test_half_known_dimensions_are_not_sent(width: int | None, height: int | None) -> None:
    (offer,) = read(message(*outgoing(entry(width=width, height=height), URL))).offers
    assert (offer.width, offer.height) == (None, None)
