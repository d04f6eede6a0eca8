"""Ad-hoc commands without a server: scripted commands, and clients that send raw requests."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from xml.etree.ElementTree import Element, fromstring

import pytest

from filebot.errors import FilebotError
from filebot.model import Address, BareJid, Occupant, Sender
from filebot.protocol.adhoc import COMMANDS
from filebot.protocol.adhoc_sessions import CommandLimits
from filebot.protocol.data_form import DATA_FORM
from filebot.protocol.stanza_error import StanzaError, read_error
from filebot.xmpp.bytestreams.iq_fast_path import IqFastPath
from filebot.xmpp.commands.adhoc import AdHocCommands
from filebot.xmpp.commands.runner import CommandRunner
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream_setup import build
from filebot.xmpp.handlers import Handlers
from filebot.xmpp.messages.reader import Reader
from tests.support.scripted_commands import ScriptedCommands
from tests.unit.transfer.leaks import nothing_left

BOT = "bot@example.org/filebot"
ANNA = "anna@example.org/phone"
ROOM = "den@conference.example.org"


class Rooms:
    """One room, and who is in it."""

    def __init__(self) -> None:
        self.addresses = frozenset({ROOM})
        self.occupants: dict[str, Occupant] = {}

    def nick_in(self, room: BareJid) -> str:
        return "Filebot"

    def occupant(self, room: BareJid, nick: str) -> Occupant:
        return self.occupants.get(nick, Occupant())

    def is_same_occupant(self, address: Address) -> bool:
        room, _, nick = address.jid.partition("/")
        return self.occupant(room, nick).identity == address.occupant

    def author(self, room: BareJid, stanza: Element) -> Occupant | None:
        return None

    def believes(self, room: BareJid) -> bool:
        return True

    def joined(self) -> frozenset[BareJid]:
        return self.addresses

    def gives_stanza_ids(self, room: BareJid) -> bool:
        return False

    def is_filebot(self, room: BareJid, nick: str) -> bool:
        return False


class CommandLab:
    """The bot's commands, and everything that it sent."""

    def __init__(self, *, component: bool = False, limits: CommandLimits | None = None) -> None:
        self.commands = ScriptedCommands()
        self.rooms = Rooms()
        self.said: list[Element] = []
        self.messages: list[tuple[Address, str]] = []
        self.software = {ANNA: "https://conversejs.org"}
        """Nodes of clients' caps."""
        self._asked = 0
        self._answered = asyncio.Event()
        settings = SessionSettings(
            "files.example.org" if component else "bot@example.org",
            "secret",
            mode="component" if component else "client",
            host="127.0.0.1",
            port=1,
        )
        self.stream = stream = build(settings)
        stream.boundjid.full = "files.example.org/Filebot" if component else BOT
        stream._session_started = True
        self._patch = patch = pytest.MonkeyPatch()
        patch.setattr(stream, "encrypted", lambda: True, raising=False)
        patch.setattr(stream, "post", self._posted)
        self.handlers = Handlers(
            is_served=lambda jid: not jid.startswith("eve"),
            commands=self.commands,
            command_words=self._words,
        )
        reader = Reader(stream.boundjid.bare, self.rooms, "!", "Filebot", whole_domain=component)
        fast_path = IqFastPath(stream)
        self.service = AdHocCommands(
            *(fast_path, self.handlers, reader, self.rooms.nick_in, self, "Filebot"),
            is_same_occupant=self.rooms.is_same_occupant,
            software=lambda full: self.software.get(full, ""),
        )
        if limits is not None:
            self.service._runner = CommandRunner(
                fast_path, self.handlers, self.service._asker, self, limits, is_there=lambda _: True
            )

    async def say(self, to: Address, text: str) -> str:
        self.messages.append((to, text))
        return "id"

    async def _words(self, sender: Sender, language: str | None, what: str | Exception) -> str:
        if isinstance(what, Exception):
            return f"{type(what).__name__} in words" if isinstance(what, FilebotError) else "incident"
        return what

    def _posted(self, text: str) -> None:
        self.said.append(fromstring(text.replace("<iq ", "<iq xmlns='jabber:client' ", 1)))
        self._answered.set()

    # --- clients --------------------------------------------------------------------------------

    def request(
        self, payload: Element | str, sender: str = ANNA, *, kind: str = "set", to: str = ""
    ) -> str:
        """Let a client send an iq, and return its id."""
        self._asked += 1
        name = f"q{self._asked}"
        about = {"type": kind, "id": name, "from": sender, "to": to or self.stream.boundjid.full}
        iq = Element("{jabber:client}iq", about)
        iq.append(fromstring(payload) if isinstance(payload, str) else payload)
        self.stream._spawn_event(iq)
        return name

    def command(
        self,
        node: str,
        session: str = "",
        action: str = "",
        fields: Mapping[str, str | tuple[str, ...]] | None = None,
        *,
        sender: str = ANNA,
        more: str = "",
    ) -> str:
        """Let a client send a request about a command, and return the iq's id."""
        about = f"node='{node}'" + (f" sessionid='{session}'" if session else "")
        about += (f" action='{action}'" if action else "") + more
        form = "" if fields is None else submitted(fields)
        return self.request(f"<command xmlns='{COMMANDS}' {about}>{form}</command>", sender)

    def answers_to(self, name: str) -> list[Element]:
        return [each for each in self.said if each.get("id") == name]

    async def answer_to(self, name: str, limit_s: float = 1.0) -> Element:
        """Return the one answer to an iq, as soon as it is there."""
        async with asyncio.timeout(limit_s):
            while not self.answers_to(name):
                self._answered.clear()
                await self._answered.wait()
        [answer] = self.answers_to(name)
        return answer

    async def result_of(self, name: str, limit_s: float = 1.0) -> Element:
        """Return the payload of the one answer, which is a result."""
        answer = await self.answer_to(name, limit_s)
        assert answer.get("type") == "result", read_error(answer)
        return answer[0]

    async def error_of(self, name: str, limit_s: float = 1.0) -> StanzaError:
        """Return the one answer, which is an error."""
        answer = await self.answer_to(name, limit_s)
        assert answer.get("type") == "error"
        return read_error(answer)

    async def begun(self, sender: str = ANNA) -> str:
        """Begin ``send`` and return the session's id."""
        answer = await self.result_of(self.command("send", sender=sender))
        assert answer.get("status") == "executing"
        return answer.get("sessionid", "")


def submitted(fields: Mapping[str, str | tuple[str, ...]]) -> str:
    inside = ""
    for name, values in fields.items():
        many = (values,) if isinstance(values, str) else values
        inside += f"<field var='{name}'>" + "".join(f"<value>{each}</value>" for each in many) + "</field>"
    return f"<x xmlns='{DATA_FORM}' type='submit'>{inside}</x>"


def note_of(command: Element) -> str | None:
    return command.findtext(f"{{{COMMANDS}}}note")


@asynccontextmanager
async def lab(*, component: bool = False, limits: CommandLimits | None = None) -> AsyncIterator[CommandLab]:
    """Run a lab, and check at its end that no task is left."""
    async with nothing_left():
        made = CommandLab(component=component, limits=limits)
        try:
            yield made
            answered = [each.get("id") for each in made.said]
            assert len(answered) == len({*answered})
        finally:
            await made.service.close()
            await made.stream.close(0.0)
            made._patch.undo()
