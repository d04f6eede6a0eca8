"""Gajim 1.7, driven from inside by our plugin ``gajim_plugin``."""

import asyncio
import json
import shutil
import sqlite3
import uuid
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from filebot.localserver.server import Server
from tests.interop.desktop import (
    REPLY_LIMIT_S,
    TRANSFER_LIMIT_S,
    Arrival,
    DesktopClient,
    Program,
    Sending,
)
from tests.interop.network import ADDRESS_OUTSIDE, Network
from tests.interop.shown import Contact, Kind, Shown
from tests.interop.trace import MoveBy

PLUGIN: Final = Path(__file__).with_name("gajim_plugin")
START_LIMIT_S: Final = 40.0
ANSWER_LIMIT_S: Final = 15.0
OFFER_LIMIT_S: Final = 20.0
FAILED: Final = {"file-error", "file-request-error", "file-send-error", "http-upload-error"}

_SETTINGS: Final = {
    "use_keyring": False,
    "check_for_update": False,
    "plugins_update_check": False,
    "show_notifications": False,
    "show_main_window_on_startup": "always",
    "autoaway": False,
    "autoxa": False,
}


class Gajim(DesktopClient):
    """Gajim as Debian packages it, with one plugin more."""

    name = "gajim"
    # Gajim refuses to run as root, and the bus insists on users with a name, so root is mapped to nobody.
    wrapper = ("unshare", "--user", "--map-user=nobody", "--map-group=nogroup")

    def __init__(self, network: Network, server: Server, user: str, folder: Path) -> None:
        super().__init__(network, server, user, folder)
        self.events: list[dict[str, Any]] = []
        """Events that it told, in order."""
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._writer: StreamWriter | None = None
        self._plugin: asyncio.Server | None = None

    async def _prepare(self) -> None:
        plugin = self.desktop.home / "data/gajim/plugins/testdriver"
        shutil.copytree(PLUGIN, plugin, ignore=shutil.ignore_patterns("__pycache__"))
        self._write_settings()
        self._plugin = await asyncio.start_unix_server(self._listen, self._folder / "plugin")

    def _write_settings(self) -> None:
        account = {
            "name": self._user,
            "address": self.jid,
            "hostname": self._server.host,
            "resource": self.name,
            "account_label": self._user,
            "active": True,
            "autoconnect": True,
            "savepass": True,
            "password": self._server.password(self._user),
            "use_custom_host": True,
            # Not the loopback: Gajim offers the address from which it connects.
            "custom_host": ADDRESS_OUTSIDE,
            "custom_port": self._server.c2s_port,
            "custom_type": "START TLS",
        }
        workspace = {"name": "Tests", "color": "rgb(0,0,0)", "avatar_sha": "", "chats": []}
        settings: dict[str, object] = {
            "app": _SETTINGS,
            "soundevents": {},
            "status_presets": {},
            "proxies": {},
            "plugins": {"testdriver": {"active": True}},
            "workspaces": {str(uuid.uuid4()): workspace},
        }
        folder = self.desktop.home / "config/gajim"
        folder.mkdir()
        with closing(sqlite3.connect(folder / "settings.sqlite")) as connection, connection:
            connection.execute("CREATE TABLE settings (name TEXT UNIQUE, settings TEXT)")
            connection.execute("CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT)")
            rows = [(name, json.dumps(value)) for name, value in settings.items()]
            connection.executemany("INSERT INTO settings VALUES (?, ?)", rows)
            row = (self._user, json.dumps({"account": account, "contact": {}, "group_chat": {}}))
            connection.execute("INSERT INTO account_settings VALUES (?, ?)", row)
            connection.execute("PRAGMA user_version = 5")

    async def _launch(self) -> Program:
        environment = {"TEST_DRIVER": str(self._folder / "plugin")}
        return await self.desktop.start("gajim", "-l", "gajim.c=INFO", environment=environment)

    async def _until_online(self) -> None:
        await self.until(self._connected, "login", START_LIMIT_S)

    async def _connected(self) -> bool | None:
        return (self._writer is not None and await self.ask("connected")) or None

    async def offered(self, jid: str) -> dict[str, bool]:
        """Return whether a file can be sent to ``jid`` by ``http`` and by ``jingle``."""
        offered: dict[str, bool] = await self.ask("offered", jid=jid)
        return offered

    async def chat(self, to: str, text: str, *beginnings: str, limit_s: float = REPLY_LIMIT_S) -> str:
        """Send a message and return the first answer that begins with one of ``beginnings``, if given."""
        told = len(self.events)
        await self.ask("say", jid=to, text=text)
        return await self.said(to, *beginnings, since=told, limit_s=limit_s)

    async def said(self, by: str, *beginnings: str, since: int = 0, limit_s: float = REPLY_LIMIT_S) -> str:
        """Return the first message after ``since`` events that begins with one of ``beginnings``."""

        async def answer() -> str | None:
            texts = (
                str(e["text"]) for e in self.events[since:] if (e["event"], e["jid"]) == ("message", by)
            )
            return next((text for text in texts if text.startswith(beginnings or "")), None)

        return await self.until(answer, f"message of {by}", limit_s)

    async def until_offered(self, jid: str, how: str) -> None:
        """Wait until a file can be sent to ``jid`` so: up to ten seconds after its presence."""

        async def offered() -> bool | None:
            return (await self.offered(jid))[how] or None

        await self.until(offered, f"way to send {jid} a file by {how}", OFFER_LIMIT_S)

    async def device(self, jid: str) -> str:
        """Wait until a contact is online; return the full JID of one of its devices."""

        async def device() -> str | None:
            return next(iter(await self.ask("devices", jid=jid)), None)

        return await self.until(device, f"presence of {jid}", REPLY_LIMIT_S)

    async def join(self, room: str, nick: str) -> None:
        """Enter a room."""

        async def joined() -> bool | None:
            return await self.ask("join", jid=room, nick=nick) or None

        await self.until(joined, f"way into {room}", REPLY_LIMIT_S)

    async def send(
        self, to: str, path: Path, *, directly: bool = False, limit_s: float = TRANSFER_LIMIT_S
    ) -> Sending:
        """Upload a file and send the link, or send the file by Jingle."""
        told, before = len(self.events), self.log_size()
        if not await self.ask("send", jid=to, paths=[str(path)], directly=directly):
            return Sending(offered=False)

        async def ended() -> Sending | None:
            kinds = {event["event"] for event in self.events[told:]}
            if kinds & FAILED:
                return Sending(True, state="failed")
            if not directly:
                return Sending(True, MoveBy.UPLOAD, "success") if "message-sent" in kinds else None
            return self.ended_session(before, to) if "file-completed" in kinds else None

        return await self.until(ended, f"end of {path.name}", limit_s)

    async def received(self, url: str, *, limit_s: float = TRANSFER_LIMIT_S) -> Arrival:
        """Download the file of a link that was received."""

        async def found() -> list[str] | None:
            found: list[str] | None = await self.ask("download", url=url)
            return found

        path, name = await self.until(found, f"file behind {url}", limit_s)
        return Arrival(Path(path), name, "http")

    async def ask_for(self, jid: str, text: str) -> None:
        """Write a message."""
        await self.ask("say", jid=jid, text=text)

    async def give(self, jid: str, paths: Sequence[Path]) -> None:
        """Upload files, all at once."""
        assert await self.ask("send", jid=jid, paths=[str(path) for path in paths], directly=False)

    async def shown(self, jid: str) -> list[Shown]:
        """Open the chat with somebody, and return what it shows of their messages."""
        return [Shown(Kind(kind), text) for kind, text in await self.ask("shown", jid=jid)]

    async def contact(self, jid: str) -> Contact:
        """Return what the chat list shows of a contact."""
        return Contact(*await self.ask("contact", jid=jid))

    async def picture(self, path: Path) -> Path:
        """Write what the screen shows as PNG, and return the path."""
        return self.desktop.screenshot(path)

    async def ask(self, what: str, **values: object) -> Any:
        """Let the plugin do something, and return its answer."""
        assert self._writer is not None
        number = len(self._answers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps({"id": number, "do": what, **values}).encode() + b"\n")
        return await asyncio.wait_for(self._answers[number], ANSWER_LIMIT_S)

    async def _listen(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writer = writer
        async for line in reader:
            said = json.loads(line)
            if "event" in said:
                self.events.append(said)
            elif "error" in said:
                self._answers[said["id"]].set_exception(RuntimeError(said["error"]))
            else:
                self._answers[said["id"]].set_result(said["answer"])

    async def stop(self) -> None:
        await super().stop()
        if self._writer is not None:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
        if self._plugin is not None:
            self._plugin.close()
            await self._plugin.wait_closed()
