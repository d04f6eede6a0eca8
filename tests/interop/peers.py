"""Independent clients driven by tests: libpurple (the library of Pidgin and Finch) and gloox.

``purple/peer.c`` and ``gloox/peer.cpp`` are built once for a session of tests and driven by lines of text.
"""

import asyncio
import hashlib
import json
import os
import shlex
import shutil
import subprocess
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from filebot.localserver.server import Server

HERE: Final = Path(__file__).parent
LOGIN_LIMIT_S: Final = 20.0
EVENT_LIMIT_S: Final = 20.0
TRANSFER_LIMIT_S: Final = 60.0
BUILD_LIMIT_S: Final = 120.0


class Method(StrEnum):
    """Method that the peer's surroundings allow; the head of each program says how."""

    ANY = "any"
    DIRECT = "direct"
    PROXY = "proxy"
    IBB = "ibb"
    BROKEN = "broken"
    """SOCKS5 is negotiated, but no stream host can be reached."""


@dataclass(frozen=True, slots=True)
class Program:
    """Program of ours, with what is needed to build it."""

    name: str
    source: Path
    compiler: str
    options: tuple[str, ...]
    libraries: tuple[str, ...]
    """Libraries, by their names in pkg-config."""


PURPLE: Final = Program("purple", HERE / "purple/peer.c", "cc", ("-std=gnu11",), ("purple", "glib-2.0"))
GLOOX: Final = Program("gloox", HERE / "gloox/peer.cpp", "c++", ("-std=c++17",), ("gloox",))


class BuildFailed(Exception):
    """A program could not be built; the text says what is missing or wrong."""


def build(program: Program, folder: Path) -> Path:
    """Compile the program into ``folder``, unless it was already built there from the same source."""
    for tool in (program.compiler, "pkg-config"):
        if shutil.which(tool) is None:
            raise BuildFailed(f"{tool} is not installed; scripts/bootstrap test brings it")
    flags = _output(["pkg-config", "--cflags", "--libs", *program.libraries])
    options = ["-O2", "-Wall", "-Wextra", "-Werror", *program.options]
    command = [program.compiler, *options, "-o", "?", str(program.source), *shlex.split(flags)]
    version = _output(["pkg-config", "--modversion", *program.libraries])
    made_of = "\0".join([*command, version, program.source.read_text()])
    binary = folder / f"{program.name}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    if not binary.exists():
        unfinished = folder / f"{binary.name}.{os.getpid()}"
        command[command.index("?")] = str(unfinished)
        _output(command)
        unfinished.rename(binary)  # whole or not at all: another worker may be looking
    return binary


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
    if done.returncode != 0:
        raise BuildFailed(f"{shlex.join(command)}:\n{done.stderr}")
    return done.stdout


def version(program: Program) -> str:
    """Return the version of the installed library."""
    return _output(["pkg-config", "--modversion", program.libraries[0]]).strip()


@dataclass(frozen=True, slots=True)
class Event:
    """Line that a program printed; fields that it lacks are empty."""

    event: str
    jid: str = ""
    """Full JID of the contact; in an "online" event the program's own."""
    name: str = ""
    """Name of the file in the offer."""
    path: str = ""
    size: str = ""
    method: str = ""
    """Method that was used: direct, proxy or ibb."""
    body: str = ""
    text: str = ""
    condition: str = ""


class TransferCancelled(Exception):
    """Transfer that the program gave up; the text is its latest output."""


class ForeignPeer:
    """Program that is logged in: ``async with Purple(binary, server, "alice", folder) as alice``."""

    program: ClassVar[Program]

    def __init__(self, binary: Path, server: Server, user: str, folder: Path) -> None:
        self.jid = server.jid(user)
        """Bare JID."""
        self.full_jid = ""
        self.events: list[Event] = []
        """Events that the program reported, in order."""
        self.output: deque[str] = deque(maxlen=200)
        """Latest lines of output, of every kind."""
        self.downloads = folder / "downloads"
        self._binary = binary
        self._server = server
        self._user = user
        self._folder = folder
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._came = asyncio.Event()
        self._unread: list[Event] = []

    async def __aenter__(self) -> Self:
        self.downloads.mkdir(parents=True, mode=0o700)
        self._process = await asyncio.create_subprocess_exec(
            str(self._binary),
            str(self._folder),
            "127.0.0.1",
            str(self._server.c2s_port),
            f"{self.jid}/{self.program.name}",
            str(self._server.ca_file),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            limit=2**20,
        )
        self._reading = asyncio.create_task(self._listen(self._process))
        try:
            self._command(self._server.password(self._user))
            self._command(f"receive {self.downloads}")
            self.full_jid = (await self.expect("online", limit_s=LOGIN_LIMIT_S)).jid
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    async def kill(self) -> None:
        """Kill the program."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._reading is not None:
            await self._reading

    async def befriend(self, jid: str) -> None:
        """Subscribe to somebody and return when their client is seen online."""
        self._command(f"add {jid}")
        await self.expect("contact", lambda event: event.jid == jid, limit_s=LOGIN_LIMIT_S)

    async def find_proxy(self) -> None:
        """Wait until the program knows the server's SOCKS5 proxy, for which it asks at login."""
        if not any(event.event == "proxy" for event in self.events):
            await self.expect("proxy")

    async def use(self, method: Method) -> None:
        """Use the method from the next transfer on."""
        self._command(f"method {method}")
        await self.expect("method", lambda event: event.method == method)

    def say(self, text: str, to: str) -> None:
        """Write a message."""
        self._command(f"say {to} {text}")

    async def ask(self, text: str, to: str) -> str:
        """Write a message and return the answer."""
        self.say(text, to)
        return await self.said(to)

    async def said(self, by: str, *beginnings: str, limit_s: float = EVENT_LIMIT_S) -> str:
        """Return the next message of bare JID ``by`` that begins with one of ``beginnings``, if given."""

        def fitting(event: Event) -> bool:
            return event.jid.partition("/")[0] == by and event.body.startswith(beginnings or "")

        return (await self.expect("message", fitting, limit_s=limit_s)).body

    def offer(self, path: Path, to: str) -> None:
        """Offer a file to a contact and do not wait for what becomes of it."""
        self._command(f"send {to} {path}")

    async def send(self, path: Path, to: str, *, limit_s: float = TRANSFER_LIMIT_S) -> Event:
        """Offer a file to a contact; return when the program says that all of it is sent."""
        self.offer(path, to)
        return await self._finished("sent", limit_s)

    async def received(self, *, limit_s: float = TRANSFER_LIMIT_S) -> Event:
        """Return the next file that arrives in full."""
        return await self._finished("received", limit_s)

    async def cancelled(self) -> Event:
        """Return the next transfer that is cancelled."""
        return await self.expect("cancelled")

    async def expect(
        self,
        kind: str,
        predicate: Callable[[Event], bool] = lambda _: True,
        *,
        limit_s: float = EVENT_LIMIT_S,
    ) -> Event:
        """Return the first matching event of a kind after the last returned one of that kind.

        Raises TimeoutError, or EOFError if the program ended, with the latest output.
        """
        return await self._next(lambda event: event.event == kind and predicate(event), kind, limit_s)

    async def _finished(self, kind: str, limit_s: float) -> Event:
        event = await self._next(lambda event: event.event in {kind, "cancelled"}, kind, limit_s)
        if event.event == "cancelled":
            raise TransferCancelled("\n".join(self.output))
        return event

    async def _next(self, fitting: Callable[[Event], bool], wanted: str, limit_s: float) -> Event:
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    if (found := next(filter(fitting, self._unread), None)) is not None:
                        self._pass_over(found)
                        return found
                    if self._reading is None or self._reading.done():
                        raise EOFError(f"{self.program.name} ended before {wanted}: {[*self.output]}")
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            said = "\n".join(self.output)
            raise TimeoutError(f"{self.program.name}: no {wanted} after {limit_s} s, but\n{said}") from None

    def _pass_over(self, found: Event) -> None:
        """Forget this event and the earlier ones of its kind."""
        last = next(number for number, event in enumerate(self._unread) if event is found)
        later = self._unread[last + 1 :]
        self._unread = [event for event in self._unread[:last] if event.event != found.event] + later

    def _command(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            self.output.append(text)
            if text.startswith('{"event": '):
                event = Event(**json.loads(text))
                self.events.append(event)
                self._unread.append(event)
            self._came.set()
        self._came.set()


class Purple(ForeignPeer):
    """libpurple 2: SI over SOCKS5, and IBB if that fails."""

    program = PURPLE


class Gloox(ForeignPeer):
    """gloox 1: SI over the methods that its program chooses."""

    program = GLOOX


KINDS: Final[dict[str, type[ForeignPeer]]] = {"purple": Purple, "gloox": Gloox}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def random_file(path: Path, size: int) -> Path:
    """Write a file of random bytes."""
    with Path("/dev/urandom").open("rb") as source, path.open("wb") as target:
        while (left := size - target.tell()) > 0:
            target.write(source.read(min(left, 2**20)))
    return path
