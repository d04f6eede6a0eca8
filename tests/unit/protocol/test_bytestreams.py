"""Bytestream hashes, stream hosts as peers describe them, and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.protocol.bytestreams import (
    CANDIDATES,
    StreamHost,
    candidates,
    destination,
    destinations,
    stream_host,
)

ROMEO, JULIET = "romeo@montague.lit/orchard", "juliet@capulet.lit/balcony"
HOSTS = st.builds(StreamHost, st.just("a@b/c"), st.sampled_from(["1.2.3.4", "h", "::1"]), st.integers(1, 9))


def test_the_hash_is_that_of_the_standard() -> None:
    """The value of XEP-0260, sections 2.1 and 2.2 (``dstaddr``)."""
    assert destination("vj3hs98y", ROMEO, JULIET) == "972b7bf47291ca609517f67f86b5081086052dad"
    assert destination("vj3hs98y", JULIET, ROMEO) == "1a12fb7bc625e55f3ed5b29a53dbe0e4aa7d80ba"


@pytest.mark.conformance(59)
@given(sid=st.text(st.characters(exclude_categories=["Cs"])), one=st.text("aé@/"), other=st.text("bü@/"))
def test_a_listener_takes_either_order(sid: str, one: str, other: str) -> None:
    both = destinations(sid, one, other)
    assert both == {destination(sid, one, other), destination(sid, other, one)}
    assert both == destinations(sid, other, one)
    assert all(len(hashed) == 40 and set(hashed) <= set("0123456789abcdef") for hashed in both)


@pytest.mark.parametrize(
    ("host", "port", "read"),
    [
        # XEP-0065 5.3.1
        ("192.168.4.1", "5086", StreamHost("j", "192.168.4.1", 5086)),
        ("2001:db8::1", "1", StreamHost("j", "2001:db8::1", 1)),
        ("proxy.example.net", "", StreamHost("j", "proxy.example.net", 1080)),
        ("[::1]", "1", StreamHost("j", "::1", 1)),
        ("[2001:db8::1]", "", StreamHost("j", "2001:db8::1", 1080)),
        ("[fe80::1%eth0]", "1", None),
        ("[fe80::1%25eth0]", "1", None),
        ("fe80::1%eth0", "1", None),
        ("[192.168.4.1]", "1", None),
        ("[::1", "1", None),
        ("[[::1]]", "1", None),
        ("[]", "1", None),
        ("h", "65535", StreamHost("j", "h", 65535)),
        ("h", "65536", None),
        ("h", "0", None),
        ("h", "-1", None),
        ("h", " 80", None),
        ("h", "\u0661", None),
        ("h", "9" * 5000, None),
        ("", "80", None),
        ("a b", "80", None),
        ("a\0b", "80", None),
        ("a" * 256, "80", None),
    ],
)
def test_a_peers_stream_host_is_read_or_passed_over(host: str, port: str, read: StreamHost | None) -> None:
    assert stream_host("j", host, port) == read
    assert stream_host("", host, port) is None


@given(host=st.text(), port=st.text())
def test_any_host_and_port_can_be_read(host: str, port: str) -> None:
    read = stream_host("j", host, port)
    assert read is None or 0 < read.port < 65536


@given(direct=st.lists(HOSTS), proxies=st.lists(HOSTS))
def test_candidates_keep_their_order_direct_ones_first_and_none_twice(
    direct: list[StreamHost], proxies: list[StreamHost]
) -> None:
    tried = candidates(direct, proxies)
    assert len(tried) <= CANDIDATES
    assert len({(host.host, host.port) for host in tried}) == len(tried)
    given_order = [*direct, *proxies]
    places = [given_order.index(host) for host in tried]
    assert places == sorted(places)


def test_a_list_without_end_is_cut() -> None:
    endless = [StreamHost("j", "h", port) for port in range(1, 1000)]
    assert candidates(endless) == tuple(endless[:CANDIDATES])
