"""Headless Chromium with one page, driven by the DevTools protocol over a pipe."""

import asyncio
import base64
import fcntl
import json
import os
from asyncio import Future, StreamReader, Task, WriteTransport
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.interop.desktop import WIDTH, Program
from tests.interop.network import Network

BROWSER: Final = "chromium-headless-shell"
ANSWER_LIMIT_S: Final = 20.0
HEIGHT: Final = 1400
"""Height of the window: forms are shown whole."""
MOST_BYTES: Final = 32_000_000
"""Size of the largest answer: of a screenshot."""

# Chromium reads from the descriptor 3 and writes to 4: a shell gives it those of ours, from 10 on.
_SHELL: Final = ("bash", "-c", 'exec "${@:3}" 3<&"$1" 4>&"$2"', "bash")
_LOWEST_DESCRIPTOR: Final = 10
_OPTIONS: Final = (
    "--no-sandbox",  # as root it refuses to have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--ignore-certificate-errors",
    "--allow-file-access-from-files",
    "--remote-debugging-pipe",
    f"--window-size={WIDTH},{HEIGHT}",
)


class BrowserFailed(Exception):
    """Failure of a script or of the browser; the text is its own."""


class Browser:
    """Browser that runs while the context is open, with all its files below ``folder``."""

    def __init__(self, network: Network | None, folder: Path) -> None:
        """``network`` is None for that of the host."""
        self._network = network
        self._folder = folder
        self._stack = AsyncExitStack()
        self._answers: dict[int, Future[Any]] = {}
        self._session: str | None = None
        self._program: Program | None = None
        self._writer: WriteTransport | None = None
        self._loaded = asyncio.Event()
        self._said: list[str] = []

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def running(self) -> bool:
        return self._program is not None and self._program.running

    async def open(self, page: Path) -> None:
        """Load a page into a new tab; from then on everything is about that one."""
        made = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        self._session = attached["sessionId"]
        await self.call("Runtime.enable")
        await self.call("Page.enable")
        await self.call("Page.navigate", url=page.as_uri())
        await asyncio.wait_for(self._loaded.wait(), ANSWER_LIMIT_S)

    async def evaluate(self, script: str, **values: object) -> Any:
        """Return the value of the body of an async function, to which ``values`` are known by their names.

        Raises BrowserFailed.
        """
        names, given = ", ".join(values), ", ".join(map(json.dumps, values.values()))
        answer = await self.call(
            "Runtime.evaluate",
            expression=f"(async ({names}) => {{{script}}})({given})",
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise BrowserFailed(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    async def screenshot(self, path: Path) -> Path:
        """Write what the page shows as PNG, and return the path."""
        shot = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def report(self) -> str:
        """Return the last messages of the page's console and of the browser."""
        assert self._program is not None
        return "\n".join([*self._said[-20:], self._program.last_words()])

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the DevTools protocol. Raises BrowserFailed."""
        assert self._writer is not None
        number = len(self._answers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._writer.write(json.dumps(message).encode() + b"\0")
        answer: dict[str, Any] = await asyncio.wait_for(self._answers[number], ANSWER_LIMIT_S)
        if "error" in answer:
            raise BrowserFailed(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def _start(self) -> None:
        theirs_in, ours_out = _pipe()
        ours_in, theirs_out = _pipe()
        loop = asyncio.get_running_loop()
        reader = StreamReader(MOST_BYTES)
        reading, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb")
        )
        self._stack.callback(reading.close)
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(ours_out, "wb"))
        self._stack.callback(self._writer.close)
        try:
            self._program = await Program.start(
                [
                    *(self._network.launcher if self._network else ()),
                    *_SHELL,
                    *(str(theirs_in), str(theirs_out)),
                    *(BROWSER, *_OPTIONS, f"--user-data-dir={self._folder / 'profile'}"),
                ],
                _environment(self._folder),
                self._folder / "browser.log",
                pass_fds=[theirs_in, theirs_out],
            )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._stack.push_async_callback(self._program.stop)
        task = asyncio.create_task(self._read(reader))
        self._stack.push_async_callback(_cancel, task)

    async def _read(self, reader: StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                said = json.loads((await reader.readuntil(b"\0"))[:-1])
                if "id" in said:
                    self._answers[said["id"]].set_result(said)
                elif said["method"] == "Page.loadEventFired":
                    self._loaded.set()
                elif said["method"] in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}:
                    self._said.append(json.dumps(said["params"])[:1000])
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(BrowserFailed(f"{BROWSER} ended with\n{self.report()}"))


def _pipe() -> tuple[int, int]:
    """Return both ends of a pipe, with numbers that no redirection of the shell overwrites."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _LOWEST_DESCRIPTOR) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def _environment(folder: Path) -> Mapping[str, str]:
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR")
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **dict.fromkeys(names, str(folder))}


async def _cancel(task: Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
