"""Process of a bot, run as an operator does: with a config file of its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from filebot.errors import FilebotError
from filebot.localserver.server import Server

READY_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 30.0
LINES_KEPT: Final = 2000


class BotEnded(FilebotError):
    """The bot's process ended before it was ready; the text is the end of its log."""


class BotProcess:
    """``filebot run`` for as long as the context is open; ready when it is entered.

    ``launcher`` goes before its command line, to start it elsewhere. ``hear`` is given its log.
    """

    def __init__(
        self,
        config: Path,
        launcher: Sequence[str] = (),
        *,
        log_level: str = "info",
        hear: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.config = config
        self._launcher = launcher
        self._log_level = log_level
        self._hear = hear
        self.log: deque[str] = deque(maxlen=LINES_KEPT)
        """The latest lines of its log."""
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """Process id of the running bot."""
        assert self._process is not None  # noqa: S101 - entered
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it is online and in its rooms. Raises BotEnded or TimeoutError."""
        self._ready.clear()
        self._process = await asyncio.create_subprocess_exec(
            *self._launcher,
            sys.executable,
            "-m",
            "filebot",
            "run",
            "--config",
            str(self.config),
            "--log-level",
            self._log_level,
            stderr=PIPE,
        )
        self._reading = asyncio.create_task(self._read(self._process))
        ready = asyncio.create_task(self._ready.wait())
        try:
            async with asyncio.timeout(READY_LIMIT_S):
                await asyncio.wait({ready, self._reading}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            await self.kill()  # nobody leaves a context that was not entered
            raise TimeoutError("\n".join([*self.log][-20:])) from None
        finally:
            ready.cancel()
        if not self._ready.is_set():
            await self.stop()
            raise BotEnded("\n".join([*self.log][-20:]))

    async def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its exit code; kill it if it does not in time."""
        if self._process is None:
            return 0
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                return await self._process.wait()
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._reading is not None:
            await self._reading

    async def _read(self, process: Process) -> None:
        assert process.stderr is not None  # noqa: S101 - piped
        async for line in process.stderr:
            text = line.decode(errors="replace").rstrip()
            self.log.append(text)
            self._hear(text)
            if " ready " in f" {text} ":
                self._ready.set()


def tables_for(server: Server, room: str) -> dict[str, Any]:
    """The config of a bot on the private server, in one room."""
    return {
        "data_dir": "data",
        "xmpp": {
            "jid": server.jid("filebot"),
            "password": server.password("filebot"),
            "host": "127.0.0.1",
            "port": server.c2s_port,
            "ca_file": server.ca_file,
        },
        "rooms": {"join": [room]},
        "access": {"admins": [server.jid("alice")]},
        "network": {"allow_private": True},
    }


def write_config(path: Path, tables: Mapping[str, Any]) -> Path:
    """Write a config of plain values, one table below another; readable by its owner only."""
    lines = [f"{key} = {_toml(value)}" for key, value in tables.items() if not isinstance(value, Mapping)]
    for name, table in tables.items():
        if isinstance(table, Mapping):
            lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            # A TOML basic string escapes as JSON does, but for what no path or JID here holds.
            return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
