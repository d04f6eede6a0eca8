"""Why a server was not reached: each cause is an error, and a sentence, of its own."""

import asyncio
import errno
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from filebot.errors import (
    CertificateInvalid,
    CertificateMismatch,
    ConnectionRefused,
    ConnectionReset,
    HostUnreachable,
    NoSuchHost,
    ServerNotReached,
    ServerTimeout,
    TlsFailed,
)
from filebot.localserver.certificate import self_signed
from filebot.replies import Replies
from filebot.transfer.http.client import HttpClient
from filebot.transfer.http.errors import translated
from filebot.transfer.http.resolver import NameLookup
from tests.unit.transfer.http.conftest import LAX, fetched
from tests.unit.transfer.raw_server import Connection, ok, raw_server, sends

PEM = Path(__file__).with_name("localhost.pem")


def server_tls(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def cause(url: str, client: HttpClient) -> ServerNotReached:
    with pytest.raises(ServerNotReached) as caught:
        await fetched(client, url)
    return caught.value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_nobody_listens(host: str) -> None:
    async with HttpClient(LAX) as client:
        error = await cause(f"http://{host}:{free_port()}/a.pdf", client)
    assert type(error) is ConnectionRefused
    assert error.host == host


@pytest.mark.parametrize(
    ("code", "temporary"),
    [(socket.EAI_NONAME, False), (socket.EAI_NODATA, False), (socket.EAI_AGAIN, True)],
)
async def test_no_such_host(code: int, *, temporary: bool) -> None:
    def look_up(*_: Any) -> Any:
        raise socket.gaierror(code, "as the system says")

    async with HttpClient(LAX, names=NameLookup(look_up)) as client:
        error = await cause("https://no-such-host.example.org/a.pdf", client)
    assert isinstance(error, NoSuchHost)
    assert (error.host, error.temporary) == ("no-such-host.example.org", temporary)


async def test_a_certificate_that_nobody_vouches_for() -> None:
    async with raw_server(sends(ok(0)), tls=server_tls(PEM)) as server, HttpClient(LAX) as client:
        error = await cause(f"https://localhost:{server.port}/", client)
    assert isinstance(error, CertificateInvalid)
    assert error.reason == "self-signed"


async def test_a_certificate_of_another_name(tmp_path: Path) -> None:
    certificate, key = await self_signed(tmp_path, ["other.example.org"], [])
    async with (
        raw_server(sends(ok(0)), tls=server_tls(certificate, key)) as server,
        HttpClient(LAX, ca_file=certificate) as client,
    ):
        for host in ("localhost", "127.0.0.1"):
            assert type(await cause(f"https://{host}:{server.port}/", client)) is CertificateMismatch


@pytest.mark.parametrize(
    ("code", "reason"), [(10, "expired"), (9, "early"), (18, "self-signed"), (20, "unknown"), (99, "")]
)
def test_what_is_wrong_with_a_certificate(code: int, reason: str) -> None:
    failure = ssl.SSLCertVerificationError(1, "certificate verify failed")
    failure.verify_code, failure.verify_message = code, "as OpenSSL says"
    error = translated(failure, host="a.example.org", idle_s=60)
    assert isinstance(error, CertificateInvalid)
    assert error.reason == reason


async def test_tls_where_there_is_none() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read(1000)
        writer.close()

    listener = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener, HttpClient(LAX) as client:
        assert type(await cause(f"https://127.0.0.1:{port}/", client)) is TlsFailed


async def test_a_connection_that_is_cut() -> None:
    async def cut(connection: Connection) -> None:
        connection.cut()

    async with raw_server(cut) as server, HttpClient(LAX) as client:
        assert type(await cause(server.url, client)) is ConnectionReset


async def test_silence() -> None:
    async def silent(_: Connection) -> None:
        await asyncio.Event().wait()

    async with raw_server(silent) as server, HttpClient(LAX, idle_s=0.2) as client:
        error = await cause(server.url, client)
    assert isinstance(error, ServerTimeout)
    assert error.idle_s == 0.2


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH])
def test_no_path(number: int) -> None:
    error = translated(OSError(number, "as the system says"), host="a.example.org", idle_s=60)
    assert type(error) is HostUnreachable


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_each_cause_has_a_sentence_with_the_host_and_a_next_step(language: str) -> None:
    host, replies = "files.example.org", Replies()
    errors: list[ServerNotReached] = [
        NoSuchHost(host),
        NoSuchHost(host, temporary=True),
        ConnectionRefused(host),
        HostUnreachable(host),
        ConnectionReset(host),
        ServerTimeout(host, idle_s=60),
        CertificateInvalid(host, reason="expired", detail=""),
        CertificateInvalid(host, reason="self-signed", detail=""),
        CertificateInvalid(host, reason="unknown", detail=""),
        CertificateMismatch(host),
        TlsFailed(host, ""),
    ]
    said = [replies.render("errors/server_not_reached", language, error=each) for each in errors]
    assert len(set(said)) == len(errors)
    for sentence in said:
        cause_said, step = sentence.splitlines()
        assert host in cause_said
        assert step
