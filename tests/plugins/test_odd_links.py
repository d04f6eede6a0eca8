"""Links to odd servers, as people write them: what is stored, and what is said."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from filebot.model import Scope
from filebot.protocol import http_range
from filebot.testing import ALICE, FakeBot
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient
from tests.unit.transfer.raw_server import Connection, ok, raw_server, sends

TEXT = b"a,b\r\n" * 20_800  # 104,000 bytes
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000"
    "0400015cc3d3b70000000049454e44ae426082"
)


@pytest.fixture
async def on_the_web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeBot]:
    """A bot that fetches from real servers."""
    monkeypatch.setattr(http_range, "_FIRST_DELAY_S", 0.001)
    async with HttpClient(AddressPolicy(allow_insecure=True, allow_private=True), idle_s=10) as client:
        web: Any = client
        async with FakeBot(web=web) as bot:
            yield bot


async def kept(bot: FakeBot) -> list[tuple[str, int]]:
    page = await bot.catalog.page(Scope(owner=ALICE), limit=10)
    return [(each.name, each.blob.size) for each in page]


async def test_a_file_that_comes_compressed_is_stored_as_it_is_meant(on_the_web: FakeBot) -> None:
    packed = gzip.compress(TEXT)
    csv = sends(ok(len(packed), "Content-Encoding: gzip", "Content-Type: text/csv"), packed)
    tar = sends(ok(len(packed), "Content-Encoding: x-gzip", "Content-Type: application/x-tar"), packed)
    async with raw_server(csv, tar) as server:
        await on_the_web.say(f"fetch {server.url}/report.csv")
        await on_the_web.say(f"fetch {server.url}/source.tar.gz")
    assert await kept(on_the_web) == [("source.tar.gz", len(packed)), ("report.csv", 104_000)]


async def test_a_file_that_changes_on_the_way_is_stored_in_its_new_version(on_the_web: FakeBot) -> None:
    async def breaks(connection: Connection) -> None:
        await connection.send(ok(500_000, 'ETag: "v1"'), b"1" * 200_000)

    new = sends(ok(len(TEXT), 'ETag: "v2"'), TEXT)
    async with raw_server(breaks, new) as server:
        await on_the_web.say(f"fetch {server.url}/report.csv")
    assert await kept(on_the_web) == [("report.csv", len(TEXT))]


async def test_a_file_without_a_name_has_the_ending_of_its_type(on_the_web: FakeBot) -> None:
    async with raw_server(sends(ok(len(PNG), "Content-Type: image/png"), PNG)) as server:
        [said] = await on_the_web.say(f"fetch {server.url}/")
    assert "unnamed" not in said
    assert await kept(on_the_web) == [("image.png", len(PNG))]


async def test_a_login_page_is_not_stored_and_is_named(on_the_web: FakeBot) -> None:
    page = b"<!DOCTYPE html><title>Log in</title>"
    async with raw_server(sends(ok(len(page), "Content-Type: text/html"), page)) as server:
        [said] = await on_the_web.say(f"fetch {server.url}/report.pdf")
    assert said.startswith("127.0.0.1 sent a web page")
    assert await kept(on_the_web) == []


async def test_the_cause_is_said(on_the_web: FakeBot) -> None:
    async with raw_server(sends(ok(0))) as server:
        pass
    [said] = await on_the_web.say(f"fetch {server.url}/report.pdf")
    assert said.startswith("Nothing answers at 127.0.0.1")
    [said] = await on_the_web.say("fetch https://no-such-host.invalid/report.pdf")
    assert "no-such-host.invalid" in said


async def test_a_password_in_a_link_is_neither_logged_nor_said(
    on_the_web: FakeBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for url in (
        "https://me:s3cret@files.example.org/report.pdf",
        "http://me:s3cret@[::1]:1/report.pdf#k3y",
    ):
        assert "s3cret" not in "".join(await on_the_web.say(f"fetch {url}"))
    ours = [each.getMessage() for each in caplog.records if each.name.startswith("filebot")]
    assert not any("s3cret" in each for each in ours)


@pytest.mark.parametrize("host", ["[::1]", "localhost"])
async def test_a_host_may_be_an_address_of_ipv6_or_a_name(on_the_web: FakeBot, host: str) -> None:
    async with raw_server(sends(ok(3), b"abc")) as server:
        said = await on_the_web.say(f"fetch http://{host}:{server.port}/a.txt#fragment")
    if host == "localhost":
        assert await kept(on_the_web) == [("a.txt", 3)]
    else:
        assert "::1" in said[0]  # where nobody listens


async def test_an_international_host_is_looked_up(on_the_web: FakeBot) -> None:
    [said] = await on_the_web.say("fetch https://bücher.invalid/a.txt")
    assert "xn--bcher-kva.invalid" in said
