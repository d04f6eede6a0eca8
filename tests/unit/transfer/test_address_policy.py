"""Which URLs and addresses the bot connects to."""

import ipaddress
import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.errors import ForbiddenTarget
from filebot.transfer.address_policy import AddressPolicy, is_public
from filebot.transfer.http.resolver import Found, NameLookup, PolicyResolver

STRICT = AddressPolicy()


def reason(url: str, policy: AddressPolicy = STRICT) -> str | None:
    try:
        policy.check(url)
    except ForbiddenTarget as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a%20b?c=d#e",
        "https://example.org:5443/x",
        "https://EXAMPLE.org/x",
        "https://bücher.example/ü",
        "https://8.8.8.8/",
        "https://[2606:4700::1]/x",
        "https://[64:ff9b::808:808]/",
        "https://example.org/@x?@#@",
    ],
)
def test_public_https_is_allowed(url: str) -> None:
    assert reason(url) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "１２７.0.0.1",
        "127。0。0。1",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::1]",
        "[2001:0:7f00:1::1]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[2606:4700::1%25eth0]",
        "[fc00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
    ],
)
def test_private_hosts_are_refused_in_every_spelling(host: str) -> None:
    assert reason(f"https://{host}/x") == "private"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org/", "insecure"),
        ("http://127.0.0.1/", "insecure"),
        ("ftp://example.org/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("aesgcm://example.org/x", "scheme"),
        ("//example.org/", "scheme"),
        ("", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https:", "malformed"),
        ("https:///x", "malformed"),
        ("https://user@example.org/", "malformed"),
        ("https://user:pw@example.org/", "malformed"),
        ("https://example.org\\@127.0.0.1/", "malformed"),
        ("https://exa%6dple.org/", "malformed"),
        ("https://%31%32%37.0.0.1/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://example.org:99999/", "malformed"),
        ("https://example.org:x/", "malformed"),
        ("https://exam\nple.org/", "malformed"),
        ("https://exam\tple.org/", "malformed"),
        (" https://example.org/", "malformed"),
        ("https://example.org/a b", "malformed"),
        ("https://0x08080808/", "malformed"),
        ("https://134744072/", "malformed"),
        ("https://a..example/", "malformed"),
        ("https://.example/", "malformed"),
        ("https://./", "malformed"),
        ("https://../", "malformed"),
        (f"https://{'a' * 64}.example/", "malformed"),
        (f"https://xn--{'a' * 70}/", "malformed"),
        ("https://\u2024/", "malformed"),
    ],
)
def test_malformed_urls_are_refused(url: str, expected: str) -> None:
    assert reason(url) == expected


def test_the_operator_may_allow_more() -> None:
    assert reason("http://example.org/", AddressPolicy(allow_insecure=True)) is None
    assert reason("http://127.0.0.1/", AddressPolicy(allow_insecure=True)) == "private"
    assert reason("https://[::1]/", AddressPolicy(allow_private=True)) is None
    assert reason("https://2130706433/", AddressPolicy(allow_private=True)) == "malformed"


def test_an_ascii_url_is_not_rewritten() -> None:
    url = "https://example.org/%7ea%2Fb?x=%2B+%41&y"
    assert str(STRICT.check(url)) == url


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    for url in (text, "https://" + text, f"https://[{text}]/"):
        reason(url)


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_as_public_as_itself(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for base in (0xFFFF << 32, 0x64FF9B << 96):
        assert is_public(ipaddress.IPv6Address(base | number)) == is_public(address)
    assert is_public(ipaddress.IPv6Address(0x2002 << 112 | number << 80)) == is_public(address)


def names(*addresses: str) -> NameLookup:
    """A look-up that knows one list of addresses."""

    def look_up(host: str, port: int, family: int, kind: int) -> Found:
        return [
            (
                socket.AF_INET6,
                kind,
                6,
                "",
                (address.partition("%")[0], port, 0, int(address.partition("%")[2] or 0)),
            )
            if ":" in address
            else (socket.AF_INET, kind, 6, "", (address, port))
            for address in addresses
        ]

    return NameLookup(look_up)


async def test_only_public_addresses_of_a_name_are_connected_to() -> None:
    resolver = PolicyResolver(STRICT, names("10.0.0.1", "8.8.8.8", "::1", "2606:4700::1", "fe80::1%2"))
    found = await resolver.resolve("example.org", 443)
    assert [result["host"] for result in found] == ["8.8.8.8", "2606:4700::1"]


async def test_a_name_with_private_addresses_only_is_refused() -> None:
    rebound = names("127.0.0.1")
    resolver = PolicyResolver(STRICT, rebound)
    with pytest.raises(ForbiddenTarget):
        await resolver.resolve("rebound.example.org", 443)
    lax = PolicyResolver(AddressPolicy(allow_private=True), rebound)
    assert len(await lax.resolve("rebound.example.org", 443)) == 1
    await resolver.close()


async def test_of_a_name_with_many_addresses_a_few_of_each_family_are_tried() -> None:
    many = names(*(f"2606:4700::{number}" for number in range(1, 100)), "8.8.8.8", "8.8.4.4")
    found = await PolicyResolver(STRICT, many).resolve("example.org", 443)
    assert [result["host"] for result in found] == ["2606:4700::1", "8.8.8.8", "2606:4700::2"]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_whatever_passes_is_a_name_that_can_be_looked_up(host: str) -> None:
    policy = AddressPolicy()
    for each in (host, host + "..example", "." + host, host * 70):
        with suppress(ForbiddenTarget):
            checked = policy.check(f"https://{each}/").raw_host
            assert checked is not None
            checked.encode("idna")
