"""go-sendxmpp, the command line client that Debian packages, as somebody who sends files."""

import asyncio
import os
import shutil
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

LIMIT_S = 30.0


def installed() -> bool:
    return shutil.which("go-sendxmpp") is not None


async def send_file(
    path: Path, to: str, *, jid: str, password: str, host: str, port: int, ca_file: Path
) -> str:
    """Upload a file and send its URL; returns what the program said.

    Raises ChildProcessError if it fails.
    """
    # Go programs trust what this file names; ``-n`` would not check the certificate at all.
    environment = {**os.environ, "SSL_CERT_FILE": str(ca_file)}
    process = await asyncio.create_subprocess_exec(
        "go-sendxmpp",
        *("-u", jid, "-p", password, "-j", f"{host}:{port}", "--http-upload", str(path), to),
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise ChildProcessError(said.decode(errors="replace"))
    return said.decode(errors="replace")
