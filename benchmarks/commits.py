"""Drop, get and ls of this checkout against an older one: ``python -m benchmarks.commits FOLDER``.

FOLDER is a checkout of an older commit with a ``.venv`` of its own: ``git worktree add FOLDER COMMIT``,
then ``scripts/bootstrap`` in it. Both bots run beside each other on one Prosody and are asked in turns, so
that a busy moment of the machine hits both. Compared are the time until the answer is there, and the CPU
time of the process; the goal is a median ratio of at least 0.95 for each of the three.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import SubElement

from slixmpp import JID

from filebot.localserver.botprocess import BotProcess, tables_for, write_config
from filebot.localserver.peer import OOB, Peer, Received
from filebot.localserver.prosody import Prosody

SIZE: Final = 20_000
AT_LEAST: Final = 0.95
ANSWER_LIMIT_S: Final = 60.0
HERE: Final = Path(__file__).resolve().parent.parent
WORKS: Final = ("drop", "get", "ls")

# BotProcess names the interpreter of this checkout; the other one has its own, and its own folder.
_LAUNCHER: Final = (
    "import os, sys; os.chdir(sys.argv[1]); os.execv(sys.executable, [sys.executable, *sys.argv[3:]])"
)


@dataclass(slots=True)
class Subject:
    """A bot that is measured."""

    name: str
    process: BotProcess
    peer: Peer
    address: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU time of all rounds together, those that nobody waits for included."""

    async def measure(self, work: str, number: int, url: str) -> None:
        """Do one of the works once."""
        start = time.perf_counter()
        await self._do(work, number, url)
        self.seconds.setdefault(work, []).append(time.perf_counter() - start)

    async def _do(self, work: str, number: int, url: str) -> None:
        if work == "drop":
            message = self.peer.client.make_message(mto=JID(self.address), mbody=url, mtype="chat")
            SubElement(SubElement(message.xml, f"{{{OOB}}}x"), f"{{{OOB}}}url").text = url
            message.send()
            await self._answer(lambda heard: "Stored" in heard.body)
        elif work == "get":
            self.peer.say(f"get {number}.bin", self.address)
            await self._answer(lambda heard: heard.url is not None)
        else:
            self.peer.say("ls", self.address)
            await self._answer(lambda heard: ".bin" in heard.body)

    async def _answer(self, fits: Callable[[Received], bool]) -> None:
        await self.peer.next_message(
            lambda heard: heard.sender.startswith(self.address.partition("/")[0]) and fits(heard),
            timeout_s=ANSWER_LIMIT_S,
        )

    def used_cpu_s(self) -> float:
        """CPU time of the threads of the bot's process so far, to the nanosecond."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


@asynccontextmanager
async def file_server() -> AsyncIterator[str]:
    """Serve files that differ by their names; yields the URL of their folder."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1]
                content = (path + b"\n") * (SIZE // (len(path) + 1))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
                if head.startswith(b"GET"):
                    writer.write(content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def bot(
    stack: AsyncExitStack, server: Prosody, folder: Path, name: str, checkout: Path, user: str
) -> Subject:
    """Start the bot of a checkout, and log in somebody who talks to it."""
    (folder / name).mkdir()
    tables = tables_for(server, f"{name}@{server.conference}")
    tables["xmpp"] |= {"jid": server.jid(name), "password": server.password(name)}
    tables["access"] = {"allow": ["*@localhost"]}
    tables["limits"] = {"commands_per_minute": 10_000}
    tables["network"] = {"allow_private": True, "allow_insecure": True}
    python = checkout / ".venv/bin/python"
    process = BotProcess(
        write_config(folder / name / "config.toml", tables), (str(python), "-c", _LAUNCHER, str(checkout))
    )
    await stack.enter_async_context(process)
    address = next(line for line in process.log if " ready " in line).split()[-1]
    return Subject(name, process, await stack.enter_async_context(await Peer.of(server, user)), address)


async def compare(folder: Path, older: Path, rounds: int, blocks: int) -> bool:
    """Measure and print; return whether the goals are reached."""
    async with AsyncExitStack() as stack:
        users = ["filebot", "older", "newer", "anna", "ben"]
        server = Prosody(folder / "server", users=users, log_level="info")
        await stack.enter_async_context(server)
        files = await stack.enter_async_context(file_server())
        old = await bot(stack, server, folder, "older", older, "anna")
        new = await bot(stack, server, folder, "newer", HERE, "ben")
        for number in range(-10, 0):  # thrown away
            for subject in (old, new):
                for work in WORKS:
                    await subject.measure(work, number, f"{files}/{number}.bin")
        for subject in (old, new):
            subject.seconds.clear()
        for block in range(blocks):
            for work in WORKS:
                await measure_block(old, new, work, range(block * rounds, (block + 1) * rounds), files)
    return report(old, new)


async def measure_block(old: Subject, new: Subject, work: str, numbers: range, files: str) -> None:
    """Measure one work many times in turns, and the CPU time of both bots meanwhile."""
    before = {subject.name: subject.used_cpu_s() for subject in (old, new)}
    for number in numbers:
        for subject in (old, new) if number % 2 else (new, old):
            await subject.measure(work, number, f"{files}/{number}.bin")
    for subject in (old, new):
        used = subject.used_cpu_s() - before[subject.name]
        subject.cpu_s[work] = subject.cpu_s.get(work, 0.0) + used


def report(old: Subject, new: Subject) -> bool:
    """Print medians and ratios; return whether all goals are reached."""
    print(f"{'':8}{'old ms':>10}{'new ms':>10}{'old/new':>10}{'CPU old/new':>14}{'at least':>10}")
    reached = True
    for work in WORKS:
        was, now = (statistics.median(subject.seconds[work]) for subject in (old, new))
        pairs = [a / b for a, b in zip(old.seconds[work], new.seconds[work], strict=True)]
        ratio, cpu = statistics.median(pairs), old.cpu_s[work] / new.cpu_s[work]
        reached &= ratio >= AT_LEAST
        print(f"{work:8}{was * 1000:>10.2f}{now * 1000:>10.2f}{ratio:>10.2f}{cpu:>14.2f}{AT_LEAST:>10.2f}")
    print(f"\n{len(old.seconds['drop'])} of each; the ratio is the median of the pairs")
    return reached


def main() -> int:
    """Return the exit status: 0 if all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("older", type=Path, help="checkout of an older commit, with its .venv")
    parser.add_argument("--rounds", type=int, default=50, help="of each work in a block (default 50)")
    parser.add_argument("--blocks", type=int, default=6)
    options = parser.parse_args()
    older = options.older.resolve()
    if not (older / ".venv/bin/python").exists():
        print(f"{older} has no .venv; run scripts/bootstrap in it", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        return 0 if asyncio.run(compare(Path(folder), older, options.rounds, options.blocks)) else 1


if __name__ == "__main__":
    sys.exit(main())
