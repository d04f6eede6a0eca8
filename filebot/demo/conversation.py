"""``make demo``: a short conversation with real files on a private server, then an invitation."""

import asyncio
import hashlib
import re
import signal
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from filebot.demo.samples import write_samples
from filebot.errors import FilebotError
from filebot.localserver.botprocess import BotEnded, BotProcess, tables_for, write_config
from filebot.localserver.peer import Peer, Received
from filebot.localserver.prosody import Prosody

ROOM: Final = f"team@{Prosody.conference}"
REPLY_LIMIT_S: Final = 20.0

_RECORD: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ")
"""Beginning of a record in the bot's log, with its level."""


class Failed(FilebotError):
    """A step of the demo did not go as it should."""


class Scene:
    """The people, the bot and what they say to each other, printed as it happens."""

    def __init__(self, console: Console, alice: Peer, bob: Peer, bot: str) -> None:
        self._console = console
        self._alice = alice
        self._bob = bob
        self._bot = bot

    async def drop(self, path: Path, expected: str) -> None:
        """Alice drags a file onto the bot."""
        self._print("alice", f"[drops {path.name}]")
        await self._alice.drop(path, self._bot)
        await self._heard(self._alice, expected)

    async def ask(self, text: str, expected: str) -> None:
        """Alice writes to the bot."""
        self._print("alice", text)
        self._alice.say(text, self._bot)
        await self._heard(self._alice, expected)

    async def get(self, text: str, original: Path) -> None:
        """Alice asks for a file and it is the same, byte for byte."""
        self._print("alice", text)
        self._alice.say(text, self._bot)
        await self._same(self._alice, original)

    async def share(self, text: str, original: Path) -> None:
        """Alice sends a file into the room, where Bob gets it."""
        self._print("alice", text)
        self._alice.say(text, self._bot)
        await self._same(self._bob, original)
        await self._heard(self._bob, 'is from "alice"')

    async def ask_in_room(self, text: str, expected: str) -> None:
        """Bob writes in the room."""
        self._print("bob, in the room", text)
        self._bob.say(text, ROOM, mtype="groupchat")
        await self._heard(self._bob, expected)

    async def get_in_room(self, text: str, original: Path) -> None:
        """Bob asks for a file in the room."""
        self._print("bob, in the room", text)
        self._bob.say(text, ROOM, mtype="groupchat")
        await self._same(self._bob, original)
        await self._heard(self._bob, 'is from "alice"')

    async def _heard(self, person: Peer, expected: str) -> None:
        heard = await self._next(person, lambda each: each.url is None)
        self._print("filebot", heard.body)
        if expected not in heard.body:
            raise Failed(f"expected {expected!r} in the reply")

    async def _same(self, person: Peer, original: Path) -> None:
        heard = await self._next(person, lambda each: each.url is not None)
        self._print("filebot", f"[sends {original.name}] {heard.body}")
        received = _sha256(await person.download(heard.body))
        sent = _sha256(await asyncio.to_thread(original.read_bytes))
        if received != sent:
            raise Failed(f"sha-256 of what came back is {received}, of what was sent {sent}")
        self._console.print(f"  [green]✓[/] [dim]sha-256 {sent[:16]}… is the same[/]")

    async def _next(self, person: Peer, wanted: Callable[[Received], bool]) -> Received:
        def from_bot(heard: Received) -> bool:
            from_room = heard.sender == f"{ROOM}/filebot"
            return (from_room or heard.sender.startswith(f"{self._bot}/")) and wanted(heard)

        try:
            return await person.next_message(from_bot, timeout_s=REPLY_LIMIT_S)
        except TimeoutError as error:
            raise Failed(f"no answer within {REPLY_LIMIT_S:.0f} seconds") from error

    def _print(self, who: str, text: str) -> None:
        style = "cyan" if who == "filebot" else "bold"
        first, *others = escape(text).splitlines()
        self._console.print(f"  [{style}]{who}:[/] {first}", highlight=False)
        for line in others:
            self._console.print(" " * (len(who) + 4) + line, highlight=False)


class Troubles:
    """Printer of what the bot's log complains of, for authors of plugins."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def hear(self, line: str) -> None:
        """Print a record of the log if it complains, its traceback in lines."""
        record = _RECORD.match(line)
        if record is not None and record[1] != "INFO":
            _complain(self._console, line.replace("\\n", "\n"))


def main(once: bool, plugins: Sequence[Path] = ()) -> int:
    """Play the demo; stay up afterwards unless ``once``. The bot loads the ``plugins`` of these folders.

    Return the exit code: 1 if any step failed.
    """
    console = Console()
    try:
        return asyncio.run(_demo(console, once=once, plugins=plugins))
    except BotEnded as error:
        _complain(console, f"the bot ended:\n{error}")
        return 1


async def _demo(console: Console, *, once: bool, plugins: Sequence[Path]) -> int:
    with tempfile.TemporaryDirectory(prefix="filebot-demo-") as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            console.print("[bold]filebot demo[/]: starting a private server, a bot and two people ...")
            server = Prosody(folder / "prosody", users=("alice", "bob", "filebot"))
            await stack.enter_async_context(server)
            tables = {**tables_for(server, ROOM), "plugins": {"paths": list(plugins)}}
            config = write_config(folder / "config.toml", tables)
            troubles = Troubles(console) if plugins else None
            bot = BotProcess(config, hear=troubles.hear if troubles else lambda _: None)
            await stack.enter_async_context(bot)
            alice = await stack.enter_async_context(await Peer.of(server, "alice"))
            bob = await stack.enter_async_context(await Peer.of(server, "bob"))
            await alice.join(ROOM, "alice")
            await bob.join(ROOM, "bob")
            scene = Scene(console, alice, bob, server.jid("filebot"))
            if not await _play(console, scene, write_samples(folder)):
                console.print("\n".join(bot.log), style="dim", markup=False)
                return 1
            if not once:
                _invite(console, server)
                await _until_interrupted()
    return 0


async def _play(console: Console, scene: Scene, samples: list[Path]) -> bool:
    report, beach, notes = samples
    steps: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("Alice drops a file", lambda: scene.drop(report, "Stored")),
        ("a picture", lambda: scene.drop(beach, "PNG image")),
        ("and a text", lambda: scene.drop(notes, "Markdown")),
        ("The same bytes again are no second copy", lambda: scene.drop(report, "I already have that one")),
        ("She looks what is there", lambda: scene.ask("ls", "You have 3 files")),
        ("and gets a file back by the beginning of its name", lambda: scene.get("get annual", report)),
        (
            "A slip of the finger is forgiven",
            lambda: scene.ask("get baech.png", "Did you mean: get beach.png?"),
        ),
        (
            "She shares the report with the room",
            lambda: scene.share(f"send Annual report.pdf to {ROOM}", report),
        ),
        ("where Bob sees what there is", lambda: scene.ask_in_room("!ls", "Annual report.pdf")),
        ("and gets it", lambda: scene.get_in_room("filebot: get annual report.pdf", report)),
        ("What is not shared stays private", lambda: scene.ask_in_room("!get beach.png", "no file")),
    ]
    columns = (TextColumn("[dim]demo[/]"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("demo", total=len(steps))
        for title, play in steps:
            try:
                await play()
            except FilebotError as error:
                console.print(f"[red]✗ {title}: {escape(str(error))}[/]")
                return False
            console.print(f"[green]✓[/] [dim]{title}[/]")
            progress.advance(task)
    console.print(f"[green]✓ all {len(steps)} steps went as they should[/]")
    return True


def _complain(console: Console, text: str) -> None:
    console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def _invite(console: Console, server: Prosody) -> None:
    console.print("\n[bold]Now you.[/] The server stays up until you press Ctrl-C. In any XMPP client:")
    for user in ("alice", "bob"):
        console.print(f"  account {server.jid(user)}, password {server.password(user)}", highlight=False)
    console.print(
        f"  server 127.0.0.1, port {server.c2s_port}, certificate {server.ca_file}", highlight=False
    )
    console.print(f"  write to {server.jid('filebot')}, or join the room {ROOM}", highlight=False)


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
