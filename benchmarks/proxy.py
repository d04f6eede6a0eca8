"""Byte streams through a real Prosody's proxy (mod_proxy65). Run as ``python -m benchmarks.proxy``.

Against raw ends, which are blocking sockets in processes of their own: sendfile(2) into a receiver that
throws away, and into one that writes a durable file. Ours take the place of one of them: the sender, or the
receiver, which hashes as well. The time is that from the activation to the end of both.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID

from benchmarks.http import make_file
from benchmarks.turns import Goal, report
from filebot.localserver.peer import Peer
from filebot.localserver.prosody import Prosody
from filebot.protocol.bytestreams import StreamHost, destination
from filebot.protocol.stream_initiation import BYTESTREAMS
from filebot.storage.disk import DiskStore
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.socks5.connections import ByteStream
from filebot.transfer.socks5.dial import dial

IDLE_S: Final = 30.0
TARGET: Final = "target@localhost/benchmark"
"""A proxy asks nobody whether its users exist."""

GOALS: Final = [
    Goal("our sender / raw ends", "out filebot", "raw", 0.9),
    Goal("into the store / raw into a durable file", "in filebot", "raw to a file", 0.9),
]


@dataclass(frozen=True, slots=True)
class Raw:
    """One of the processes."""

    process: Process

    async def enter(self, job: str) -> None:
        """Give it a job; returns when the proxy has let it in."""
        self.say(job)
        await self.heard("in")

    def say(self, text: str = "go") -> None:
        """Want something of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())

    async def heard(self, what: str) -> None:
        """Wait for this line."""
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode().strip()
        assert line == what, line


@asynccontextmanager
async def raw_end(file: Path) -> AsyncIterator[Raw]:
    """Another process."""
    command = [sys.executable, "-m", "benchmarks.proxy_peer", str(file)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    try:
        yield Raw(process)
    finally:
        process.stdin.close()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Ends:
    """The proxy and who uses it."""

    server: Prosody
    peer: Peer
    giver: Raw
    taker: Raw
    file: Path
    store: DiskStore

    async def raw(self) -> float:
        """Seconds from raw to raw."""
        return await self._raw("take {port} {there}")

    async def raw_to_a_file(self) -> float:
        """The same into a file."""
        out = self.file.with_suffix(".out")
        try:
            return await self._raw(f"keep {{port}} {{there}} {out}")
        finally:
            out.unlink()

    async def _raw(self, job: str) -> float:
        sid, there = self._session()
        # The proxy takes the first for the target and the second for who sends.
        await self.taker.enter(job.format(port=self.server.proxy_port, there=there))
        await self.giver.enter(f"give {self.server.proxy_port} {there}")
        await self._activate(sid)
        start = time.perf_counter()
        self.giver.say()
        self.taker.say()
        await asyncio.gather(self.giver.heard("done"), self.taker.heard("done"))
        return time.perf_counter() - start

    async def out_filebot(self) -> float:
        """Seconds from ours to raw."""
        sid, there = self._session()
        await self.taker.enter(f"take {self.server.proxy_port} {there}")
        async with self._dialled(there) as stream:
            await self._activate(sid)
            start = time.perf_counter()
            self.taker.say()
            await stream.send_file(self.file, 0, self.file.stat().st_size, lambda _: None)
        await self.taker.heard("done")
        return time.perf_counter() - start

    async def in_filebot(self) -> float:
        """Seconds from raw into the store."""
        sid, there = self._session()
        async with self._dialled(there) as stream, self.store.create() as writer:
            await self.giver.enter(f"give {self.server.proxy_port} {there}")
            await self._activate(sid)
            start = time.perf_counter()
            self.giver.say()
            async with aclosing(stream.chunks(self.file.stat().st_size)) as chunks:
                async for chunk in chunks:
                    await writer.write(chunk)
            await writer.seal()
            ref = await writer.commit()
        await self.giver.heard("done")
        taken = time.perf_counter() - start
        await self.store.delete(ref.digest)
        return taken

    def _session(self) -> tuple[str, str]:
        sid = secrets.token_hex(8)
        return sid, destination(sid, self.peer.jid, TARGET)

    @asynccontextmanager
    async def _dialled(self, there: str) -> AsyncIterator[ByteStream]:
        host = StreamHost(self.server.proxy, "127.0.0.1", self.server.proxy_port)
        policy = AddressPolicy(allow_private=True)
        _, connection = await dial([host], there, policy, own_addresses=())
        stream = ByteStream(connection, IDLE_S)
        try:
            yield stream
        finally:
            await stream.close()

    async def _activate(self, sid: str) -> None:
        query = Element(f"{{{BYTESTREAMS}}}query", {"sid": sid})
        SubElement(query, f"{{{BYTESTREAMS}}}activate").text = TARGET
        iq = self.peer.client.make_iq_set(query, ito=JID(self.server.proxy))
        await iq.send(timeout=10)  # type: ignore[no-untyped-call]  # untyped in slixmpp


async def measured(folder: Path, mib: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each variant, taking turns; a first round is thrown away."""
    make_file(folder / "source", mib)
    async with AsyncExitStack() as stack:
        server = Prosody(folder / "prosody", users=["sender"], log_level="info")
        await stack.enter_async_context(server)
        peer = await stack.enter_async_context(await Peer.of(server, "sender"))
        giver, taker = [await stack.enter_async_context(raw_end(folder / "source")) for _ in range(2)]
        store = await DiskStore.open(folder / "store")
        stack.push_async_callback(store.close)
        ends = Ends(server, peer, giver, taker, folder / "source", store)
        variants: dict[str, Callable[[], Awaitable[float]]] = {
            "raw": ends.raw,
            "out filebot": ends.out_filebot,
            "raw to a file": ends.raw_to_a_file,
            "in filebot": ends.in_filebot,
        }
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        for number in range(rounds + 1):
            for name, run in variants.items():
                os.sync()
                taken = await run()
                if number:
                    seconds[name].append(taken)
        return seconds


def main() -> int:
    """The exit status: 0 if all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=128, help="size of the file (default 128)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        seconds = asyncio.run(measured(Path(folder), options.mib, options.rounds))
    print(f"{options.mib / statistics.median(seconds['raw']):.0f} MiB/s between raw ends\n")
    return 0 if report(GOALS, seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
