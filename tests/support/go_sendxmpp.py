"""go-sendxmpp, the command line client that Debian packages, as an independent client."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

LIMIT_S = 30.0


class Account(TypedDict):
    """Account and server for a login."""

    jid: str
    password: str
    host: str
    port: int
    ca_file: Path


async def send_file(path: Path, to: str, **account: Unpack[Account]) -> str:
    """Upload a file, send its URL and return the program's output. Raises ChildProcessError."""
    return await _run("", "--http-upload", str(path), to, **account)


async def send_text(text: str, to: str, **account: Unpack[Account]) -> str:
    """Send a message and return the program's output. Raises ChildProcessError."""
    return await _run(text, to, **account)


@dataclass(frozen=True)
class Listener:
    """Output of a listening client."""

    process: Process

    async def line_with(self, words: str) -> str:
        """Return the next line with these words. Raises TimeoutError or EOFError."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            async for line in self.process.stdout:
                if words in (text := line.decode(errors="replace")):
                    return text
        raise EOFError(f"it ended before it said {words!r}")


@asynccontextmanager
async def listening(**account: Unpack[Account]) -> AsyncIterator[Listener]:
    """Run a client that prints the messages it receives."""
    process = await _start("--listen", **account)
    try:
        await asyncio.sleep(1)  # it says nothing when it is online
        yield Listener(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _run(text: str, *arguments: str, **account: Unpack[Account]) -> str:
    process = await _start(*arguments, **account)
    try:
        said, _ = await asyncio.wait_for(process.communicate(text.encode()), LIMIT_S)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise ChildProcessError(said.decode(errors="replace"))
    return said.decode(errors="replace")


async def _start(*arguments: str, **account: Unpack[Account]) -> Process:
    server = f"{account['host']}:{account['port']}"
    return await asyncio.create_subprocess_exec(
        "go-sendxmpp",
        *("-u", account["jid"], "-p", account["password"], "-j", server, *arguments),
        # Go programs trust what this file names; ``-n`` would not check the certificate at all.
        env={**os.environ, "SSL_CERT_FILE": str(account["ca_file"])},
        stdin=DEVNULL if "--listen" in arguments else PIPE,
        stdout=PIPE,
        stderr=STDOUT,
    )
