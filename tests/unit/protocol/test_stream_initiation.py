"""Stream initiation (XEP-0095, XEP-0096), by the examples of the XEPs and by what clients really send."""

from contextlib import suppress
from xml.etree.ElementTree import Element, SubElement, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.errors import PeerProtocolError
from filebot.model import Method
from filebot.protocol.disco import features_in
from filebot.protocol.stanza_error import STANZAS, StanzaError, read_error
from filebot.protocol.stream_initiation import (
    BAD_PROFILE,
    BYTESTREAMS,
    FILE_TRANSFER,
    NO_VALID_STREAMS,
    SI,
    BadOffer,
    SiAnswer,
    declined,
    methods_of,
    read_answer,
    read_offer,
    write_answer,
    write_offer,
)

BOTH = (Method.SOCKS5, Method.IBB)

FEATURE = """
<feature xmlns='http://jabber.org/protocol/feature-neg'>
  <x xmlns='jabber:x:data' type='form'>
    <field var='stream-method' type='list-single'>
      <option><value>http://jabber.org/protocol/bytestreams</value></option>
      <option><value>jabber:iq:oob</value></option>
      <option><value>http://jabber.org/protocol/ibb</value></option>
    </field>
  </x>
</feature>
"""


def offer_of(
    file: str = "name='test.txt' size='1022'", inner: str = "", *, feature: str = FEATURE
) -> Element:
    return fromstring(f"""
<si xmlns='http://jabber.org/protocol/si' id='a0' mime-type='text/plain'
    profile='http://jabber.org/protocol/si/profile/file-transfer'>
  <file xmlns='http://jabber.org/protocol/si/profile/file-transfer' {file}>{inner}</file>
  {feature}
</si>
""")


def result_of(content: str) -> Element:
    return fromstring(f"<iq xmlns='jabber:client' type='result' id='offer1'>{content}</iq>")


def answer_of(method: str = BYTESTREAMS, file: str = "", attributes: str = "") -> Element:
    return result_of(f"""
<si xmlns='http://jabber.org/protocol/si' {attributes}>{file}
  <feature xmlns='http://jabber.org/protocol/feature-neg'>
    <x xmlns='jabber:x:data' type='submit'>
      <field var='stream-method'><value>{method}</value></field>
    </x>
  </feature>
</si>
""")


# --- offers ------------------------------------------------------------------------------------------


@pytest.mark.conformance(86)
def test_the_complete_offer_of_xep_0096_is_read() -> None:
    read = read_offer(
        offer_of(
            "name='test.txt' size='1022' date='1969-07-21T02:56:15Z' "
            "hash='552da749930852c69ae5d2141d3766b1'",
            "<desc>This is a test. If this were a real file...</desc>",
        )
    )
    assert (read.sid, read.methods, read.size, read.resumable) == ("a0", BOTH, 1022, False)
    assert (read.offer.name, read.offer.size, read.offer.media_type) == ("test.txt", 1022, "text/plain")
    assert read.offer.hashes == {"md5": bytes.fromhex("552da749930852c69ae5d2141d3766b1")}
    assert read.offer.description == "This is a test. If this were a real file..."


def test_a_range_says_that_the_sender_can_begin_later() -> None:
    assert read_offer(offer_of(inner="<range/>")).resumable  # Psi; Pidgin and QXmpp send none


def test_methods_keep_the_senders_order() -> None:
    swapped = (
        FEATURE.replace("bytestreams", "other").replace("/ibb", "/bytestreams").replace("other", "ibb")
    )
    assert read_offer(offer_of(feature=swapped)).methods == (Method.IBB, Method.SOCKS5)


@pytest.mark.parametrize("digits", ["", "xyz", "552d", "552da749930852c69ae5d2141d3766b1" * 2])
def test_a_hash_that_is_no_md5_is_ignored(digits: str) -> None:
    assert read_offer(offer_of(f"name='a' size='1' hash='{digits}'")).offer.hashes == {}


def test_an_empty_file_is_an_offer_too() -> None:
    assert read_offer(offer_of("name='empty' size='0'")).size == 0


def test_a_path_stays_as_it_is_raw() -> None:
    assert read_offer(offer_of("name='../../etc/passwd' size='1'")).offer.name == "../../etc/passwd"


@pytest.mark.parametrize(
    "file", ["name='a'", "size='1'", "name='' size='1'", "name='a' size='-1'", "name='a' size='1e3'"]
)
def test_without_a_name_or_size_the_profile_is_bad(file: str) -> None:
    with pytest.raises(BadOffer) as raised:
        read_offer(offer_of(file))
    assert raised.value.error == BAD_PROFILE


def test_another_profile_is_bad() -> None:
    other = offer_of()
    other.set("profile", "http://jabber.org/protocol/si/profile/tree-transfer")
    with pytest.raises(BadOffer) as raised:
        read_offer(other)
    assert raised.value.error == BAD_PROFILE


@pytest.mark.conformance(83)
@pytest.mark.parametrize(
    "feature",
    ["", FEATURE.replace("bytestreams", "x").replace("/ibb", "/y"), FEATURE.replace("stream-", "")],
)
def test_without_a_common_method_there_are_no_valid_streams(feature: str) -> None:
    with pytest.raises(BadOffer) as raised:
        read_offer(offer_of(feature=feature))
    assert raised.value.error == NO_VALID_STREAMS


@pytest.mark.parametrize("sid", ["", "x" * 257])
def test_a_stream_needs_an_id(sid: str) -> None:
    offer = offer_of()
    offer.set("id", sid)
    with pytest.raises(BadOffer) as raised:
        read_offer(offer)
    assert raised.value.error.condition == "bad-request"


def test_our_offer_is_read_as_it_was_meant() -> None:
    written = write_offer("s1", name="Grüße.pdf", size=7, media_type="application/pdf", methods=BOTH)
    read = read_offer(written)
    assert (read.sid, read.methods, read.size, read.resumable) == ("s1", BOTH, 7, True)
    assert (read.offer.name, read.offer.media_type) == ("Grüße.pdf", "application/pdf")


# --- answers -----------------------------------------------------------------------------------------


@pytest.mark.conformance(84)
@pytest.mark.parametrize(
    ("inner", "offset", "length"),
    [
        ("", 0, 1022),
        ("<range/>", 0, 1022),
        ("<range length='256'/>", 0, 256),
        ("<range offset='128' length='256'/>", 128, 256),
        ("<range offset='128'/>", 128, 894),
        ("<range offset='1022'/>", 1022, 0),
    ],
)
def test_the_ranges_of_xep_0096(inner: str, offset: int, length: int) -> None:
    file = f"<file xmlns='{FILE_TRANSFER}'>{inner}</file>"
    assert read_answer(answer_of(file=file), BOTH, 1022) == SiAnswer(Method.SOCKS5, offset, length)


@pytest.mark.parametrize(
    "inner", ["<range offset='1023'/>", "<range offset='-1'/>", "<range offset='128' length='895'/>"]
)
def test_a_range_outside_of_the_file_is_an_error(inner: str) -> None:
    with pytest.raises(PeerProtocolError):
        read_answer(answer_of(file=f"<file xmlns='{FILE_TRANSFER}'>{inner}</file>"), BOTH, 1022)


def test_the_answer_of_qxmpp_has_attributes_that_do_not_matter() -> None:
    attributes = f"id='a0' profile='{FILE_TRANSFER}' mime-type='application/octet-stream'"
    assert read_answer(answer_of(attributes=attributes), BOTH, 5) == SiAnswer(Method.SOCKS5, 0, 5)


@pytest.mark.parametrize("method", ["", "jabber:iq:oob", "http://jabber.org/protocol/ibb"])
def test_a_method_that_was_not_offered_is_an_error(method: str) -> None:
    with pytest.raises(PeerProtocolError):
        read_answer(answer_of(method), (Method.SOCKS5,), 5)


def test_without_a_choice_there_is_nothing_to_name() -> None:
    bare = result_of(f"<si xmlns='{SI}'/>")
    assert read_answer(bare, (Method.IBB,), 5).method is Method.IBB
    with pytest.raises(PeerProtocolError):
        read_answer(bare, BOTH, 5)
    with pytest.raises(PeerProtocolError):
        read_answer(result_of(""), BOTH, 5)


@pytest.mark.conformance(80)
def test_our_answer_is_one_method_and_at_most_an_offset() -> None:
    iq = Element("{jabber:client}iq")
    iq.append(write_answer(Method.IBB, offset=3))
    assert read_answer(iq, BOTH, 10) == SiAnswer(Method.IBB, 3, 7)
    assert not iq[0].attrib
    assert len(write_answer(Method.SOCKS5)) == 1  # no <file/>: XEP-0096 demands the whole then


# --- errors ------------------------------------------------------------------------------------------


@pytest.mark.conformance(83)
@pytest.mark.parametrize(
    ("error", "tags"),
    [
        (NO_VALID_STREAMS, [f"{{{STANZAS}}}bad-request", f"{{{SI}}}no-valid-streams"]),
        (BAD_PROFILE, [f"{{{STANZAS}}}bad-request", f"{{{SI}}}bad-profile"]),
        (declined("Offer Declined"), [f"{{{STANZAS}}}forbidden", f"{{{STANZAS}}}text"]),
    ],
)
def test_the_errors_of_xep_0095(error: StanzaError, tags: list[str]) -> None:
    iq = Element("{jabber:client}iq", {"type": "error"})
    iq.append(error.element("jabber:client"))
    assert [child.tag for child in iq[0]] == tags
    assert iq[0].get("code") in {"400", "403"}
    assert read_error(iq) == error


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        ("", "undefined-condition"),
        ("<error/>", "undefined-condition"),
        ("<error code='403'/>", "forbidden"),
        (f"<error><x xmlns='{STANZAS}'/><forbidden xmlns='{STANZAS}'/></error>", "forbidden"),
    ],
)
def test_errors_of_every_shape_are_read(error: str, condition: str) -> None:
    assert read_error(fromstring(f"<iq xmlns='jabber:client'>{error}</iq>")).condition == condition


# --- features ----------------------------------------------------------------------------------------


def disco(*features: str) -> Element:
    query = Element("{http://jabber.org/protocol/disco#info}query")
    for feature in features:
        SubElement(query, "{http://jabber.org/protocol/disco#info}feature", {"var": feature})
    return query


@pytest.mark.parametrize(
    ("features", "methods"),
    [
        ((SI, FILE_TRANSFER, BYTESTREAMS, "http://jabber.org/protocol/ibb"), set(BOTH)),
        ((SI, FILE_TRANSFER, BYTESTREAMS), {Method.SOCKS5}),
        ((SI, FILE_TRANSFER), set(BOTH)),
        ((SI, BYTESTREAMS), set()),
        ((), set()),
    ],
)
def test_a_client_takes_files_by_what_it_announces(features: tuple[str, ...], methods: set[Method]) -> None:
    assert methods_of(features_in(disco(*features))) == methods


def methods_of_query(query: Element) -> frozenset[Method]:
    return methods_of(features_in(query))


# --- anything ----------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        f"{{{SI}}}si",
        f"{{{FILE_TRANSFER}}}file",
        f"{{{FILE_TRANSFER}}}range",
        f"{{{FILE_TRANSFER}}}desc",
        "{http://jabber.org/protocol/feature-neg}feature",
        "{jabber:x:data}x",
        "{jabber:x:data}field",
        "{jabber:x:data}option",
        "{jabber:x:data}value",
        f"{{{STANZAS}}}text",
        "{jabber:client}error",
        "bare",
    ]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["id", "profile", "size", "name", "hash", "var", "offset", "length", "mime-type"]),
    st.sampled_from([FILE_TRANSFER, "stream-method", "1", "0", "-1", "9" * 30, "a"]) | st.text(),
)
TEXTS = st.none() | st.sampled_from([BYTESTREAMS, "http://jabber.org/protocol/ibb"]) | st.text()


def element(name: str, attributes: dict[str, str], text: str | None, children: list[Element]) -> Element:
    made = Element(name, attributes)
    made.text = text
    made.extend(children)
    return made


TREES = st.recursive(
    st.builds(element, NAMES, ATTRIBUTES, TEXTS, st.just([])),
    lambda trees: st.builds(element, NAMES, ATTRIBUTES, TEXTS, st.lists(trees, max_size=4)),
    max_leaves=12,
)


@given(TREES)
def test_any_tree_is_a_value_or_a_protocol_error(tree: Element) -> None:
    for read in (
        read_offer,
        lambda each: read_answer(each, BOTH, 100),
        read_error,
        methods_of_query,
    ):
        with suppress(PeerProtocolError):
            read(tree)
