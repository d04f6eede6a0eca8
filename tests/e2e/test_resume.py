"""Files killed on their way and finished by another method, against a real bot on a real server.

A kill comes when 60 % have been put on the wire. What counts is what the senders really sent, both times
together: the file, and what was on its way to the bot's disk when the end came, which a brake bounds.
"""

import asyncio
import base64
import hashlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest
import pytest_asyncio

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.server import Server
from filebot.model import Method, Negotiation, StreamMethod
from tests.e2e.conftest import USERS, World, bot_config
from tests.servers import private_server
from tests.support.sender import AHEAD_BYTES, LOOKS_S, PAUSE_S, PIECE_BYTES, Brake, Job
from tests.support.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

LIMIT_S = 60.0
SIZE = 8_000_000
CUT = SIZE * 6 // 10
STOPS_AT = SIZE * 8 // 10
"""There it waits for a kill that comes late."""

SFS = "urn:xmpp:sfs:0"
METADATA = "urn:xmpp:file:metadata:0"
HASHES = "urn:xmpp:hashes:2"


@dataclass(frozen=True)
class ByStream:
    """A way through the XMPP session; ``by_proxy``: the bytes pass the server's proxy."""

    way: StreamMethod
    by_proxy: bool = False

    @asynccontextmanager
    async def sending(
        self, world: World, file: Path, brake: Brake | None = None
    ) -> AsyncIterator["Sending"]:
        async with StreamSender(world.server, self, world.bot_jid + "/filebot", file, brake) as sender:
            yield sender


class ByHttp:
    """A link to a server that the test holds in its hand."""

    @asynccontextmanager
    async def sending(
        self, world: World, file: Path, brake: Brake | None = None
    ) -> AsyncIterator["Sending"]:
        async with await world.login("alice") as alice, HttpSender(file, brake) as sender:
            alice.client.send_raw(linked(world.bot_jid, file, sender.url))
            yield sender


HTTP = ByHttp()
SOCKS5 = ByStream(StreamMethod(Negotiation.SI, Method.SOCKS5))
PROXIED = ByStream(StreamMethod(Negotiation.SI, Method.SOCKS5), by_proxy=True)
IBB = ByStream(StreamMethod(Negotiation.SI, Method.IBB))
JINGLE_SOCKS5 = ByStream(StreamMethod(Negotiation.JINGLE, Method.SOCKS5))
JINGLE_IBB = ByStream(StreamMethod(Negotiation.JINGLE, Method.IBB))

NAMES: dict[str, ByStream | ByHttp] = {
    "http": HTTP,
    "SI by socks5": SOCKS5,
    "Jingle in-band": JINGLE_IBB,
    "SI by proxy": PROXIED,
    "SI in-band": IBB,
    "Jingle by socks5": JINGLE_SOCKS5,
}
"""Add a way here, and it is killed and gone on with like all others."""

PAIRS = [
    (first, [*NAMES][(place + step) % len(NAMES)]) for place, first in enumerate(NAMES) for step in range(3)
]
"""Each is finished by itself and by two others: every method by every other, in one negotiation or two."""


# --- senders ----------------------------------------------------------------------------------------


class Sending:
    """One attempt to bring the file to the bot."""

    sent = 0
    """Bytes that were put on the wire."""

    async def until_sent(self, size: int) -> None:
        """Wait until so many bytes are on the wire."""
        raise NotImplementedError

    async def kill(self) -> None:
        """End it without a word to anybody."""
        raise NotImplementedError


class StreamSender(Sending):
    """A client in a process of its own."""

    def __init__(self, server: Server, by: ByStream, to: str, file: Path, brake: Brake | None) -> None:
        self._job = Job(
            jid=server.jid("alice"),
            password=server.password("alice"),
            port=server.c2s_port,
            ca_file=str(server.ca_file),
            to=to,
            file=str(file),
            negotiation=by.way.negotiation.value,
            method=by.way.method.value,
            listens=not by.by_proxy,
            kept_in=str(brake.kept_in) if brake else "",
            stops_at=brake.stops_at if brake else 0,
        )
        self._process: Process | None = None
        self._moved = asyncio.Event()
        self.ended = ""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.sender", json.dumps(self._job.__dict__), stdout=PIPE
        )
        self._reading = asyncio.create_task(self._read(self._process))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def until_sent(self, size: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.sent < size:
                assert not self.ended, self.ended
                self._moved.clear()
                await self._moved.wait()

    async def kill(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            word, _, rest = line.decode().strip().partition(" ")
            if word == "sent":
                self.sent = int(rest)
            elif word in {"done", "failed"}:
                self.ended = f"{word} {rest}"
            self._moved.set()


class HttpSender(Sending):
    """Serves one file, with ranges, slowly; dead, it cuts everybody off."""

    def __init__(self, file: Path, brake: Brake | None) -> None:
        self._content = file.read_bytes()
        self._brake = brake
        self._moved = asyncio.Event()
        self._dead = False
        self._connections: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/file"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        self._server.close()

    async def until_sent(self, size: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.sent < size:
                self._moved.clear()
                await self._moved.wait()

    async def kill(self) -> None:
        self._dead = True
        for writer in tuple(self._connections):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            if not self._dead:
                await self._answer((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> None:
        wanted = [line for line in head.split("\r\n") if line.lower().startswith("range:")]
        start = int(wanted[0].partition("bytes=")[2].rstrip("-")) if wanted else 0
        status = "206 Partial Content" if wanted else "200 OK"
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {SIZE - start}", "Connection: close"]
        if wanted:
            lines.append(f"Content-Range: bytes {start}-{SIZE - 1}/{SIZE}")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        writer.transport.set_write_buffer_limits(0)
        for place in range(start, SIZE, PIECE_BYTES):
            piece = self._content[place : place + PIECE_BYTES]
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)
            self._moved.set()
            await asyncio.sleep(PAUSE_S)
            while self._brake is not None and self._brake.holds(self.sent):
                await asyncio.sleep(LOOKS_S)


def linked(to: str, file: Path, url: str) -> str:
    """A message with a link, the file's size and its hash (XEP-0447)."""
    digest = hashlib.sha256(file.read_bytes()).digest()
    message = Element("message", {"to": to, "type": "chat", "id": os.urandom(4).hex()})
    SubElement(message, "body").text = url
    sharing = SubElement(message, "file-sharing", {"xmlns": SFS, "disposition": "attachment"})
    about = SubElement(sharing, "file", {"xmlns": METADATA})
    SubElement(about, "name").text = file.name
    SubElement(about, "size").text = str(SIZE)
    hashed = SubElement(about, "hash", {"xmlns": HASHES, "algo": "sha-256"})
    hashed.text = base64.b64encode(digest).decode()
    sources = SubElement(sharing, "sources")
    SubElement(sources, "url-data", {"xmlns": "http://jabber.org/protocol/url-data", "target": url})
    oob = SubElement(message, "x", {"xmlns": "jabber:x:oob"})
    SubElement(oob, "url").text = url
    return tostring(message, "unicode")


# --- the world --------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A bot and a server that can be killed, and what the bot has said in its log."""

    world: World

    def lines(self, text: str) -> int:
        return sum(text in line for line in self.world.bot.log)

    async def until_log(self, text: str, before: int) -> None:
        """Wait until the bot has logged this once more."""
        await until(lambda: self.lines(text) > before, LIMIT_S)

    async def until_stored(self, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        await until(lambda: any(path.name == digest for path in self.world.blobs()), LIMIT_S)
        await until(lambda: not self.world.partials(), LIMIT_S)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("resume")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(private_server(folder / "prosody", users=USERS))
        tables = bot_config(server, limits={"max_file_size": "20 MB", "idle_timeout": "2 s"})
        bot = BotProcess(write_config(folder / "config.toml", tables))
        await stack.enter_async_context(bot)
        yield Stage(World(server, bot, folder))


async def kill_sender(stage: Stage, sending: Sending) -> None:
    refused = stage.lines("refused ")
    await sending.kill()
    await stage.until_log("refused ", refused)


async def kill_bot(stage: Stage, sending: Sending) -> None:
    await stage.world.bot.kill()
    await sending.kill()
    await stage.world.bot.start()


async def kill_server(stage: Stage, sending: Sending) -> None:
    refused, online = stage.lines("refused "), stage.lines("online as ")
    await stage.world.server.kill()
    await asyncio.sleep(0.5)
    await sending.kill()
    await stage.world.server.restart()
    await stage.until_log("online as ", online)
    await stage.until_log("refused ", refused)


Kill = Callable[[Stage, Sending], Awaitable[None]]


async def killed_and_finished(
    stage: Stage, folder: Path, kill: Kill, first: ByStream | ByHttp, second: ByStream | ByHttp
) -> None:
    content = os.urandom(SIZE)
    file = folder / "Grüße.bin"
    file.write_bytes(content)
    brake = Brake(stage.world.data / "partial", STOPS_AT)
    async with first.sending(stage.world, file, brake) as sending:
        await sending.until_sent(CUT)
        await kill(stage, sending)
    kept = brake.kept()
    # The piece with which a sender goes too far is on the wire when it begins to wait.
    assert CUT <= sending.sent <= kept + AHEAD_BYTES + PIECE_BYTES
    async with second.sending(stage.world, file) as again:
        await stage.until_stored(content)
        await again.until_sent(SIZE - kept)
    assert again.sent == SIZE - kept


@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_what_a_killed_sender_left_is_finished_by_any_method(
    stage: Stage, tmp_path: Path, first: str, second: str
) -> None:
    await killed_and_finished(stage, tmp_path, kill_sender, NAMES[first], NAMES[second])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SI by socks5", "SI in-band"),
        ("SI in-band", "http"),
        ("http", "Jingle by socks5"),
        ("Jingle by socks5", "SI by socks5"),
        ("Jingle in-band", "Jingle by socks5"),
    ],
)
async def test_what_a_killed_bot_left_is_finished_by_another_method(
    stage: Stage, tmp_path: Path, first: str, second: str
) -> None:
    await killed_and_finished(stage, tmp_path, kill_bot, NAMES[first], NAMES[second])


@pytest.mark.parametrize(
    ("first", "second"),
    [("SI in-band", "SI by proxy"), ("SI by proxy", "Jingle in-band"), ("Jingle in-band", "SI in-band")],
)
async def test_what_a_killed_server_left_is_finished_when_it_is_back(
    stage: Stage, tmp_path: Path, first: str, second: str
) -> None:
    await killed_and_finished(stage, tmp_path, kill_server, NAMES[first], NAMES[second])
