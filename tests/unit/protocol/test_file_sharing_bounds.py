"""Bounds on a peer's description of a file; no message makes the reader raise."""

from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.model import Offer
from filebot.protocol.file_sharing import MAX_OFFERS, AttachmentJoiner, Shared, read

URL = "https://up.example/a"


def shared(children: str, body: str = "") -> Shared:
    return read(fromstring(f"<message xmlns='jabber:client'><body>{body}</body>{children}</message>"))


def described(facts: str) -> Offer:
    (offer,) = shared(
        "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>"
        f"{facts}</file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='{URL}'/>"
        "</sources></file-sharing>"
    ).offers
    return offer


@pytest.mark.parametrize(
    ("told", "size"),
    [
        ("0", 0),
        (" 7 ", 7),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        ("", None),
        ("٣", None),
        ("9" * 5000, None),
    ],
)
def test_a_size_is_a_whole_number_below_2_to_the_63(told: str, size: int | None) -> None:
    assert described(f"<size>{told}</size>").size == size


@pytest.mark.parametrize(
    "told",
    [
        "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>not base64!</hash>",
        "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>QUJD</hash>",
        "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'/>",
        "<hash xmlns='urn:xmpp:hashes:2' algo='crc-32'>QUJDRA==</hash>",
        "<hash xmlns='urn:xmpp:hashes:2'>QUJDRA==</hash>",
        "<hash xmlns='urn:example:mine' algo='md5'>QUJDREVGR0hJSktMTU5PUA==</hash>",
        "<hash-used xmlns='urn:xmpp:hashes:2' algo='sha-256'/>",
        "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>ÄÖÜ</hash>",
    ],
)
def test_a_hash_that_cannot_be_checked_counts_as_not_said(told: str) -> None:
    assert described(told).hashes == {}


def test_a_hash_may_be_broken_into_lines() -> None:
    told = "<hash xmlns='urn:xmpp:hashes:2' algo='MD5'>\n QUJDREVGR0hJ\n SktMTU5PUA== </hash>"
    assert described(told).hashes == {"md5": b"ABCDEFGHIJKLMNOP"}


def test_long_words_are_cut_and_absurd_ones_dropped() -> None:
    offer = described(
        f"<name>{'n' * 200_000}</name><desc>{'d' * 200_000}</desc><media-type>{'m' * 999}</media-type>"
        "<width>-3</width><height>99999999999</height>"
    )
    assert (len(offer.name or ""), len(offer.description)) == (16_384, 1024)
    assert (offer.media_type, offer.width, offer.height) == (None, None, None)


def test_sources_keep_their_order_up_to_eight_and_none_is_longer_than_8_kib() -> None:
    urls = [f"https://up.example/{n}" for n in range(12)]
    long = "https://up.example/" + "x" * 9000
    targets = "".join(
        f"<url-data xmlns='http://jabber.org/protocol/url-data' target='{url}'/>" for url in (long, *urls)
    )
    found = shared(f"<file-sharing xmlns='urn:xmpp:sfs:0'><sources>{targets}</sources></file-sharing>")
    assert [offer.urls for offer in found.offers] == [tuple(urls[:8])]


def test_of_too_many_files_the_first_are_given_and_all_are_counted() -> None:
    found = shared("".join(f"<x xmlns='jabber:x:oob'><url>{URL}{n}</url></x>" for n in range(1000)))
    assert (len(found.offers), found.offered) == (MAX_OFFERS, 1000)


@pytest.mark.parametrize(
    ("marks", "text"),
    [
        ("<body start='0' end='3'/>", "defghi"),
        ("<body end='3'/>", "defghi"),
        ("<body start='6'/>", "abcdef"),
        ("<body start='3' end='6'/>", "abcghi"),
        ("<body start='3' end='6'/><body start='0' end='4'/>", "ghi"),
        ("<body start='0' end='10'/>", ""),
        ("<body start='5' end='3'/>", "abcdefghi"),
        ("<body start='-1' end='3'/>", "abcdefghi"),
        ("<body start='99' end='100'/>", "abcdefghi"),
        ("<body start='a' end='b'/>", "abcdefghi"),
        ("<subject/>", "abcdefghi"),
        ("<body/>", ""),
        ("", ""),
    ],
)
def test_fallback_ranges_count_codepoints_and_foolish_ones_hide_nothing(marks: str, text: str) -> None:
    oob = f"<x xmlns='jabber:x:oob'><url>{URL}</url></x>"
    fallback = f"<fallback xmlns='urn:xmpp:fallback:0' for='jabber:x:oob'>{marks}</fallback>"
    assert shared(oob + fallback, "abcdefghi").text == text


CLIENT, OOB, SFS, ESFS = "{jabber:client}", "{jabber:x:oob}", "{urn:xmpp:sfs:0}", "{urn:xmpp:esfs:0}"
META, JINGLE = "{urn:xmpp:file:metadata:0}", "{urn:xmpp:jingle:apps:file-transfer:4}"
REFERENCE, SIMS = "{urn:xmpp:reference:0}", "{urn:xmpp:sims:1}"
URL_DATA = "{http://jabber.org/protocol/url-data}url-data"
HASH = "{urn:xmpp:hashes:2}hash"
FALLBACK = "{urn:xmpp:fallback:0}"
ATTACH_TO = "{urn:xmpp:message-attaching:1}attach-to"
FACTS = ["name", "size", "media-type", "width", "desc"]
FITTING = {
    f"{CLIENT}message": [
        f"{CLIENT}body",
        f"{OOB}x",
        f"{SFS}file-sharing",
        f"{SFS}sources",
        f"{REFERENCE}reference",
        f"{FALLBACK}fallback",
        ATTACH_TO,
    ],
    f"{OOB}x": [f"{OOB}url"],
    f"{SFS}file-sharing": [f"{META}file", f"{SFS}sources"],
    f"{SFS}sources": [URL_DATA, f"{ESFS}encrypted"],
    f"{ESFS}encrypted": [f"{SFS}sources"],
    f"{META}file": [HASH, *(f"{META}{fact}" for fact in FACTS)],
    f"{REFERENCE}reference": [f"{SIMS}media-sharing"],
    f"{SIMS}media-sharing": [f"{JINGLE}file", f"{SIMS}sources"],
    f"{SIMS}sources": [f"{REFERENCE}reference"],
    f"{JINGLE}file": [HASH, *(f"{JINGLE}{fact}" for fact in FACTS)],
    f"{FALLBACK}fallback": [f"{FALLBACK}body", f"{FALLBACK}subject"],
}
TAGS = sorted({*FITTING, *(tag for tags in FITTING.values() for tag in tags), "{", "}", "bare"})
VALUES = st.one_of(
    st.sampled_from(
        [URL, f"{URL}2", "aesgcm://a/b#00", "-1", "0", "5", "9" * 30, "sha-256", "md5", "QUJD"]
    ),
    st.sampled_from(["jabber:x:oob", "urn:xmpp:sfs:0", "urn:xmpp:reply:0"]),
    st.text(max_size=20),
)
NAMES = st.sampled_from(["id", "for", "start", "end", "algo", "target", "uri", "type"])


@st.composite
def trees(draw: st.DrawFn, tag: str, depth: int = 5) -> Element:
    """An element with children that mostly belong there."""
    made = Element(tag, draw(st.dictionaries(NAMES, VALUES, max_size=3)))
    made.text = draw(st.none() | VALUES)
    fitting = st.sampled_from([*FITTING.get(tag, []), draw(st.sampled_from(TAGS))])
    for child in draw(st.lists(fitting, max_size=3 if depth else 0)):
        made.append(draw(trees(child, depth - 1)))
    return made


@given(trees("{jabber:client}message"))
def test_any_message_is_read_as_some_value(message: Element) -> None:
    found = read(message)
    assert len(found.offers) <= min(found.offered, MAX_OFFERS)
    assert all(offer.urls and len(offer.urls) <= 8 for offer in found.offers)
    AttachmentJoiner().feed("anna@example.org", found, ["1"], now=0.0)


@given(st.sampled_from(TAGS).flatmap(trees))
def test_a_message_of_any_name_is_read_as_some_value(message: Element) -> None:
    assert isinstance(read(message), Shared)


def test_depth_and_length_do_not_matter() -> None:
    message = Element("{jabber:client}message")
    SubElement(message, "{jabber:client}body").text = "https://" * 25_000
    deep = SubElement(message, "{urn:xmpp:sfs:0}file-sharing")
    for _ in range(20_000):
        deep = SubElement(deep, "{urn:xmpp:sfs:0}sources")
    assert read(message).offers == ()
