"""Hundreds of people in one process: an external component (XEP-0114) whose addresses enter a room.

It reads what comes with regular expressions and makes no objects of it: every one of n occupants is told of
every other, and a client library would be busy with that for minutes. It is for rooms of a server that
writes plain XML to its own tests, and for nothing else.
"""

import asyncio
import hashlib
import html
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

from filebot.localserver.server import ComponentLogin

LIMIT_S = 120.0
READ_BYTES = 1 << 20

_MESSAGE = re.compile(rb"<message\b[^>]*?(?:/>|>.*?</message>)", re.DOTALL)
_OPENING = rb"<message"
_ABOUT_THEMSELVES = re.compile(rb"\bcode=['\"]110['\"]")


@dataclass(frozen=True)
class Heard:
    """Message to one of the crowd."""

    sender: str
    kind: str
    body: str


class Crowd:
    """Crowd of ``size`` people ``p0``, ``p1`` ...: ``async with Crowd(login, 500) as crowd``."""

    def __init__(self, login: ComponentLogin, size: int) -> None:
        self.size = size
        self.heard: defaultdict[int, list[Heard]] = defaultdict(list)
        """Messages with words that each of them heard, in order."""
        self.entered = 0
        """Count of entries into rooms that the room confirmed."""
        self.put_out = 0
        """Count of notices that a room was destroyed."""
        self._login = login
        self._rest = b""
        self._reading: asyncio.Task[None] | None = None
        self._came = asyncio.Event()

    async def __aenter__(self) -> Self:
        login = self._login
        self._reader, self._writer = await asyncio.open_connection(login.host, login.port, limit=READ_BYTES)
        self._write(
            f"<stream:stream xmlns='jabber:component:accept' to='{login.domain}' "
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        header = await asyncio.wait_for(self._reader.readuntil(b"<stream:stream"), LIMIT_S)
        header = await asyncio.wait_for(self._reader.readuntil(b">"), LIMIT_S)
        found = re.search(rb"\bid=['\"]([^'\"]+)", header)
        assert found is not None, header
        proof = hashlib.sha1(found[1] + login.secret.encode(), usedforsecurity=False).hexdigest()
        self._write(f"<handshake>{proof}</handshake>")
        await asyncio.wait_for(self._reader.readuntil(b"handshake"), LIMIT_S)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()
        await self._writer.wait_closed()

    def jid(self, number: int) -> str:
        """Return the full JID of a member."""
        return f"p{number}@{self._login.domain}/phone"

    async def enter(self, room: str, who: range) -> None:
        """Let some members enter the room and wait until it has confirmed the last one."""
        before = self.entered
        x = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
        for number in who:
            self._presence(number, f"{room}/p{number}", x)
        await self.until(lambda: self.entered >= before + len(who))

    def rename(self, number: int, room: str, nick: str) -> None:
        """Change the nick of a member."""
        self._presence(number, f"{room}/{nick}")

    def say(self, number: int, to: str, text: str, *, kind: str = "chat", url: str = "") -> None:
        """Send a message of a member, or a link as clients send files (XEP-0066)."""
        more = f"<x xmlns='jabber:x:oob'><url>{escape(url)}</url></x>" if url else ""
        self._write(
            f"<message from='{self.jid(number)}' to='{escape(to)}' type='{kind}'>"
            f"<body>{escape(text)}</body>{more}</message>"
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is checked as messages arrive. Raises TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._came.clear()
                await self._came.wait()

    def _presence(self, number: int, to: str, content: str = "") -> None:
        self._write(f"<presence from='{self.jid(number)}' to='{escape(to)}'>{content}</presence>")

    def _write(self, text: str) -> None:
        self._writer.write(text.encode())

    async def _read(self) -> None:
        while data := await self._reader.read(READ_BYTES):
            text = self._rest + data
            # Up to the last whole stanza: the rest may end anywhere.
            end = max(text.rfind(b"</presence>"), text.rfind(b"</message>"), text.rfind(b"</iq>"))
            end = 0 if end < 0 else text.index(b">", end) + 1
            self._rest, whole = text[end:], text[:end]
            self.entered += len(_ABOUT_THEMSELVES.findall(whole))
            self.put_out += whole.count(b"<destroy")
            if _OPENING in whole:
                for each in _MESSAGE.findall(whole):
                    self._keep(each)
            self._came.set()

    def _keep(self, stanza: bytes) -> None:
        text = stanza.decode()
        body = re.search(r"<body[^>]*>(.*?)</body>", text, re.DOTALL)
        number = re.match(r"p(\d+)@", _attribute(text, "to"))
        if body is not None and number is not None:
            heard = Heard(_attribute(text, "from"), _attribute(text, "type"), html.unescape(body[1]))
            self.heard[int(number[1])].append(heard)


def _attribute(stanza: str, name: str) -> str:
    found = re.search(rf"\s{name}=(['\"])(.*?)\1", stanza.partition(">")[0])
    return "" if found is None else html.unescape(found[2])
