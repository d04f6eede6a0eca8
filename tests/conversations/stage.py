"""Private server, a bot on it and people, for one conversation."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from slixmpp import JID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.localserver.botprocess import BotProcess, tables_for, write_config
from filebot.localserver.peer import Peer, Received
from filebot.localserver.server import Server
from tests.conversations.transcript import Line, Transcript
from tests.conversations.web import Web
from tests.servers import private_server
from tests.support.waiting import until

BOT: Final = "filebot"
PEOPLE: Final = ("alice", "bob", "carol")

UPLOAD_LIMIT: Final = 10_000_000
ANSWER_LIMIT_S: Final = 6.0
QUIET_S: Final = 0.4
"""Pause after which the bot has said all that it will."""
SILENCE_S: Final = 1.5
"""The same where no answer is expected."""

CORRECT: Final = "{urn:xmpp:message-correct:0}replace"
REACTIONS: Final = "{urn:xmpp:reactions:0}reactions"
RETRACT: Final = "{urn:xmpp:message-retract:1}retract"
NAME: Final = "{urn:xmpp:file:metadata:0}name"
FEATURES: Final = (
    *("urn:xmpp:message-correct:0", "urn:xmpp:reactions:0", "urn:xmpp:reply:0"),
    *("urn:xmpp:message-retract:0", "urn:xmpp:message-retract:1", "jabber:x:oob", "urn:xmpp:sfs:0"),
)
"""Features of the people's apps."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Specialities of the server and the bot in one conversation."""

    has_uploads: bool = True
    are_acquainted: bool = True
    """Everybody has everybody, the bot included, in their contacts from the start."""
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """More of the bot's config."""


class Stage:
    """Place of one conversation; writes down all that people see of the bot."""

    def __init__(
        self, server: Server, bot: BotProcess, web: Web, folder: Path, stack: AsyncExitStack
    ) -> None:
        self.server = server
        self.web = web
        self.folder = folder
        self.bot = server.jid(BOT)
        self.transcript = Transcript()
        self.troubles: list[str] = []
        """Steps that had fewer answers than expected, or not the expected one."""
        self._process = bot
        self._stack = stack
        self._names: list[str] = []
        self._heard = 0
        """Messages, corrections and reactions of the bot."""
        self._last = 0.0
        self._seen: set[tuple[str, str, str]] = set()
        self._files: list[tuple[Line, Peer, str]] = []

    def address(self, room: str) -> str:
        """Return the address of a room."""
        return f"{room}@{self.server.conference}"

    async def login(self, user: str) -> Peer:
        """Let somebody come online, with an app that shows all that there is."""
        peer = await self._stack.enter_async_context(await Peer.of(self.server, user))
        if user not in self._names:
            self._names.append(user)
        matcher = MatchXPath("{jabber:client}message")
        peer.client.register_handler(Callback("transcript", matcher, lambda _: self._listen(peer)))
        peer.client.register_plugin("xep_0308")
        for feature in FEATURES:
            peer.client.plugin["xep_0030"].add_feature(feature)
        await peer.client.get_roster()
        await peer.client.plugin["xep_0115"].update_caps()
        await peer.until_taken()
        return peer

    @asynccontextmanager
    async def step(
        self, answers: int, what: str, limit_s: float = ANSWER_LIMIT_S, *, until_said: str = ""
    ) -> AsyncIterator[None]:
        """Do something, and write down what the bot says to it.

        Expect this many messages or corrections, and one with a text that fits ``until_said``.
        """
        since, heard = len(self.transcript.lines), self._heard
        yield
        now = asyncio.get_running_loop().time
        begin = self._last = now()
        pause = QUIET_S if answers else SILENCE_S

        def is_over() -> bool:
            is_told = self._heard - heard >= answers and self._is_said(until_said)
            is_answered = is_told or now() - begin > limit_s
            return is_answered and now() - self._last > pause

        await until(is_over, limit_s + ANSWER_LIMIT_S * 3)
        count = self._heard - heard
        if count < answers or not self._is_said(until_said):
            self.troubles.append(f"{count} answers instead of {answers}: {what}")
        await self._fetch_files()
        self.transcript.sort(since + 1, self._names)

    def _is_said(self, pattern: str) -> bool:
        texts = [line.text for line in self.transcript.lines if line.who == BOT]
        return not pattern or any(re.search(pattern, text) for text in texts)

    def incidents(self) -> list[str]:
        """Return what the bot's log complains of."""
        return [line for line in self._process.log if " ERROR " in line or "Traceback" in line]

    def _listen(self, peer: Peer) -> None:
        # The peer's own handler came first.
        heard = peer.messages[-1]
        is_private = JID(heard.sender).bare == self.bot
        is_in_room = JID(heard.sender).resource == BOT and self.server.conference in heard.sender
        if heard.kind == "error" or not (is_private or is_in_room):
            return
        room = "" if is_private else str(JID(heard.sender).user)
        to = "" if heard.kind == "groupchat" else peer.user
        key = (heard.sender, to, heard.element.get("id", "") + heard.body)
        if key in self._seen:
            return  # another occupant had it
        self._seen.add(key)
        if self._take(peer, heard, room, to):
            self._last = asyncio.get_running_loop().time()

    def _take(self, peer: Peer, heard: Received, room: str, to: str) -> bool:
        stanza = heard.element
        lines = self.transcript.by_id
        reactions = stanza.find(REACTIONS)
        if reactions is not None:
            signs = "".join(each.text or "" for each in reactions)
            self._heard += 1
            self.transcript.lines.append(Line(BOT, to, room, f"[reacts to it with {signs}]"))
            return True
        if (taken := stanza.find(RETRACT)) is not None:
            if (line := lines.get(taken.get("id", ""))) is not None:
                line.is_gone = True
            return True
        if not heard.body:
            return False
        if (replaced := stanza.find(CORRECT)) is not None and replaced.get("id") in lines:
            line = lines[replaced.get("id", "")]
            line.text, line.edits = heard.body, line.edits + 1
            self._heard += 1
        else:
            line = Line(BOT, to, room, heard.body)
            self._heard += 1
            self.transcript.lines.append(line)
        lines[stanza.get("id", "")] = line
        if heard.url is not None:
            line.text = f"[file {_name(stanza, heard.url)}]"
            if heard.body != heard.url:
                line.text += f" {heard.body}"
            self._files.append((line, peer, heard.url))
        return True

    async def _fetch_files(self) -> None:
        for line, peer, url in self._files:
            size = len(await peer.download(url))
            line.text = line.text.replace("]", f", {size_text(size)}]", 1)
        self._files.clear()


def _name(stanza: Element, url: str) -> str:
    names = [each.text for each in stanza.iter(NAME) if each.text]
    return names[0] if names else unquote(url.rpartition("/")[2])


def size_text(size: int) -> str:
    """Return a size as people write it."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000 or unit == "MB":
            break
        size /= 1000  # type: ignore[assignment]
    return f"{size:.3g} {unit}"


@asynccontextmanager
async def staged(folder: Path, settings: Settings) -> AsyncIterator[Stage]:
    """Start a server and a bot on it."""
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(Web())
        server = private_server(
            folder / "server",
            users=(*PEOPLE, BOT),
            acquainted=settings.are_acquainted,
            log_level="info",
            upload_limit_bytes=UPLOAD_LIMIT if settings.has_uploads else None,
        )
        await stack.enter_async_context(server)
        tables = tables_for(server, "")
        tables["rooms"] = {"join": []}
        tables["access"] = {"admins": []}
        tables["network"]["allow_insecure"] = True
        for name, table in settings.tables.items():
            tables[name] = {**tables.get(name, {}), **table}
        bot = BotProcess(write_config(folder / "config.toml", tables))
        await stack.enter_async_context(bot)
        yield Stage(server, bot, web, folder, stack)
