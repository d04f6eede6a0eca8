"""In-band bytestreams through a real Prosody against slixmpp's own. Run as ``python -m benchmarks.ibb``.

Each end is a process of its own, with blocks of the size that each side chooses: slixmpp's sender to
slixmpp's receiver, which is one block for each round trip; ours to slixmpp's receiver; ours to ours. Beside
the time stands what CPU time each process took for each MB: the server's share is nobody's to save.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.turns import Goal, report
from filebot.localserver.prosody import Prosody

GOALS: Final = [
    Goal("our sender, slixmpp's receiver / slixmpp at both ends", "ours to slixmpp", "slixmpp", 2.0),
    Goal("ours at both ends / slixmpp at both ends", "ours", "slixmpp", 3.5),
]
VARIANTS: Final = {
    "slixmpp": ("stocksender", "stock", "stock"),
    "ours to slixmpp": ("sender", "stock", "plain"),
    "ours": ("sender", "ours", "offer"),
}
"""Sender, receiver and command of each measured variant."""

USERS: Final = {"ours": "ours", "sender": "ours", "stock": "stock", "stocksender": "stock"}
"""Kind of client that each user of the server runs."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class End:
    """One of the processes."""

    process: Process
    jid: str

    def say(self, text: str) -> None:
        """Want something of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())

    async def heard(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def end(server: Prosody, user: str, file: Path) -> AsyncIterator[End]:
    """Logged in."""
    command = [sys.executable, "-m", "benchmarks.ibb_end", USERS[user]]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    login = {
        "jid": server.jid(user),
        "password": server.password(user),
        "port": server.c2s_port,
        "ca_file": str(server.ca_file),
        "file": str(file),
    }
    made = End(process, "")
    made.say(json.dumps(login))
    try:
        yield End(process, await made.heard())
    finally:
        made.say("")
        await process.wait()


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used so far (proc(5), ``stat``)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def measured(
    folder: Path, size: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[str]]]:
    """Seconds of each variant, taking turns; and CPU seconds for each MB of server, sender and receiver."""
    file = folder / "f.bin"
    file.write_bytes(os.urandom(size))
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    cpu: dict[str, list[list[float]]] = {name: [] for name in VARIANTS}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            Prosody(folder / "prosody", users=tuple(USERS), log_level="info")
        )
        ends = {user: await stack.enter_async_context(end(server, user, file)) for user in USERS}
        for number in range(rounds + 1):
            for name, (sender, receiver, how) in VARIANTS.items():
                pids = [server.pid, ends[sender].process.pid, ends[receiver].process.pid]
                before, start = [cpu_s(pid) for pid in pids], time.perf_counter()
                ends[sender].say(f"{how} {ends[receiver].jid}")
                answer = await ends[receiver].heard()
                taken = time.perf_counter() - start
                assert answer == f"got {size}", answer
                await asyncio.sleep(1.5)  # the sender closes, and the receiver waits for that
                if number:
                    seconds[name].append(taken)
                    cpu[name].append(
                        [(cpu_s(pid) - was) / size * 1e6 for pid, was in zip(pids, before, strict=True)]
                    )
    medians = {
        name: [f"{statistics.median(each):.3f}" for each in zip(*rows, strict=True)]
        for name, rows in cpu.items()
    }
    return seconds, medians


def main() -> int:
    """The exit status: 0 if all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=5_000_000, help="size of the file (default 5000000)")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        seconds, cpu = asyncio.run(measured(Path(folder), options.bytes, options.rounds))
    reached = report(GOALS, seconds)
    print(f"\n{'CPU seconds a MB':<24}{'Prosody':>10}{'sender':>10}{'receiver':>10}")
    for name, values in cpu.items():
        print(f"{name:<24}" + "".join(f"{value:>10}" for value in values))
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
