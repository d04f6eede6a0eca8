"""Dino 0.4, driven by keys and clicks; the results are read from its database and the server's log."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from tests.interop.desktop import (
    REPLY_LIMIT_S,
    TRANSFER_LIMIT_S,
    Arrival,
    DesktopClient,
    Program,
    Sending,
)
from tests.interop.shown import Contact, Kind, Shown
from tests.interop.trace import MoveBy

ACCOUNT: Final = 1
START_LIMIT_S: Final = 30.0
CHOOSER_LIMIT_S: Final = 3.0
PAPERCLIP_TRIES: Final = 5
CLICK_LIMIT_S: Final = 2.0
SETTLE_S: Final = 0.5
AUTOMATIC_BYTES: Final = 5_000_000
"""Size below which a file of a contact is taken unasked."""

# Places in a window that fills the screen.
PAPERCLIP: Final = (338, 713)
LATEST_FILES: Final = ((400, 655), (400, 595), (400, 550))

_SHOWN: Final = """\
SELECT m.body, f.file_name, f.mime_type, f.state, f.path FROM content_item c
JOIN conversation t ON t.id = c.conversation_id JOIN jid j ON j.id = t.jid_id
LEFT JOIN message m ON c.content_type = 1 AND m.id = c.foreign_id
LEFT JOIN file_transfer f ON c.content_type = 2 AND f.id = c.foreign_id
WHERE NOT c.hide AND j.bare_jid = ? AND ? IN (m.direction, f.direction) ORDER BY c.time, c.id"""
_STATE: Final = re.compile(r"<\{http://jabber.org/protocol/chatstates\}:(\w+)")

# libdino/src/entity/file_transfer.vala and message.vala.
COMPLETE: Final = 0
NOT_STARTED: Final = 2
FAILED: Final = 3
METHODS: Final = {0: "http", 1: "jingle"}
RECEIVED: Final = 0
SENT: Final = 1


class Dino(DesktopClient):
    """Dino with a conversation for each other user of the server."""

    name = "dino"
    _last_arrival = 0

    async def chat(self, to: str, text: str, *beginnings: str, limit_s: float = REPLY_LIMIT_S) -> str:
        """Send a message and return the first answer that begins with one of ``beginnings``, if given."""
        since = self.last_message()
        await self.say(to, text)
        return await self.said(to, *beginnings, since=since, limit_s=limit_s)

    async def say(self, to: str, text: str) -> None:
        """Write a message."""
        await self._open(to)
        await self.desktop.type(text)
        await self.desktop.press("Return")

    def last_message(self) -> int:
        """Return the id of the latest message, for ``said``."""
        [(last,)] = self._rows("SELECT coalesce(max(id), 0) FROM message")
        return int(last)

    async def said(self, by: str, *beginnings: str, since: int = 0, limit_s: float = REPLY_LIMIT_S) -> str:
        """Return the first message of ``by`` after id ``since`` that begins with one of ``beginnings``."""
        query = (
            "SELECT body FROM message m JOIN jid j ON j.id = m.counterpart_id"
            " WHERE m.id > ? AND direction = ? AND j.bare_jid = ? ORDER BY m.id"
        )

        async def said() -> str | None:
            bodies = (str(body) for (body,) in self._rows(query, since, RECEIVED, by))
            return next((body for body in bodies if body.startswith(beginnings or "")), None)

        return await self.until(
            said, f"message of {by} that begins with {beginnings or 'anything'}", limit_s
        )

    async def send(self, to: str, path: Path, *, limit_s: float = TRANSFER_LIMIT_S) -> Sending:
        """Send a file by the way that Dino chooses: by upload, if the server takes it."""
        await self._open(to)
        [(last,)] = self._rows("SELECT coalesce(max(id), 0) FROM file_transfer")
        before = self.log_size()
        if not await self._choose(to, path):
            return Sending(offered=False)

        async def ended() -> Sending | None:
            # The state is COMPLETE from the beginning on, so it does not show success.
            for state, info in self._rows("SELECT state, info FROM file_transfer WHERE id > ?", last):
                if state == FAILED:
                    return Sending(True, state="failed")
                if info:  # the number of the message with the link
                    return Sending(True, MoveBy.UPLOAD, "success")
            return self.ended_session(before, to)

        return await self.until(ended, f"end of {path.name}", limit_s)

    async def received(self, by: str, *, limit_s: float = TRANSFER_LIMIT_S) -> Arrival:
        """Return the next file of ``by``; click on it if Dino does not accept it by itself."""
        query = (
            "SELECT f.id, file_name, path, provider, state, size FROM file_transfer f"
            " JOIN jid j ON j.id = f.counterpart_id WHERE f.id > ? AND direction = ? AND j.bare_jid = ?"
            " ORDER BY f.id LIMIT 1"
        )

        async def offered() -> tuple[int, bool] | None:
            for number, _, _, _, state, size in self._rows(query, self._last_arrival, RECEIVED, by):
                return number, state == NOT_STARTED and size >= AUTOMATIC_BYTES
            return None

        async def arrived() -> Arrival | None:
            [(_, name, path, provider, state, _)] = self._rows(query, number - 1, RECEIVED, by)
            if state == FAILED:
                raise AssertionError(f"Dino did not get {name}; {self.report()}")
            if state != COMPLETE or path is None:  # it begins with COMPLETE
                return None
            return Arrival(self.desktop.home / "data/dino/files" / path, name, METHODS[provider])

        number, asks = await self.until(offered, f"file of {by}", limit_s)
        self._last_arrival = number
        if asks:
            await self._open(by)
            await self._click_on_file(number)
        return await self.until(arrived, f"whole file of {by}", limit_s)

    async def ask_for(self, jid: str, text: str) -> None:
        """Write a message."""
        await self.say(jid, text)

    async def give(self, jid: str, paths: Sequence[Path]) -> None:
        """Send files, one after the other as Dino does."""
        for path in paths:
            assert await self.send(jid, path) == Sending(True, MoveBy.UPLOAD, "success")

    async def shown(self, jid: str) -> list[Shown]:
        """Return what the chat shows of somebody's messages."""
        found = []
        for body, name, kind, state, path in self._rows(_SHOWN, jid, RECEIVED):
            if name is None:
                found.append(Shown(Kind.TEXT, body))
            else:
                arrived = state == COMPLETE and path is not None
                is_picture = arrived and str(kind).startswith("image/")
                found.append(Shown(Kind.PICTURE if is_picture else Kind.CARD, name))
        return found

    async def contact(self, jid: str) -> Contact:
        """Return what Dino knows of a contact; the state is that of its last stanza with one."""
        assert self._program is not None
        [(name,)] = self._rows("SELECT name FROM roster WHERE jid = ?", jid)
        query = "SELECT hash FROM contact_avatar a JOIN jid j ON j.id = a.jid_id WHERE j.bare_jid = ?"
        folder = self.desktop.home / "data/dino/avatars"
        has_avatar = any((folder / digest).exists() for (digest,) in self._rows(query, jid))
        messages = self._program.said().split("<{jabber:client}:message ")
        received = "".join(each for each in messages if f"from='{jid}/" in each.partition("\n")[0])
        states = _STATE.findall(received)
        return Contact(name or jid, has_avatar, states[-1] if states else None)

    async def picture(self, path: Path) -> Path:
        """Write what the screen shows as PNG, and return the path."""
        return self.desktop.screenshot(path)

    async def _click_on_file(self, number: int) -> None:
        """Click on the file, which stands above what was said after it."""

        async def taken() -> bool | None:
            [(state, path)] = self._rows("SELECT state, path FROM file_transfer WHERE id = ?", number)
            return state != NOT_STARTED or path is not None or None

        for place in LATEST_FILES:
            await self.desktop.click(*place)
            with suppress(TimeoutError):
                await self.until(taken, "file that was clicked on", CLICK_LIMIT_S)
                return

    async def _choose(self, to: str, path: Path) -> bool:
        """Choose a file to send in the file dialog; return whether Dino offers the dialog."""
        [(another,)] = self._rows(
            "SELECT bare_jid FROM jid WHERE bare_jid NOT IN (?, ?) LIMIT 1", self.jid, to
        )
        for _ in range(PAPERCLIP_TRIES):
            await self.desktop.click(*PAPERCLIP)
            with suppress(TimeoutError):
                await self._until_windows(2)
                break
            # COMPAT(Dino, 0.4): when a way to send becomes available, the window is not always updated.
            await self._open(another)
            await self._open(to)
        else:
            return False
        await asyncio.sleep(SETTLE_S)
        await self.desktop.type(str(path))
        await asyncio.sleep(SETTLE_S)
        await self.desktop.press("Return")
        await self._until_windows(1)
        await asyncio.sleep(SETTLE_S)
        await self.desktop.press("Return")  # the button below the preview
        return True

    async def _until_windows(self, number: int, limit_s: float = CHOOSER_LIMIT_S) -> list[str]:
        async def windows() -> list[str] | None:
            found = await self.desktop.windows(self.name)
            return found if len(found) == number else None

        return await self.until(windows, f"windows of that number: {number}", limit_s)

    async def _open(self, jid: str) -> None:
        """Show the conversation with somebody, ready to type."""
        query = "SELECT c.id FROM conversation c JOIN jid j ON j.id = c.jid_id WHERE j.bare_jid = ?"
        [(number,)] = self._rows(query, jid)
        await self.desktop.activate("im.dino.Dino", "/im/dino/Dino", "open-conversation", f"[<{number}>]")
        await asyncio.sleep(SETTLE_S)

    @property
    def _database(self) -> Path:
        return self.desktop.home / "data/dino/dino.db"

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._database, timeout=10)) as connection, connection:
            return connection.execute(query, values).fetchall()

    async def _prepare(self) -> None:
        # Dino makes its tables on its first start.
        self._program = await self._launch()
        await self.until(self._has_tables, "tables", START_LIMIT_S)
        await self._program.stop()
        self._rows(
            "INSERT INTO account (id, bare_jid, resourcepart, password, enabled, mam_earliest_synced)"
            " VALUES (?, ?, ?, ?, 1, 0)",
            ACCOUNT,
            self.jid,
            self.name,
            self._server.password(self._user),
        )
        now = int(time.time())
        for user in self._server.users:
            if user != self._user:
                self._rows("INSERT INTO jid (bare_jid) VALUES (?)", self._server.jid(user))
        # Dino takes no files from somebody with whom it has no conversation.
        self._rows(
            "INSERT INTO conversation (account_id, jid_id, active, active_last_changed, last_active, type,"
            " encryption, read_up_to, notification, send_typing, send_marker)"
            " SELECT ?, id, 1, ?, ?, 0, 0, -1, 0, 0, 0 FROM jid",
            *(ACCOUNT, now, now),
        )

    async def _has_tables(self) -> bool | None:
        # Before Dino has switched to a write-ahead log, a reader would lock it out of its database.
        if not self._database.with_name(f"{self._database.name}-wal").exists():
            return None
        with suppress(sqlite3.OperationalError):
            # This setting is the last that Dino writes at its start.
            return self._rows("SELECT 1 FROM settings WHERE key = 'window_width'") != [] or None
        return None

    async def _launch(self) -> Program:
        environment = {"GSK_RENDERER": "cairo"}
        return await self.desktop.start("dino-im", "--print-xmpp", "all", environment=environment)

    async def _until_online(self) -> None:
        await self.until(self._sees_itself, "login", START_LIMIT_S)
        [window] = await self._until_windows(1, START_LIMIT_S)
        await self.desktop.fill_the_screen(window)

    async def _sees_itself(self) -> bool | None:
        assert self._program is not None
        return f"{{jabber:client}}:from='{self.jid}/{self.name}'" in self._program.said() or None
