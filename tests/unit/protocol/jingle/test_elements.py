"""``<jingle/>`` as the XEPs show it, as clients really send it, as we write it, and as anybody might."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebot.model import Offer
from filebot.protocol.bytestreams import CANDIDATES, StreamHost
from filebot.protocol.file_sharing.namespaces import HASHES, OLD_HASHES
from filebot.protocol.jingle.actions import (
    MOST_CONTENTS,
    Action,
    BadJingle,
    Checksum,
    Content,
    Jingle,
    JingleReason,
    Ping,
    ReceivedInfo,
    UnknownInfo,
    read_jingle,
)
from filebot.protocol.jingle.description import FileDescription, Range
from filebot.protocol.jingle.features import OWN_IN_BAND, file_namespace, methods_of
from filebot.protocol.jingle.namespaces import FILES, IN_BAND, JINGLE, OLD_FILES, SOCKS5
from filebot.protocol.jingle.transports import (
    LONGEST_ID,
    Activated,
    Candidate,
    CandidateError,
    CandidateType,
    CandidateUsed,
    InBandTransport,
    Notice,
    ProxyError,
    Socks5Transport,
    Transport,
    TransportNotice,
    UnknownTransport,
)

BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Large trees take their time on a machine that has other things to do."""

SHA1 = "w0mcJylzCn+AfvuGdqkty2+KP48="
SHA256 = "tdQEXD9Gb6kf4sxqvnkjKhpXzfEE96JubAVd0b1EXi8="
MD5 = "kAFQmDzST7DWlj99KOF/cg=="


def raw(text: str) -> bytes:
    return base64.b64decode(text)


def read(action: str, inside: str = "", sid: str = "851ba2") -> Jingle:
    return read_jingle(
        fromstring(f"<jingle xmlns='{JINGLE}' action='{action}' sid='{sid}'>{inside}</jingle>")
    )


def content(inside: str = "", attributes: str = "creator='initiator' name='a-file-offer'") -> str:
    return f"<content {attributes}>{inside}</content>"


def description(file: str, namespace: str = FILES) -> str:
    return f"<description xmlns='{namespace}'><file>{file}</file></description>"


def hashed(algorithm: str, text: str, namespace: str = HASHES) -> str:
    return f"<hash xmlns='{namespace}' algo='{algorithm}'>{text}</hash>"


def file_of(file: str, namespace: str = FILES) -> FileDescription:
    [only] = read("session-initiate", content(description(file, namespace))).contents
    assert only.file is not None
    return only.file


def transport_of(transport: str) -> Transport:
    [only] = read("transport-info", content(transport)).contents
    assert only.transport is not None
    return only.transport


# --- the examples of the XEPs ---------------------------------------------------------------------------


def test_the_offer_of_xep_0234_is_read() -> None:
    offered = read(
        "session-initiate",
        f"""
  <content creator='initiator' name='a-file-offer' senders='initiator'>
    <description xmlns='{FILES}'>
      <file>
        <date>1969-07-21T02:56:15Z</date>
        <desc>This is a test. If this were a real file...</desc>
        <media-type>text/plain</media-type>
        <name>test.txt</name>
        <range/>
        <size>6144</size>
        <hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>{SHA1}</hash>
      </file>
    </description>
    <transport xmlns='{SOCKS5}' mode='tcp' sid='vj3hs98y'>
      <candidate cid='hft54dqy' host='192.168.4.1' jid='romeo@montague.example/dr4hcr0st3lup4c'
          port='5086' priority='8257636' type='direct'/>
      <candidate cid='hutr46fe' host='24.24.24.1' jid='romeo@montague.example/dr4hcr0st3lup4c'
          port='5087' priority='8258636' type='direct'/>
    </transport>
  </content>""",
    )
    [only] = offered.contents
    assert (offered.action, offered.sid) == (Action.SESSION_INITIATE, "851ba2")
    assert (only.name, only.creator, only.senders) == ("a-file-offer", "initiator", "initiator")
    assert only.file == FileDescription(
        Offer(
            name="test.txt",
            size=6144,
            media_type="text/plain",
            hashes={"sha-1": raw(SHA1)},
            description="This is a test. If this were a real file...",
        ),
        range=Range(),
    )
    assert isinstance(only.transport, Socks5Transport)
    # The better one first.
    assert [each.cid for each in only.transport.candidates] == ["hutr46fe", "hft54dqy"]
    first = only.transport.candidates[0]
    host = StreamHost("romeo@montague.example/dr4hcr0st3lup4c", "24.24.24.1", 5087)
    assert first == Candidate("hutr46fe", host, 8258636, CandidateType.DIRECT)


@pytest.mark.parametrize(
    ("element", "part"),
    [
        ("<range offset='270336'/>", Range(270336)),
        ("<range offset='10' length='5'/>", Range(10, 5)),
        ("<range length='5'/>", Range(0, 5)),
        ("<range/>", Range()),
        ("", None),
    ],
)
def test_the_ranges_of_xep_0234_are_read(element: str, part: Range | None) -> None:
    assert file_of(f"<name>a</name>{element}").range == part


@pytest.mark.parametrize("number", ["-1", "x", "", "9" * 30, "1.5"])
def test_a_range_that_is_no_number_counts_as_not_said(number: str) -> None:
    assert file_of(f"<range offset='{number}' length='{number}'/>").range == Range()


def test_received_of_xep_0234_is_read_and_written() -> None:
    told = f"<received xmlns='{FILES}' creator='initiator' name='a-file-offer'/>"
    assert read("session-info", told).info == ReceivedInfo()
    written = Jingle(
        Action.SESSION_INFO, "s", info=ReceivedInfo("a-file-offer", "responder", OLD_FILES)
    ).element()
    assert [each.tag for each in written] == [f"{{{OLD_FILES}}}received"]
    assert written[0].attrib == {"creator": "responder", "name": "a-file-offer"}


@pytest.mark.parametrize(
    ("inside", "notice"),
    [
        ("<candidate-used cid='hr65dqyd'/>", CandidateUsed("hr65dqyd")),
        ("<candidate-error/>", CandidateError()),
        ("<activated cid='hr65dqyd'/>", Activated("hr65dqyd")),
        ("<proxy-error/>", ProxyError()),
    ],
)
def test_the_notices_of_xep_0260_are_read_and_written(inside: str, notice: Notice) -> None:
    told = TransportNotice("vj3hs98y", notice)
    assert transport_of(f"<transport xmlns='{SOCKS5}' sid='vj3hs98y'>{inside}</transport>") == told
    assert transport_of(tostring(told.element(), encoding="unicode")) == told


def test_the_proxy_of_xep_0260_has_its_dstaddr() -> None:
    transport = transport_of(
        f"<transport xmlns='{SOCKS5}' dstaddr='972b7bf47291ca609517f67f86b5081086052dad' mode='tcp'"
        " sid='vj3hs98y'><candidate cid='pzv14s74' host='234.567.8.9' jid='proxy.marlowe.example'"
        " port='7676' priority='655360' type='proxy'/></transport>"
    )
    assert isinstance(transport, Socks5Transport)
    assert transport.dstaddr == "972b7bf47291ca609517f67f86b5081086052dad"
    assert transport.candidates[0].is_proxy


def test_the_in_band_transport_of_xep_0261_is_read() -> None:
    element = f"<transport xmlns='{IN_BAND}' block-size='4096' sid='ch3d9s71'/>"
    assert transport_of(element) == InBandTransport("ch3d9s71", 4096)


@pytest.mark.parametrize("reason", list(JingleReason))
def test_every_reason_of_xep_0166_is_read_and_written(reason: JingleReason) -> None:
    inside = f"<reason><{reason.value}/><text> Sorry, gotta go! </text></reason>"
    bye = read("session-terminate", inside)
    assert (bye.reason, bye.text) == (reason, "Sorry, gotta go!")
    assert (
        read_jingle(Jingle(Action.SESSION_TERMINATE, "s", reason=reason, text="x").element()).reason
        is reason
    )


@pytest.mark.parametrize(
    "inside", ["", "<reason/>", "<reason><what/></reason>", "<reason><text>x</text></reason>"]
)
def test_an_unknown_reason_is_a_failure(inside: str) -> None:
    assert read("session-terminate", inside).reason is JingleReason.GENERAL_ERROR


def test_a_condition_of_an_application_beside_the_reason_does_not_hide_it() -> None:
    inside = "<reason><x xmlns='urn:other'/><media-error/></reason>"
    assert read("session-terminate", inside).reason is JingleReason.MEDIA_ERROR


@pytest.mark.parametrize("action", list(Action))
def test_every_action_of_xep_0166_is_read(action: Action) -> None:
    assert read(action.value).action is action


# --- what clients send ----------------------------------------------------------------------------------


@pytest.mark.conformance(45)
@pytest.mark.parametrize("name", ["media-type", "mediaType", "media_type"])
def test_the_media_type_is_read_in_each_spelling(name: str) -> None:
    assert file_of(f"<{name}>text/plain</{name}>").offer.media_type == "text/plain"


@pytest.mark.compat("iris): announces a later checksum by a hash without content")
@pytest.mark.conformance(46)
@pytest.mark.parametrize(
    ("inside", "algorithms", "follows"),
    [
        ("", set(), False),
        (f"<hash xmlns='{HASHES}' algo='sha-1'>{SHA1}</hash>", {"sha-1"}, False),
        (f"<hash xmlns='{HASHES}' algo='sha-256'/>", set(), True),
        (f"<hash xmlns='{HASHES}' algo='sha-256'>  </hash>", set(), True),
        (f"<hash-used xmlns='{HASHES}' algo='sha-256'/>", set(), True),
        (f"<hash xmlns='{HASHES}' algo='x-unknown'>AAAA</hash>", set(), False),
        (f"<hash xmlns='{HASHES}' algo='sha-1'>not base64!</hash>", set(), False),
        (f"<hash xmlns='{HASHES}' algo='sha-1'>{SHA256}</hash>", set(), False),
        (
            hashed("sha-1", SHA1) + hashed("sha-256", SHA256) + f"<hash-used xmlns='{HASHES}'/>",
            {"sha-1", "sha-256"},
            True,
        ),
        (
            # Swift
            hashed("sha-1", SHA1, OLD_HASHES) + hashed("md5", MD5, OLD_HASHES),
            {"sha-1", "md5"},
            False,
        ),
    ],
)
def test_hashes_come_in_every_way_or_not_at_all(
    inside: str, algorithms: set[str], *, follows: bool
) -> None:
    file = file_of(f"<name>a</name>{inside}")
    assert (set(file.offer.hashes), file.hash_follows) == (algorithms, follows)


@pytest.mark.conformance(46, 47)
@pytest.mark.parametrize("namespace", [FILES, OLD_FILES])
def test_hashes_come_later_in_a_checksum(namespace: str) -> None:
    # Conversations: two at once, a name, no creator. Swift: hashes:1.
    for hashes in (HASHES, OLD_HASHES):
        told = read(
            "session-info",
            f"<checksum xmlns='{namespace}' name='a'><file>"
            f"<hash xmlns='{hashes}' algo='sha-1'>{SHA1}</hash>"
            f"<hash xmlns='{hashes}' algo='sha-256'>{SHA256}</hash></file></checksum>",
        )
        assert told.info == Checksum({"sha-1": raw(SHA1), "sha-256": raw(SHA256)})


@pytest.mark.parametrize(
    "inside", [f"<checksum xmlns='{FILES}'/>", f"<checksum xmlns='{FILES}'><file/></checksum>"]
)
def test_a_checksum_without_a_hash_brings_nothing(inside: str) -> None:
    assert read("session-info", inside).info == Checksum({})


@pytest.mark.parametrize(
    ("inside", "info"),
    [
        ("", Ping()),
        ("<ringing xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>", UnknownInfo()),
        (f"<ringing xmlns='{JINGLE}'/>", UnknownInfo()),
        (f"<dance xmlns='{FILES}'/>", UnknownInfo()),
        (f"<x xmlns='x:y'/><received xmlns='{FILES}'/>", ReceivedInfo()),
    ],
)
def test_other_infos_are_told_apart(inside: str, info: object) -> None:
    assert read("session-info", inside).info == info


def test_dino_leaves_the_size_of_an_empty_file_out() -> None:
    assert file_of("<name>empty.txt</name>").offer.size is None
    assert file_of("<name>empty.txt</name><size>0</size>").offer.size == 0


@pytest.mark.compat("Dino): says failed_transport")
def test_dino_writes_a_reason_that_is_none() -> None:
    inside = "<reason><failed_transport/></reason>"
    assert read("session-terminate", inside).reason is JingleReason.FAILED_TRANSPORT


def test_gajim_writes_a_date_that_is_none_and_nothing_in_desc() -> None:
    file = file_of("<name>a</name><date>2024-05-01T12:00:00+00:00Z</date><desc/><size>5</size>")
    assert file.offer == Offer(name="a", size=5)


def test_gajim_leaves_senders_at_both_and_calls_a_transport_none() -> None:
    said = content(f"<transport xmlns='{IN_BAND}' sid='None' block-size='4096'/>")
    assert read("transport-replace", said).contents[0] == Content(
        "a-file-offer", senders="both", transport=InBandTransport("None", 4096)
    )


@pytest.mark.compat("Swift): knows only this one", "Swift): only the old one")
def test_swift_knows_only_the_older_description() -> None:
    file = file_of(
        f"<name>a</name><size>5</size><hash xmlns='{OLD_HASHES}' algo='md5'>{MD5}</hash>", OLD_FILES
    )
    assert (file.namespace, file.offer.size, file.offer.hashes) == (OLD_FILES, 5, {"md5": raw(MD5)})
    features = (OWN_IN_BAND | {SOCKS5}) - {FILES}
    assert (file_namespace(features), len(methods_of(features))) == (OLD_FILES, 2)
    assert file_namespace(OWN_IN_BAND) == FILES
    assert not methods_of(OWN_IN_BAND - {OLD_FILES, FILES})


@pytest.mark.parametrize(
    ("attributes", "port", "kind"),
    [
        ("cid='a' host='192.0.2.1' jid='j' priority='5' type='direct' port='1'", 1, CandidateType.DIRECT),
        ("cid='a' host='192.0.2.1' jid='j' priority='5' type='direct'", 1080, CandidateType.DIRECT),
        ("cid='a' host='192.0.2.1' jid='j' priority='5'", 1080, CandidateType.DIRECT),
        ("cid='a' host='192.0.2.1' jid='j' priority='5' type='assisted'", 1080, CandidateType.ASSISTED),
        ("cid='a' host='192.0.2.1' jid='j' priority='5' type='tunnel'", 1080, CandidateType.TUNNEL),
        ("cid='a' host='192.0.2.1' jid='j' priority='0' type='proxy'", 1080, CandidateType.PROXY),
    ],
)
def test_a_candidate_may_leave_things_out(attributes: str, port: int, kind: CandidateType) -> None:
    transport = transport_of(f"<transport xmlns='{SOCKS5}' sid='t'><candidate {attributes}/></transport>")
    assert isinstance(transport, Socks5Transport)
    [only] = transport.candidates
    assert (only.host.port, only.type) == (port, kind)


@pytest.mark.parametrize(
    "attributes",
    [
        "host='192.0.2.1' jid='j' priority='5'",
        "cid='a' jid='j' priority='5'",
        "cid='a' host='192.0.2.1' priority='5'",
        "cid='a' host='192.0.2.1' jid='j'",
        "cid='a' host='192.0.2.1' jid='j' priority='-1'",
        "cid='a' host='192.0.2.1' jid='j' priority='4294967296'",
        "cid='a' host='192.0.2.1' jid='j' priority='5' type='carrier pigeon'",
        "cid='a' host='192.0.2.1' jid='j' priority='5' port='0'",
        "cid='a' host='192.0.2.1' jid='j' priority='5' port='65536'",
        f"cid='{'a' * 257}' host='192.0.2.1' jid='j' priority='5'",
        "cid='a' host='a b' jid='j' priority='5'",
    ],
)
def test_a_candidate_that_cannot_be_used_is_passed_over(attributes: str) -> None:
    good = "<candidate cid='good' host='192.0.2.1' jid='j' priority='1'/>"
    inside = f"<candidate {attributes}/>{good}"
    transport = transport_of(f"<transport xmlns='{SOCKS5}' sid='t'>{inside}</transport>")
    assert isinstance(transport, Socks5Transport)
    assert [each.cid for each in transport.candidates] == ["good"]


@pytest.mark.parametrize("dstaddr", ["", "x", "g" * 40, "a" * 39, "a" * 41])
def test_a_dstaddr_that_is_no_hash_counts_as_not_given(dstaddr: str) -> None:
    transport = transport_of(f"<transport xmlns='{SOCKS5}' sid='t' dstaddr='{dstaddr}'/>")
    assert transport == Socks5Transport("t")


@pytest.mark.parametrize(
    "transport",
    [
        f"<transport xmlns='{SOCKS5}'/>",
        f"<transport xmlns='{SOCKS5}' sid='{'x' * 257}'/>",
        f"<transport xmlns='{IN_BAND}' sid='t'/>",
        f"<transport xmlns='{IN_BAND}' sid='t' block-size='0'/>",
        f"<transport xmlns='{IN_BAND}' sid='t' block-size='65536'/>",
        f"<transport xmlns='{IN_BAND}' block-size='4096'/>",
    ],
)
def test_a_transport_of_ours_that_is_malformed_is_a_bad_request(transport: str) -> None:
    with pytest.raises(BadJingle) as raised:
        transport_of(transport)
    assert raised.value.error.condition == "bad-request"


@pytest.mark.parametrize("action", ["session-accept", "transport-accept"])
@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ("", 65535),
        ("block-size='65536'", 65535),
        ("block-size='99999999'", 65535),
        ("block-size='512'", 512),
    ],
)
def test_an_answer_about_an_in_band_stream_need_not_name_a_good_block_size(
    action: str, attributes: str, size: int
) -> None:
    [only] = read(action, content(f"<transport xmlns='{IN_BAND}' sid='t' {attributes}/>")).contents
    assert only.transport == InBandTransport("t", size)


@pytest.mark.parametrize("block_size", ["0", "-1", "many", "9" * 40])
def test_an_answer_with_a_block_size_that_is_no_number_is_a_bad_request(block_size: str) -> None:
    with pytest.raises(BadJingle):
        read("session-accept", content(f"<transport xmlns='{IN_BAND}' sid='t' block-size='{block_size}'/>"))


def test_a_transport_that_we_do_not_have_is_told_as_such() -> None:
    ice = "urn:xmpp:jingle:transports:ice-udp:1"
    assert transport_of(f"<transport xmlns='{ice}'/>") == UnknownTransport(ice)
    assert isinstance(transport_of(f"<transport xmlns='{SOCKS5}' sid='t' mode='udp'/>"), UnknownTransport)


def test_a_content_that_is_encrypted_is_told_as_such() -> None:
    assert (
        read("session-initiate", content("<security xmlns='urn:xmpp:jingle:jet:0'/>")).contents[0].secured
    )


@pytest.mark.parametrize(
    ("action", "sid", "inside"),
    [
        ("session-initiate", "", ""),
        ("session-initiate", "x" * 257, ""),
        ("", "s", ""),
        ("dance", "s", ""),
        ("session-initiate", "s", content(attributes="")),
        ("session-initiate", "s", content(attributes=f"name='{'x' * 257}'")),
        ("session-initiate", "s", content() * (MOST_CONTENTS + 1)),
    ],
)
def test_what_cannot_be_read_is_a_bad_request(action: str, sid: str, inside: str) -> None:
    with pytest.raises(BadJingle) as raised:
        read(action, inside, sid)
    assert raised.value.error.condition == "bad-request"


@pytest.mark.parametrize(
    ("attributes", "creator", "senders"),
    [
        ("name='a'", "initiator", "both"),
        ("name='a' creator='responder' senders='none'", "responder", "none"),
        (f"name='a' creator='{'x' * 10_000}' senders='{'y' * 10_000}'", "initiator", "none"),
    ],
)
def test_nobody_else_creates_or_sends(attributes: str, creator: str, senders: str) -> None:
    [only] = read("session-initiate", content(attributes=attributes)).contents
    assert (only.creator, only.senders) == (creator, senders)


# --- what we write --------------------------------------------------------------------------------------


@pytest.mark.compat("Conversations, Dino): want all six attributes")
@pytest.mark.conformance(55)
def test_our_candidates_have_all_six_attributes() -> None:
    host = StreamHost("bot@example.org/x", "192.0.2.1", 5000)
    ours = Socks5Transport("t", (Candidate("c", host, 1, CandidateType.PROXY),))
    assert ours.element()[0].attrib == {
        "cid": "c",
        "host": "192.0.2.1",
        "jid": "bot@example.org/x",
        "port": "5000",
        "priority": "1",
        "type": "proxy",
    }


NAME = st.from_regex(r"""[\w.<>&'"/@-]{1,20}""", fullmatch=True)
HASHED = st.fixed_dictionaries(
    {},
    optional={"sha-1": st.binary(min_size=20, max_size=20), "sha-256": st.binary(min_size=32, max_size=32)},
)
RANGES = st.none() | st.builds(Range, st.integers(0, 2**62), st.none() | st.integers(0, 2**62))
OFFERS = st.builds(
    Offer,
    name=st.none() | NAME.map(str.strip).filter(bool),
    size=st.none() | st.integers(0, 2**63 - 1),
    media_type=st.none() | st.just("text/plain"),
    hashes=HASHED,
)
FILE = st.builds(
    FileDescription,
    OFFERS,
    range=RANGES,
    namespace=st.sampled_from([FILES, OLD_FILES]),
)
HOSTS = st.builds(
    StreamHost, NAME, st.sampled_from(["192.0.2.1", "::1", "a.example"]), st.integers(1, 65535)
)
ONE_CANDIDATE = st.builds(
    Candidate, NAME, HOSTS, st.integers(0, 2**31 - 1), st.sampled_from(list(CandidateType))
)
SOCKS5_TRANSPORT = st.builds(
    Socks5Transport,
    NAME,
    st.lists(ONE_CANDIDATE, max_size=4, unique_by=(lambda each: each.cid, lambda each: each.priority)).map(
        lambda made: tuple(sorted(made, key=lambda each: -each.priority))
    ),
    st.sampled_from(["", "a" * 40]),
)
NOTICES = (
    st.builds(CandidateUsed, NAME)
    | st.builds(Activated, NAME)
    | st.just(CandidateError())
    | st.just(ProxyError())
)
TRANSPORTS = (
    SOCKS5_TRANSPORT
    | st.builds(InBandTransport, NAME, st.integers(1, 65535))
    | st.builds(TransportNotice, NAME, NOTICES)
)
CONTENTS = st.builds(
    Content,
    NAME,
    st.sampled_from(["initiator", "responder"]),
    st.sampled_from(["initiator", "responder", "both", "none"]),
    st.none() | FILE,
    st.none() | TRANSPORTS,
)
JINGLES = st.builds(
    Jingle,
    st.sampled_from(
        [each for each in Action if each not in {Action.SESSION_INFO, Action.SESSION_TERMINATE}]
    ),
    NAME,
    st.lists(CONTENTS, max_size=3).map(tuple),
) | st.builds(
    Jingle, st.just(Action.SESSION_TERMINATE), NAME, reason=st.sampled_from(list(JingleReason)), text=NAME
)


@given(JINGLES)
@BUSY
def test_what_is_written_is_read_as_it_was_meant(said: Jingle) -> None:
    assert read_jingle(fromstring(tostring(said.element()))) == said


# --- anything -------------------------------------------------------------------------------------------

TAGS = st.sampled_from(
    [
        *(
            f"{{{JINGLE}}}{name}"
            for name in ("jingle", "content", "reason", "text", "security", "transport")
        ),
        *(f"{{{JINGLE}}}{reason.value}" for reason in (JingleReason.SUCCESS, JingleReason.CANCEL)),
        *(
            f"{{{namespace}}}{name}"
            for namespace in (FILES, OLD_FILES)
            for name in (
                "description",
                "file",
                "name",
                "size",
                "range",
                "received",
                "checksum",
                "desc",
                "media-type",
            )
        ),
        *(
            f"{{{SOCKS5}}}{name}"
            for name in (
                "transport",
                "candidate",
                "candidate-used",
                "candidate-error",
                "activated",
                "proxy-error",
            )
        ),
        f"{{{IN_BAND}}}transport",
        *(f"{{{namespace}}}{name}" for namespace in (HASHES, OLD_HASHES) for name in ("hash", "hash-used")),
        "bare",
        "{x:y}other",
    ]
)
VALUES = (
    st.sampled_from([each.value for each in Action])
    | st.sampled_from(
        ["initiator", "both", "direct", "proxy", "tcp", "sha-1", "0", "1", "-1", "9" * 30, "x" * 300]
    )
    | st.text(max_size=20)
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        [
            *(
                "action",
                "sid",
                "initiator",
                "responder",
                "creator",
                "name",
                "senders",
                "disposition",
                "algo",
                "cid",
            ),
            *(
                "host",
                "jid",
                "port",
                "priority",
                "type",
                "mode",
                "dstaddr",
                "block-size",
                "offset",
                "length",
            ),
        ]
    ),
    VALUES,
    max_size=6,
)
TEXTS = st.none() | VALUES | st.just(SHA1) | st.integers(0, 100_000).map("x".__mul__)


def made(tag: str, attributes: dict[str, str], text: str | None, children: list[Element]) -> Element:
    element = Element(tag, attributes)
    element.text = text
    element.extend(children)
    return element


TREES = st.recursive(
    st.builds(made, TAGS, ATTRIBUTES, TEXTS, st.just([])),
    lambda trees: st.builds(made, TAGS, ATTRIBUTES, TEXTS, st.lists(trees, max_size=5)),
    max_leaves=12,
)


def strings(value: Any) -> Iterator[str | bytes]:
    """Every text in a value of dataclasses."""
    if isinstance(value, str | bytes):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from strings(getattr(value, each.name))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from strings(key)
            yield from strings(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from strings(each)


@given(TREES, st.sampled_from([each.value for each in Action]), st.lists(TREES, max_size=3))
@BUSY
def test_any_tree_is_a_value_within_its_bounds_or_a_bad_request(
    tree: Element, action: str, children: list[Element]
) -> None:
    with suppress(BadJingle):
        read_jingle(tree)
    likely = made(f"{{{JINGLE}}}jingle", {"action": action, "sid": "s"}, None, children)
    content = made(f"{{{JINGLE}}}content", {"name": "c"}, None, [*children, tree])
    likely.append(content)
    with suppress(BadJingle):
        said = read_jingle(likely)
        for each in said.contents:
            assert len(each.name) <= LONGEST_ID
            assert each.creator in {"initiator", "responder"}
            if isinstance(each.transport, Socks5Transport):
                assert len(each.transport.candidates) <= CANDIDATES
        assert all(len(text) <= 20_000 for text in strings(said))
