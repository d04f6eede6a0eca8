"""HTTP in and out of the store against curl. Run as ``python -m benchmarks.http``.

In: GET of 1 GiB into the store, hashed and durable, against ``curl -o FILE; sync -d FILE`` (no hash).
Out: PUT of the stored blob to a server that discards it, against ``curl -T``.
Memory: growth of the process's peak over a 2 GiB file in and out.
"""

import argparse
import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.turns import Goal, in_turns, report
from filebot.model import BlobRef, Slot
from filebot.storage.disk import DiskStore
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient

MIB: Final = 1024 * 1024
MEMORY_LIMIT_MIB: Final = 32
GOALS: Final = [
    Goal("GET into the store / curl -o; sync -d", "get filebot", "get curl", 1.2),
    Goal("PUT from the store / curl -T", "put filebot", "put curl", 1.7),
]


@contextmanager
def serving(file: Path) -> Iterator[str]:
    """The URL of a fast server of that file, in another process."""
    command = [sys.executable, "-m", "benchmarks.http_server", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/file"
        process.stdin.close()


def make_file(path: Path, mib: int) -> None:
    """A file of noise (the same MiB again and again: nothing here compresses)."""
    noise = os.urandom(MIB)
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(noise)


async def take(client: HttpClient, store: DiskStore, url: str) -> BlobRef:
    """Download into the store."""
    async with client.get(url) as download, store.create() as writer, aclosing(download.chunks()) as chunks:
        async for chunk in chunks:
            await writer.write(chunk)
        await writer.seal()
        return await writer.commit()


async def give(client: HttpClient, store: DiskStore, url: str, ref: BlobRef) -> None:
    """Upload from the store."""
    async with store.local_file(ref.digest) as file:
        await client.put(Slot(put_url=url, get_url=url), file, "application/octet-stream")


async def with_filebot(root: Path, work: Callable[[HttpClient, DiskStore], Awaitable[None]]) -> None:
    """Do something with a client and a store on ``root``."""
    policy = AddressPolicy(allow_insecure=True, allow_private=True)
    store = await DiskStore.open(root)
    try:
        async with HttpClient(policy) as client:
            await work(client, store)
    finally:
        await store.close()


def filebot_get(url: str, root: Path) -> float:
    """Seconds for a download; the blob is removed afterwards."""
    taken = 0.0

    async def work(client: HttpClient, store: DiskStore) -> None:
        nonlocal taken
        start = time.perf_counter()
        ref = await take(client, store, url)
        taken = time.perf_counter() - start
        await store.delete(ref.digest)

    asyncio.run(with_filebot(root, work))
    return taken


def filebot_put(url: str, root: Path, ref: BlobRef) -> float:
    """Seconds for an upload."""
    taken = 0.0

    async def work(client: HttpClient, store: DiskStore) -> None:
        nonlocal taken
        start = time.perf_counter()
        await give(client, store, url, ref)
        taken = time.perf_counter() - start

    asyncio.run(with_filebot(root, work))
    return taken


def shell(command: str, leftover: Path) -> float:
    """Seconds for a command line; its output file is removed afterwards."""
    start = time.perf_counter()
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    taken = time.perf_counter() - start
    leftover.unlink(missing_ok=True)
    return taken


def memory_growth_mib(url: str, root: Path) -> float:
    """How much the peak of this process's memory grows over a file in and out."""
    growth = 0.0

    async def work(client: HttpClient, store: DiskStore) -> None:
        nonlocal growth
        await client.alive(url, 0)  # what is made once, is made
        before = resident_kib()
        ref = await take(client, store, url)
        await give(client, store, url, ref)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        await store.delete(ref.digest)

    asyncio.run(with_filebot(root, work))
    return growth


def resident_kib() -> int:
    """Resident memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def compare(folder: Path, mib: int, rounds: int) -> bool:
    """Measure and print; whether the goals are reached."""
    source, out, root = folder / "source", folder / "out", folder / "store"
    make_file(source, 2 * mib)
    with serving(source) as url:
        # First, while this process has not grown yet for other reasons.
        growth = memory_growth_mib(url, root)
    source.unlink()
    make_file(source, mib)
    with serving(source) as url:
        ref = BlobRef("", 0)

        async def fill(client: HttpClient, store: DiskStore) -> None:
            nonlocal ref
            ref = await take(client, store, url)

        kept = folder / "kept"
        asyncio.run(with_filebot(kept, fill))
        # Not all four in turns: what only the uploads read would leave the page cache during downloads.
        blob = kept / "blobs" / ref.digest[:2] / ref.digest
        seconds = in_turns(
            {
                # How a file was written decides how fast it is read from memory: hence both.
                "put curl, the blob": lambda: shell(f"curl -s -T {blob} {url}", out),
                "put curl": lambda: shell(f"curl -s -T {source} {url}", out),
                "put filebot": lambda: filebot_put(url, kept, ref),
            },
            rounds,
        )
        seconds |= in_turns(
            {
                "get curl": lambda: shell(f"curl -s -o {out} {url} && sync -d {out}", out),
                "get filebot": lambda: filebot_get(url, root),
            },
            rounds,
        )
    reached = report(GOALS, seconds)
    print(
        f"\npeak memory grew by {growth:.1f} MiB for {2 * mib} MiB in and out (at most {MEMORY_LIMIT_MIB})"
    )
    return reached and growth < MEMORY_LIMIT_MIB


def main() -> int:
    """The exit status: 0 if all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file (default 1024)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("curl") is None:
        print("curl is needed for the comparison and not installed", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        return 0 if compare(Path(folder), options.mib, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
