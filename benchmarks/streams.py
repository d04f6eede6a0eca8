"""Byte streams in and out of the store. Run as ``python -m benchmarks.streams``.

In: a file over a direct SOCKS5 bytestream into the store, hashed and durable, against the shell pipeline
``socat | tee >(openssl dgst -sha256) > FILE; sync -d FILE`` and against asyncio streams that hash and write
inline. Out: the stored blob to a peer that discards it, against a plain loop around sendfile(2).
"""

import argparse
import asyncio
import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.http import make_file
from benchmarks.turns import Goal, in_turns, report
from filebot.protocol.bytestreams import StreamHost, destination
from filebot.storage.disk import DiskStore
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.socks5.connections import ByteStream
from filebot.transfer.socks5.dial import dial
from filebot.transfer.socks5.socket import SocketConnection

CPU_LIMIT_S: Final = 0.35
"""For sending 10^9 bytes."""

IDLE_S: Final = 30.0
READ_BYTES: Final = 64 * 1024
HERE: Final = "127.0.0.1"
NEEDED: Final = ("bash", "socat", "tee", "openssl", "sync")

IN: Final = [
    Goal("SOCKS5 into the store / socat pipeline", "in filebot", "in socat", 2.4),
    Goal("SOCKS5 into the store / asyncio streams", "in filebot", "in asyncio", 2.0),
]
OUT: Final = [Goal("blob to a socket / plain sendfile", "out filebot", "out sendfile", 0.9)]


@dataclass(frozen=True, slots=True)
class Peer:
    """The ports of ``stream_peer``."""

    gives: int
    gives_socks: int
    takes: int


@contextmanager
def peer(file: Path) -> Iterator[Peer]:
    """The other end, in another process."""
    command = [sys.executable, "-m", "benchmarks.stream_peer", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Peer(*map(int, process.stdout.readline().split()))
        process.stdin.close()


async def filebot_in(port: int, size: int, root: Path) -> float:
    """Seconds from dialling to durably stored."""
    store = await DiskStore.open(root)
    try:
        start = time.perf_counter()
        host = StreamHost("peer@example.org/a", HERE, port)
        hashed = destination("sid", host.jid, "bot@example.org/b")
        _, connection = await dial([host], hashed, AddressPolicy(allow_private=True), own_addresses=())
        stream = ByteStream(connection, IDLE_S)
        with closing(connection):
            async with store.create() as writer:
                async with aclosing(stream.chunks(size)) as chunks:
                    async for chunk in chunks:
                        await writer.write(chunk)
                await writer.seal()
                ref = await writer.commit()
        taken = time.perf_counter() - start
        await store.delete(ref.digest)
    finally:
        await store.close()
    return taken


def settled(out: Path, work: Callable[[], float]) -> float:
    """Return the result of ``work``, measured when the disk has finished all earlier writes."""
    out.unlink(missing_ok=True)
    os.sync()
    return work()


async def asyncio_in(port: int, out: Path) -> float:
    """Seconds for what one writes first: a stream reader, a hash and a file."""
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection(HERE, port)
    hasher = hashlib.sha256()
    with open(out, "wb") as file:  # noqa: ASYNC230, PTH123 - that is what is measured
        while data := await reader.read(READ_BYTES):
            hasher.update(data)
            file.write(data)
        file.flush()
        os.fdatasync(file.fileno())
    writer.close()
    return time.perf_counter() - start


def socat_in(port: int, out: Path) -> float:
    """Seconds for the pipeline; the hash ends with it, as bash waits for the process that it reads from."""
    digest = out.with_suffix(".sha256")
    command = (
        f"socat -u TCP:{HERE}:{port} - | tee >(openssl dgst -sha256 > {digest}) > {out}; "
        f"wait $!; sync -d {out}"
    )
    start = time.perf_counter()
    subprocess.run(["bash", "-c", command], check=True)
    return time.perf_counter() - start


@dataclass(slots=True)
class Sender:
    """Sends the same file again and again, one way or the other."""

    file: Path
    size: int
    port: int
    cpu_s: list[float] = field(default_factory=list)

    def plainly(self) -> float:
        """Seconds for a blocking loop."""
        start = time.perf_counter()
        with socket.create_connection((HERE, self.port)) as connection, self.file.open("rb") as file:
            offset = 0
            while offset < self.size:
                offset += os.sendfile(connection.fileno(), file.fileno(), offset, self.size - offset)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        return time.perf_counter() - start

    def by_filebot(self) -> float:
        """Seconds for a byte stream; keeps the CPU time."""
        return asyncio.run(self._by_filebot())

    async def _by_filebot(self) -> float:
        start, cpu = time.perf_counter(), time.process_time()
        sock = socket.create_connection((HERE, self.port))
        sock.setblocking(False)
        with closing(sock):
            stream = ByteStream(SocketConnection(sock), IDLE_S)
            await stream.send_file(self.file, 0, self.size, lambda _: None)
        self.cpu_s.append(time.process_time() - cpu)
        return time.perf_counter() - start


def compare(folder: Path, mib: int, rounds: int) -> bool:
    """Measure and print; whether the goals are reached."""
    source, out, root = folder / "source", folder / "out", folder / "store"
    make_file(source, mib)
    size = source.stat().st_size
    with peer(source) as other:
        came = in_turns(
            {
                name: partial(settled, out, work)
                for name, work in (
                    ("in filebot", lambda: asyncio.run(filebot_in(other.gives_socks, size, root))),
                    ("in socat", lambda: socat_in(other.gives, out)),
                    ("in asyncio", lambda: asyncio.run(asyncio_in(other.gives, out))),
                )
            },
            rounds,
        )
        sender = Sender(source, size, other.takes)
        went = in_turns({"out filebot": sender.by_filebot, "out sendfile": sender.plainly}, rounds)
    reached = report(IN + OUT, came | went)
    cpu_s = statistics.median(sender.cpu_s) / size * 1e9
    print(f"\nsending takes {cpu_s:.2f} CPU seconds per 10^9 bytes (at most {CPU_LIMIT_S})")
    return reached and cpu_s <= CPU_LIMIT_S


def main() -> int:
    """The exit status: 0 if all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file (default 1024)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        print(f"needed for the comparison and not installed: {', '.join(missing)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        return 0 if compare(Path(folder), options.mib, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
