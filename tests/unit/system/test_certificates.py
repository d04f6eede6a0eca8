"""Certificates to trust: those of the file as it is at each connection."""

import logging
import shutil
import ssl
from pathlib import Path

import pytest

from filebot.errors import ConfigError
from filebot.localserver.certificate import self_signed
from filebot.system.certificates import Trust
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient
from tests.unit.transfer.raw_server import ok, raw_server, sends


async def certificate(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    made, _ = await self_signed(folder / name, ["localhost"], ["127.0.0.1"])
    return made


def trusts(context: ssl.SSLContext, file: Path) -> bool:
    (der,) = [ssl.PEM_cert_to_DER_cert(file.read_text())]
    return der in context.get_ca_certs(binary_form=True)


async def test_a_renewed_file_is_read_again_and_one_that_stays_is_not(tmp_path: Path) -> None:
    old, new = await certificate(tmp_path, "old"), await certificate(tmp_path, "new")
    file = tmp_path / "ca.pem"
    shutil.copy(old, file)
    trust = Trust(file)
    assert trusts(trust.context(), old)
    assert trust.context() is trust.context()
    new.replace(file)
    assert trusts(trust.context(), file)
    assert not trusts(trust.context(), old)


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nMII"])
async def test_a_file_that_cannot_be_used_any_more_leaves_what_it_held(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = await certificate(tmp_path, "here")
    kept = Path(shutil.copy(file, tmp_path / "copy.pem"))
    trust = Trust(file)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert trusts(trust.context(), kept)
    (warning,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert str(file) in warning
    assert "going on with the certificates that it held before" in warning
    shutil.copy(await certificate(tmp_path, "next"), file)
    assert trusts(trust.context(), file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no certificate; name a PEM file"),
        (b"-----BEGIN PRIVATE KEY-----\n", "holds no certificate"),
        (None, "cannot be read: Is a directory"),
    ],
)
def test_a_file_without_a_certificate_is_a_mistake_with_a_remedy(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        Trust(file)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(f"xmpp.ca_file: {file} {words}")


async def test_http_trusts_a_renewed_certificate_without_a_new_client(tmp_path: Path) -> None:
    old, new = await certificate(tmp_path, "old"), await certificate(tmp_path, "new")
    file = Path(shutil.copy(old, tmp_path / "ca.pem"))
    async with HttpClient(AddressPolicy(allow_private=True), ca_file=file) as client:
        for each in (old, new):
            shutil.copy(each, file)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(each, each.with_name("server.key"))
            async with raw_server(sends(ok(3)), tls=tls) as server:
                assert await client.alive(f"https://localhost:{server.port}/", 3)
