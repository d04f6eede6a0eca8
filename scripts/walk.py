"""List the modules that execute while the bot handles one dropped file, and one ``ls``.

``python scripts/walk.py`` starts a private Prosody and a bot on it, lets a person do both, and writes the
two lists into ARCHITECTURE.md, between the marks. A module counts if one of its functions is called or
resumed between the person's message and the answer, in any thread. Each walk is taken several times after a
first one that fills the caches; a module that is missing in one of them came from a timer and is left out.

The bot's process runs this file too: with ``traced`` before its own command line.
"""

import asyncio
import os
import signal
import sys
import tempfile
import textwrap
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

from filebot.localserver.botprocess import BotProcess, tables_for, write_config
from filebot.localserver.peer import Peer, Received
from filebot.localserver.prosody import Prosody  # noqa: TID251 - no test: one server will do

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENT: Final = ROOT / "ARCHITECTURE.md"
BEGIN: Final = "<!-- walks: begin; written by scripts/walk.py -->"
END: Final = "<!-- walks: end -->"

TRACED: Final = "traced"
OUTPUT: Final = "FILEBOT_WALK"
"""Environment variable with the file to which the bot's process writes a walk."""

ROUNDS: Final = 5
ANSWER_LIMIT_S: Final = 20.0
SETTLE_S: Final = 2.0
"""Pause before each round, so that nothing of the one before it is still under way."""

WIDTH: Final = 112
"""Columns of the document's lines."""
SHOWN: Final = 3
"""Functions of a module that are printed by name."""

Walk = dict[str, list[str]]
"""Modules in the order of their first call, each with the names of its functions that were called."""


class Recorder:
    """Profile function that notes the bot's own code objects between two signals."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._seen: dict[CodeType, None] | None = None

    def install(self) -> None:
        """Record from SIGUSR1 to SIGUSR2, in this thread and in all that begin later."""
        signal.signal(signal.SIGUSR1, self._start)
        signal.signal(signal.SIGUSR2, self._stop)
        threading.setprofile(self._notice)
        sys.setprofile(self._notice)

    def _notice(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and self._seen is not None:
            self._seen[frame.f_code] = None

    def _start(self, *_: object) -> None:
        self._seen = {}

    def _stop(self, *_: object) -> None:
        seen, self._seen = self._seen or {}, None
        lines = "".join(f"{code.co_filename}\t{code.co_qualname}\n" for code in seen)
        unfinished = self._output.with_suffix(".part")
        unfinished.write_text(lines, encoding="utf-8")
        unfinished.replace(self._output)


def run_traced(command: list[str]) -> None:
    """Run the bot's command line in this process, under the recorder."""
    Recorder(Path(os.environ[OUTPUT])).install()
    from filebot.cli import main  # noqa: PLC0415 - recorded as well

    main(command)


def modules(lines: list[str]) -> Walk:
    """Return the bot's modules among lines of a file and a function."""
    found: Walk = {}
    for line in lines:
        file, _, function = line.partition("\t")
        path = Path(file)
        is_ours = path.is_relative_to(ROOT / "filebot") or path.is_relative_to(ROOT / "plugins")
        if is_ours and path.suffix == ".py":
            found.setdefault(str(path.relative_to(ROOT)), []).append(function)
    return found


def taken(output: Path) -> list[str] | None:
    """Take away what the bot's process has written; None if that is not there yet."""
    if not output.exists():
        return None
    lines = output.read_text(encoding="utf-8").splitlines()
    output.unlink()
    return lines


async def walked(bot: BotProcess, output: Path, act: Callable[[], Awaitable[object]]) -> Walk:
    """Return the modules that execute in every one of some rounds of ``act``."""
    await act()
    walks = []
    for _ in range(ROUNDS):
        await asyncio.sleep(SETTLE_S)
        os.kill(bot.pid, signal.SIGUSR1)
        await act()
        os.kill(bot.pid, signal.SIGUSR2)
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while (lines := taken(output)) is None:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)
        walks.append(modules(lines))
    return {name: functions for name, functions in walks[0].items() if all(name in walk for walk in walks)}


async def both_walks(folder: Path) -> dict[str, Walk]:
    """Let a person drop files and type ``ls``, on a private server."""
    output = folder / "walk"
    os.environ[OUTPUT] = str(output)
    async with AsyncExitStack() as stack:
        server = Prosody(folder / "prosody", users=("alice", "filebot"))
        await stack.enter_async_context(server)
        config = write_config(folder / "config.toml", tables_for(server, f"team@{server.conference}"))
        launcher = (sys.executable, __file__, TRACED)
        bot = await stack.enter_async_context(BotProcess(config, launcher))
        alice = await stack.enter_async_context(await Peer.of(server, "alice"))
        to = server.jid("filebot")

        async def answer() -> None:
            heard = await alice.next_message(lambda each: from_bot(each, to), timeout_s=ANSWER_LIMIT_S)
            sys.stderr.write(f"filebot: {heard.body.splitlines()[0]}\n")

        dropped = 0

        async def drop() -> None:
            nonlocal dropped
            dropped += 1
            file = folder / f"file {dropped}.txt"
            file.write_text(f"This is file {dropped}.\n" * 100, encoding="utf-8")
            await alice.drop(file, to)
            await answer()

        async def ls() -> None:
            alice.say("ls", to)
            await answer()

        return {
            "One dropped file": await walked(bot, output, drop),
            "`ls` in a private chat": await walked(bot, output, ls),
        }


def from_bot(heard: Received, bot: str) -> bool:
    """Tell whether the bot said it."""
    return heard.sender.startswith(f"{bot}/") and heard.kind != "error" and bool(heard.body)


def short(module: str) -> str:
    """Return the name of a module as ARCHITECTURE.md writes it."""
    is_plugin = module.startswith("plugins/")
    return module if is_plugin else module.removeprefix("filebot/").removesuffix(".py")


def section(walks: dict[str, Walk]) -> str:
    """Return the text for the document."""
    parts = [BEGIN]
    for title, walk in walks.items():
        named = ", ".join(f"`{short(name)}`" for name in walk)
        lines = textwrap.wrap(named, WIDTH, break_long_words=False, break_on_hyphens=False)
        parts += ["", f"**{title}: {len(walk)} modules**, in the order of their first call.", "", *lines]
    return "\n".join([*parts, "", END])


def main() -> None:
    """Take both walks, print them and write them down."""
    with tempfile.TemporaryDirectory(prefix="filebot-walk-") as folder:
        walks = asyncio.run(both_walks(Path(folder)))
    for title, walk in walks.items():
        sys.stdout.write(f"{title}: {len(walk)} modules\n")
        for name, functions in walk.items():
            shown = ", ".join(functions[:SHOWN]) + (", ..." if len(functions) > SHOWN else "")
            sys.stdout.write(f"  {name}: {len(functions)} ({shown})\n")
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + section(walks) + after, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == [TRACED]:
        # sys.executable -m filebot run ...: the launcher stands before the bot's own command line.
        run_traced(sys.argv[sys.argv.index("filebot") + 1 :])
    else:
        main()
