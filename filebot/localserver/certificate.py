"""A certificate for a server on this machine, made with the ``openssl`` command."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Final

from filebot.errors import ConfigError

# Everything is said here: the system's openssl.cnf may say something else. Python 3.13 and later insist on
# critical basicConstraints, on keyUsage and on both key identifiers (RFC 5280 section 4.2).
_REQUEST: Final = """\
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = {name}
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyEncipherment, keyCertSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = {alternatives}
"""


async def self_signed(folder: Path, names: Sequence[str], addresses: Sequence[str]) -> tuple[Path, Path]:
    """The certificate and the key, in PEM, new in ``folder``. The certificate is its own authority."""
    request, certificate, key = folder / "openssl.cnf", folder / "server.crt", folder / "server.key"
    alternatives = [*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)]
    _write(request, _REQUEST.format(name=names[0], alternatives=", ".join(alternatives)))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += [
        "-nodes",
        "-days",
        "30",
        "-config",
        str(request),
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    except FileNotFoundError:
        raise ConfigError(("openssl is not installed; try: apt-get install openssl",)) from None
    _, complaint = await process.communicate()
    if process.returncode != 0:
        raise ConfigError((f"openssl made no certificate: {complaint.decode(errors='replace').strip()}",))
    return certificate, key


def _write(file: Path, text: str) -> None:
    file.write_text(text)
