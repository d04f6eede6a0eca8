"""TLS: verified always, by the system's authorities and by those the operator adds."""

import logging
import ssl
from pathlib import Path

import pytest

from filebot.errors import ConfigError, PeerGone
from filebot.protocol import http_range
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient
from tests.unit.transfer.raw_server import ok, raw_server, sends

# Self-signed for localhost and 127.0.0.1, with its key, good until 2100.
PEM = Path(__file__).with_name("localhost.pem")
POLICY = AddressPolicy(allow_private=True)


@pytest.fixture
def server_tls(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setattr(http_range, "_MOST_FRUITLESS", 0)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context


async def test_a_certificate_of_the_own_ca_file_is_accepted(server_tls: ssl.SSLContext) -> None:
    async with (
        raw_server(sends(ok(3), b"abc"), tls=server_tls) as server,
        HttpClient(POLICY, ca_file=PEM) as client,
        client.get(f"https://localhost:{server.port}/") as download,
    ):
        assert [piece async for piece in download.chunks()] == [b"abc"]


async def test_an_unknown_certificate_is_refused_and_the_log_says_why(
    server_tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_server(sends(ok(0)), tls=server_tls) as server, HttpClient(POLICY) as client:
        with pytest.raises(PeerGone):
            async with client.get(f"https://localhost:{server.port}/secret?token=secret#secret"):
                pass
        assert not await client.alive(f"https://localhost:{server.port}/", 0)
        assert server.heads == []
    assert "TLS with localhost failed: certificate not accepted: self-signed certificate" in caplog.text
    assert "secret" not in caplog.text


async def test_https_does_not_lead_to_plain_http(server_tls: ssl.SSLContext) -> None:
    moved = sends(ok(0, "Location: http://localhost/", status="302 Found"))
    async with raw_server(moved, tls=server_tls) as server, HttpClient(POLICY, ca_file=PEM) as client:
        assert not await client.alive(f"https://localhost:{server.port}/", 0)
        assert len(server.heads) == 1


@pytest.mark.parametrize("name", ["missing.pem", "empty.pem"])
def test_a_ca_file_that_cannot_be_used_is_a_mistake_in_the_config(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(ConfigError) as caught:
        HttpClient(POLICY, ca_file=tmp_path / name)
    assert name in caught.value.mistakes[0]
