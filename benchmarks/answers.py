"""How soon commands are answered while files are under way. Run as ``python -m benchmarks.answers``.

Many: ``ls`` to a bot that has 200 files coming by SOCKS5, half of which stand still, against the same bot
idle; and how much its memory grows for each. Limited: a word to a bot that sends a file in-band through a
Prosody with the limits of its stock configuration (``mod_limits``, 10 kB/s), against the same when idle.
"""

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from filebot.localserver.botprocess import BotProcess, tables_for, write_config
from filebot.localserver.peer import Peer
from filebot.localserver.prosody import Prosody
from filebot.model import BlobRef, Entry, IncomingMessage, Method, Negotiation, StreamMethod
from filebot.ports import StreamOffer
from filebot.protocol.stream_initiation import BYTESTREAMS, FILE_TRANSFER, SI
from filebot.xmpp.session import Handlers, SessionSettings, StreamHandlers, XmppSession

PEOPLE: Final = 20
EACH: Final = 10
SIZE: Final = 100_000
IN_BAND_BYTES: Final = 150_000
IDLE_QUESTIONS: Final = 20
SLOWEST_S: Final = 1.0
LIMITED_S: Final = 5.0
GROWTH_KIB: Final = 1024

_NEGOTIATION: Final = "http://jabber.org/protocol/feature-neg"
_FORMS: Final = "jabber:x:data"


@dataclass(slots=True)
class StreamHost:
    """Gives each session its file, or the beginning of it and then nothing."""

    whole: set[bytes] = field(default_factory=set)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            await reader.readexactly((await reader.readexactly(2))[1])
            writer.write(b"\5\0")
            there = await reader.readexactly((await reader.readexactly(5))[4])
            await reader.readexactly(2)
            writer.write(b"\5\0\0\3" + bytes([len(there)]) + there + b"\0\0")
            writer.write(os.urandom(SIZE if there in self.whole else 1000))
            await writer.drain()
            await self.over.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def stream_host() -> AsyncIterator[tuple[StreamHost, int]]:
    """The host and its port."""
    host = StreamHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, backlog=256)
    try:
        yield host, server.sockets[0].getsockname()[1]
    finally:
        host.over.set()
        server.close()


async def offer(peer: Peer, bot: str, host: StreamHost, port: int, sid: str, *, whole: bool) -> None:
    """Offer a file and name the stream host (XEP-0096, XEP-0065); returns when the bot is in."""
    if whole:
        host.whole.add(hashlib.sha1(f"{sid}{peer.jid}{bot}".encode()).hexdigest().encode())
    si = Element(f"{{{SI}}}si", {"id": sid, "profile": FILE_TRANSFER})
    SubElement(si, f"{{{FILE_TRANSFER}}}file", {"name": f"{sid}.bin", "size": str(SIZE)})
    form = SubElement(SubElement(si, f"{{{_NEGOTIATION}}}feature"), f"{{{_FORMS}}}x", {"type": "form"})
    option = SubElement(form, f"{{{_FORMS}}}field", {"var": "stream-method", "type": "list-single"})
    SubElement(SubElement(option, f"{{{_FORMS}}}option"), f"{{{_FORMS}}}value").text = BYTESTREAMS
    query = Element(f"{{{BYTESTREAMS}}}query", {"sid": sid, "mode": "tcp"})
    SubElement(
        query, f"{{{BYTESTREAMS}}}streamhost", {"jid": peer.jid, "host": "127.0.0.1", "port": str(port)}
    )
    for payload in (si, query):
        iq = peer.client.make_iq_set(payload, ito=bot)
        await iq.send(timeout=40)  # type: ignore[no-untyped-call]  # untyped in slixmpp


class Asker:
    """Somebody who asks, in another process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def of(cls, server: Prosody, user: str, bot: str) -> "AsyncIterator[Asker]":
        """Logged in."""
        command = [sys.executable, "-m", "benchmarks.asker"]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        made = cls(process)
        made.say(
            json.dumps(
                {
                    "jid": server.jid(user),
                    "password": server.password(user),
                    "port": str(server.c2s_port),
                    "ca_file": str(server.ca_file),
                    "bot": bot,
                }
            )
        )
        try:
            yield made
        finally:
            made.say("")
            await process.wait()

    def say(self, line: str) -> None:
        """``0`` to begin to ask, anything to end it, another number to ask so often."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def answers(self) -> list[float]:
        """Seconds until each answer, once it has ended."""
        assert self._process.stdout is not None
        return [float(each) for each in json.loads(await self._process.stdout.readline())]


def memory_kib(bot: BotProcess) -> int:
    """The peak of its resident memory so far (proc(5))."""
    status = Path(f"/proc/{bot.pid}/status").read_text()
    return int(next(each for each in status.splitlines() if each.startswith("VmHWM")).split()[1])


async def many(folder: Path) -> bool:
    """200 transfers; whether the goals are reached."""
    users = [f"user{number}" for number in range(PEOPLE)]
    async with AsyncExitStack() as stack:
        server = Prosody(folder / "server", users=["filebot", "alice", *users], log_level="info")
        await stack.enter_async_context(server)
        tables = tables_for(server, f"room@{server.conference}")
        tables["access"] = {"allow": ["*@localhost"]}
        # More than a person types: what is measured is the bot, and not its patience.
        tables["limits"] = {"idle_timeout": "10 s", "commands_per_minute": 10_000}
        bot = await stack.enter_async_context(BotProcess(write_config(folder / "config.toml", tables)))
        host, port = await stack.enter_async_context(stream_host())
        people = [await stack.enter_async_context(await Peer.of(server, user)) for user in users]
        address = next(line for line in bot.log if " ready " in line).split()[-1]
        alice = await stack.enter_async_context(Asker.of(server, "alice", address))
        alice.say(str(IDLE_QUESTIONS))
        idle = await alice.answers()
        memory = memory_kib(bot)
        alice.say("0")
        await asyncio.gather(
            *(
                offer(person, address, host, port, f"{number}x{each}", whole=each % 2 == 0)
                for number, person in enumerate(people)
                for each in range(EACH)
            )
        )
        for person in people:
            for _ in range(EACH // 2):
                await person.next_message(lambda heard: "Stored" in heard.body, timeout_s=60)
        await asyncio.sleep(2.0)  # only those that stand still are left
        growth = (memory_kib(bot) - memory) / (PEOPLE * EACH)
        alice.say("enough")
        busy = await alice.answers()
    return _report("ls, 200 files coming", idle, busy, SLOWEST_S) & _grown(growth)


def _grown(growth_kib: float) -> bool:
    print(f"memory grows by {growth_kib:.0f} KiB for each of them (at most {GROWTH_KIB})")
    return growth_kib <= GROWTH_KIB


async def limited(folder: Path) -> bool:
    """One in-band transfer through a server that lets 10 kB/s pass; whether the goal is reached."""
    server = Prosody(
        folder / "limited", users=["bot", "other", "anna"], log_level="info", client_kb_per_s=10
    )
    async with server:
        file = folder / "f.bin"
        file.write_bytes(os.urandom(IN_BAND_BYTES))

        async def pong(message: IncomingMessage) -> None:
            await bot.messenger.say(message.sender.address, "pong")

        async def take(offered: StreamOffer) -> None:
            async with offered.accept() as download:
                async for _ in download.chunks():
                    pass

        bot, other = _session(server, "bot", pong, take), _session(server, "other", pong, take)
        async with AsyncExitStack() as stack:
            address, to = [
                await (await stack.enter_async_context(each)).run_until_ready() for each in (bot, other)
            ]
            anna = await stack.enter_async_context(Asker.of(server, "anna", address))
            anna.say(str(IDLE_QUESTIONS))
            idle = await anna.answers()
            now, blob = datetime.now(UTC), BlobRef("0" * 64, IN_BAND_BYTES)
            entry = Entry("f.bin", "a@b", None, "", blob, "text/plain", now, id=1, modified_at=now)
            anna.say("0")
            await bot.streams.send(
                to, file, entry, StreamMethod(Negotiation.SI, Method.IBB), lambda _: None
            )
            anna.say("enough")
            busy = await anna.answers()
    return _report("a word, in-band at 10 kB/s", idle, busy, LIMITED_S)


def _session(
    server: Prosody,
    user: str,
    on_message: Callable[[IncomingMessage], Awaitable[None]],
    take: Callable[[StreamOffer], Awaitable[None]],
) -> XmppSession:
    settings = SessionSettings(
        server.jid(user),
        server.password(user),
        host="127.0.0.1",
        port=server.c2s_port,
        ca_file=server.ca_file,
    )
    return XmppSession(
        settings,
        Handlers(message=on_message, is_served=lambda _: True, streams=StreamHandlers(take)),
    )


def _report(name: str, idle: list[float], busy: list[float], limit_s: float) -> bool:
    """Print it; whether the slowest answer came within the limit."""
    median, base = statistics.median(busy), statistics.median(idle)
    print(
        f"{name}: {len(busy)} answers, slowest {max(busy):.3f} s (at most {limit_s:.0f}), "
        f"median {median:.3f} s; {median / base:.1f} times what it takes when idle, {base:.3f} s"
    )
    return max(busy) <= limit_s


async def measured(folder: Path) -> bool:
    """Whether all goals are reached."""
    reached = await many(folder)
    return await limited(folder) and reached


def main() -> int:
    """The exit status: 0 if all goals are reached."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="filebot-bench-") as folder:
        return 0 if asyncio.run(measured(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
