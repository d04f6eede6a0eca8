"""Home, bus and display of its own, for a client with windows that runs without a person."""

import asyncio
import os
import shlex
import signal
import struct
import subprocess
import zlib
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self, TypeVar
from urllib.parse import quote

from filebot.localserver.server import Server
from tests.interop.network import Network
from tests.interop.trace import MoveBy, sessions

START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 5.0
TOOL_LIMIT_S: Final = 15.0
REPLY_LIMIT_S: Final = 20.0
TRANSFER_LIMIT_S: Final = 120.0
POLL_S: Final = 0.2
WIDTH: Final = 1100
HEIGHT: Final = 750
LINES_SHOWN: Final = 40

# The bus starts no services on request, so that nothing runs that we did not start.
_BUS: Final = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

T = TypeVar("T")


class ToolFailed(Exception):
    """Failure of a command; the text is its output."""


def packaged(package: str) -> str:
    """Return the version of a client's Debian package."""
    query = ("dpkg-query", "--show", "--showformat=${source:Upstream-Version}", package)
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout


class Program:
    """Process in a session of its own, so that its children are signalled with it."""

    def __init__(self, process: Process, log: Path, start: int) -> None:
        self.log = log
        """Output of all programs of that name in that place, one after the other."""
        self._process = process
        self._start = start

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        pass_fds: Sequence[int] = (),
    ) -> Self:
        with log.open("ab") as output:
            start = output.tell()
            process = await asyncio.create_subprocess_exec(
                *command,
                env=environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        return cls(process, log, start)

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    def said(self) -> str:
        """Return everything that it wrote."""
        return self.log.read_bytes()[self._start :].decode(errors="replace")

    def last_words(self) -> str:
        """Return the end of the output."""
        return "\n".join(self.said().splitlines()[-LINES_SHOWN:])

    async def stop(self) -> None:
        """Terminate the process; kill it if it does not end in time."""
        self._signal(signal.SIGTERM)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S)
        finally:
            await self.kill()

    async def kill(self) -> None:
        """Kill the process, as a crash would."""
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


class Desktop:
    """Desktop that exists while the context is open, with all its files below ``folder``."""

    def __init__(self, network: Network, folder: Path, *, wrapper: Sequence[str] = ()) -> None:
        """Set the desktop up; ``wrapper`` is a prefix for every command line."""
        self.home = folder / "home"
        self._folder = folder
        self._network = network
        self._wrapper = wrapper
        self._stack = AsyncExitStack()
        self._bus_address = f"unix:path={quote(f'{self.home}/run/bus')}"
        # Nothing is inherited: no proxy, theme or bus of the person who runs the tests.
        self.environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "TMPDIR": str(self.home / "tmp"),
            "DBUS_SESSION_BUS_ADDRESS": self._bus_address,
            "DBUS_SYSTEM_BUS_ADDRESS": self._bus_address,
            "GDK_BACKEND": "x11",
            "GSETTINGS_BACKEND": "memory",
            "GIO_USE_VFS": "local",
            "GTK_USE_PORTAL": "0",
            "GTK_A11Y": "none",
            "GTK_IM_MODULE": "gtk-im-context-simple",
            "NO_AT_BRIDGE": "1",
        }

    async def __aenter__(self) -> Self:
        for each in ("config", "data", "state", "cache", "run", "tmp"):
            (self.home / each).mkdir(parents=True, mode=0o700)
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._start_bus()
                await self._start_display()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def start(
        self, *command: str, environment: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
    ) -> Program:
        """Start a program on this desktop. The caller ends it."""
        line = [*self._network.launcher, *self._wrapper, *command]
        log = self._folder / f"{command[0]}.log"
        return await Program.start(
            line, {**self.environment, **(environment or {})}, log, pass_fds=pass_fds
        )

    async def run(self, *command: str) -> str:
        """Run a command on this desktop and return its output. Raises ToolFailed."""
        line = [*self._network.launcher, *self._wrapper, *command]
        process = await asyncio.create_subprocess_exec(
            *line, env=self.environment, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), TOOL_LIMIT_S)
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            raise ToolFailed(f"{shlex.join(command)}: {said.decode(errors='replace')}")
        return said.decode(errors="replace")

    async def type(self, text: str) -> None:
        """Type on the keyboard, into the widget with the focus."""
        for ascii_only, part in groupby(text, str.isascii):
            if ascii_only:
                await self.run("xdotool", "type", "--delay", "10", "--", "".join(part))
            else:  # GTK's own way; xdotool would give keys a new meaning, which is now and then too late
                for character in part:
                    await self.press("ctrl+shift+u", *f"{ord(character):x}", "space")

    async def press(self, *keys: str) -> None:
        """Press keys, as xdotool calls them, one after the other."""
        await self.run("xdotool", "key", "--delay", "20", *keys)

    async def click(self, x: int, y: int) -> None:
        """Click on a point of the screen."""
        await self.run("xdotool", "mousemove", str(x), str(y), "click", "1")

    async def activate(self, application: str, path: str, action: str, parameters: str) -> None:
        """Activate an action of an application (org.gtk.Actions)."""
        call = ("--session", "--dest", application, "--object-path", path, "--method")
        await self.run("gdbus", "call", *call, "org.gtk.Actions.Activate", action, parameters, "{}")

    async def windows(self, kind: str) -> list[str]:
        """Return the visible windows of a program, by its window class."""
        with suppress(ToolFailed):  # it fails if there are none
            return (await self.run("xdotool", "search", "--onlyvisible", "--class", kind)).split()
        return []

    async def fill_the_screen(self, window: str) -> None:
        """Give a window the focus and a fixed size."""
        await self.run("xdotool", "windowactivate", "--sync", window)
        await self.run("xdotool", "windowmove", window, "0", "0")
        await self.run("xdotool", "windowsize", window, str(WIDTH), str(HEIGHT))
        async with asyncio.timeout(TOOL_LIMIT_S):
            while f"{WIDTH}x{HEIGHT}" not in await self.run("xdotool", "getwindowgeometry", window):
                await asyncio.sleep(POLL_S)

    def screenshot(self, path: Path) -> Path:
        """Write the screen's content as PNG and return the path."""
        path.write_bytes(_png(self._folder / "Xvfb_screen0"))
        return path

    async def _start_bus(self) -> None:
        socket = self.home / "run/bus"
        config = self._folder / "bus.conf"
        config.write_text(_BUS.format(address=self._bus_address))
        bus = await self.start("dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile")
        self._stack.push_async_callback(bus.stop)
        while not socket.exists():
            await self._still_there(bus)

    async def _start_display(self) -> None:
        reading, writing = os.pipe()
        try:
            options = ("-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-noreset", "-fbdir")
            display = await self.start(
                "Xvfb", "-displayfd", str(writing), *options, str(self._folder), pass_fds=[writing]
            )
            self._stack.push_async_callback(display.stop)
            os.set_blocking(reading, False)
            number = b""
            while not number.endswith(b"\n"):
                with suppress(BlockingIOError):
                    number += os.read(reading, 16)
                await self._still_there(display)
        finally:
            os.close(reading)
            os.close(writing)
        self.environment["DISPLAY"] = f":{number.decode().strip()}"
        manager = await self.start("openbox", "--sm-disable")
        self._stack.push_async_callback(manager.stop)
        while True:
            with suppress(ToolFailed):  # it fails for as long as no window manager is there
                await self.run("xdotool", "get_num_desktops")
                return
            await self._still_there(manager)

    async def _still_there(self, program: Program) -> None:
        if not program.running:
            raise EOFError(f"{program.log.name} ended with\n{program.last_words()}")
        await asyncio.sleep(POLL_S / 4)


def _png(dump: Path) -> bytes:
    """Return a screen of Xvfb's ``-fbdir``, 24 bits in 32 (XWDFile.h of X11), as PNG (RFC 2083)."""
    data = dump.read_bytes()
    head = struct.unpack(">25I", data[:100])
    head_size, width, height, line_size, colours = head[0], head[4], head[5], head[12], head[19]
    start = head_size + colours * 12
    rows = bytearray()
    for y in range(height):
        line = data[start + y * line_size :][: 4 * width]
        row = bytearray(3 * width)
        row[0::3], row[1::3], row[2::3] = line[2::4], line[1::4], line[0::4]
        rows += b"\0" + row
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows), 1)),
        (b"IEND", b""),
    )
    framed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@dataclass(frozen=True, slots=True)
class Sending:
    """Outcome of a file that a client was told to send."""

    offered: bool
    """Whether the client lets its user send files to this contact at all."""
    way: MoveBy | None = None
    state: str = ""
    """``success``, or the error of the client or the reason of the session's end."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Received file as the client stores it."""

    path: Path
    name: str
    """State, in the client's own words."""
    method: str
    """``http`` or ``jingle``."""


class DesktopClient:
    """Client that is logged in: ``async with Dino(network, server, "alice", folder) as alice``.

    The server has to log stanzas.
    """

    name: ClassVar[str]
    """Resource of the client, and class of its windows."""
    wrapper: ClassVar[tuple[str, ...]] = ()

    def __init__(self, network: Network, server: Server, user: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.jid = server.jid(user)
        """Bare JID."""
        self.desktop = Desktop(network, folder, wrapper=self.wrapper)
        self._server = server
        self._user = user
        self._folder = folder
        self._program: Program | None = None

    async def __aenter__(self) -> Self:
        await self.desktop.__aenter__()
        try:
            await self._prepare()
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the client, also after ``kill``, and wait until it is online."""
        self._program = await self._launch()
        await self._until_online()

    async def kill(self) -> None:
        """Kill the client, as a crash would."""
        assert self._program is not None
        await self._program.kill()

    async def stop(self) -> None:
        """Terminate the client and close its desktop."""
        try:
            if self._program is not None:
                await self._program.stop()
        finally:
            await self.desktop.__aexit__(None, None, None)

    async def until(self, look: Callable[[], Awaitable[T | None]], wanted: str, limit_s: float) -> T:
        """Poll until there is a result. Raises TimeoutError, or EOFError if the client ended."""
        assert self._program is not None
        try:
            async with asyncio.timeout(limit_s):
                while (found := await look()) is None:
                    if not self._program.running:
                        raise EOFError(f"{self.name} ended before {wanted}; {self.report()}")
                    await asyncio.sleep(POLL_S)
                return found
        except TimeoutError:
            raise TimeoutError(f"{self.name}: no {wanted} after {limit_s} s; {self.report()}") from None

    def report(self) -> str:
        """Return what helps to find out why it does not work."""
        assert self._program is not None
        picture = self.desktop.screenshot(self._folder / f"{self.name}.png")
        return f"its screen is in {picture}, and its log ends with\n{self._program.last_words()}"

    def log_size(self) -> int:
        """Return the size of the server's log, for ``ended_session``."""
        return self._server.log_file.stat().st_size

    def ended_session(self, since: int, to: str) -> Sending | None:
        """Return the first Jingle session with somebody after that, if it has ended."""
        for session in sessions(self._server, since):
            if session.initiator == f"{self.jid}/{self.name}" and session.responder.startswith(f"{to}/"):
                return Sending(True, session.way, session.reason) if session.reason else None
        return None

    async def _prepare(self) -> None:
        """Write the client's settings."""
        raise NotImplementedError

    async def _launch(self) -> Program:
        raise NotImplementedError

    async def _until_online(self) -> None:
        raise NotImplementedError
