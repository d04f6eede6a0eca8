"""Ad-hoc commands (XEP-0050) on a real server: slixmpp's client of them, and raw requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import pytest
from slixmpp import JID
from slixmpp.exceptions import IqError

from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from filebot.protocol.adhoc import COMMANDS
from filebot.protocol.data_form import DATA_FORM
from filebot.protocol.disco import INFO, ITEMS
from filebot.xmpp.connection.disco_features import CAPS
from filebot.xmpp.session import Handlers, SessionSettings, XmppSession
from tests.e2e.test_session import account, component, features, query
from tests.servers import private_server
from tests.support.scripted_commands import ScriptedCommands
from tests.support.waiting import until_answered

LIMIT_S = 20.0
DOMAIN = "files.localhost"
ROOM = "den@conference.localhost"

both_modes = pytest.mark.parametrize(
    ("server", "make"),
    [pytest.param([], account, id="client"), pytest.param([DOMAIN], component, id="component")],
    indirect=["server"],
)


@pytest.fixture
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    components = getattr(request, "param", [])
    users = ["bot", "anna", "bob", "eve"]
    async with private_server(tmp_path / "server", users=users, components=components) as running:
        yield running


class Bot:
    """Session with scripted commands."""

    def __init__(self, settings: SessionSettings) -> None:
        self.commands = ScriptedCommands()
        handlers = Handlers(is_served=lambda jid: not jid.startswith("eve"), commands=self.commands)
        self.session = XmppSession(settings, handlers)
        self.jid = ""
        self.settings = settings


@asynccontextmanager
async def online(settings: SessionSettings) -> AsyncIterator[Bot]:
    bot = Bot(settings)
    async with bot.session:
        bot.jid = await asyncio.wait_for(bot.session.run_until_ready(), LIMIT_S)
        yield bot


class Client:
    """Command in slixmpp's client."""

    def __init__(self, peer: Peer, jid: str) -> None:
        self.adhoc: Any = peer.client.plugin["xep_0050"]
        self.forms: Any = peer.client.plugin["xep_0004"]
        self.jid = jid
        self.came: asyncio.Queue[Any] = asyncio.Queue()
        self.session: dict[str, Any] = {"next": self._take, "error": self._take}

    def _take(self, iq: Any, session: dict[str, Any]) -> None:
        self.came.put_nowait(iq)

    async def start(self, node: str) -> Any:
        self.adhoc.start_command(JID(self.jid), node, self.session)
        return await self._next()

    async def go_on(self, direction: str, **values: Any) -> Any:
        form = self.forms.make_form("submit")
        for name, value in values.items():
            form.add_field(var=name, value=value)
        self.session["payload"] = form if values else None
        if direction == "complete":
            self.adhoc.complete_command(self.session)
        else:
            self.adhoc.continue_command(self.session, direction)
        return await self._next()

    async def _next(self) -> Any:
        async with asyncio.timeout(LIMIT_S):
            return await self.came.get()


@asynccontextmanager
async def person(server: Server, name: str) -> AsyncIterator[Peer]:
    async with await Peer.of(server, name) as peer:
        peer.client.register_plugin("xep_0004")
        peer.client.register_plugin("xep_0050")
        yield peer


async def ask(peer: Peer, to: str, **about: str) -> Element:
    """Send a raw request and return the answer's ``<command/>``. Raises IqError."""
    iq = peer.client.make_iq_set(ito=JID(to))
    SubElement(iq.xml, f"{{{COMMANDS}}}command", about)
    answer = await iq.send(timeout=LIMIT_S)  # type: ignore[no-untyped-call]  # untyped in slixmpp
    command: Element | None = answer.xml.find(f"{{{COMMANDS}}}command")
    assert command is not None
    return command


def tell_software(peer: Peer, to: str) -> None:
    """Send a presence with caps (XEP-0115), by which the bot knows the client: it shows tables to some."""
    presence = peer.client.make_presence(pto=JID(to))
    about = {"hash": "sha-1", "node": "https://slixmpp.example", "ver": "none"}
    SubElement(presence.xml, f"{{{CAPS}}}c", about)
    presence.send()


async def refusal(peer: Peer, to: str, **about: str) -> tuple[str, list[str]]:
    with pytest.raises(IqError) as refused:
        await ask(peer, to, **about)
    error = refused.value.iq["error"]
    specific = [each.tag for each in error.xml if str(each.tag).startswith(f"{{{COMMANDS}}}")]
    return error["condition"], [each.partition("}")[2] for each in specific]


@pytest.mark.smoke
@both_modes
async def test_slixmpps_client_finds_and_fills_in_a_command(
    server: Server, make: Callable[..., SessionSettings]
) -> None:
    async with online(make(server)) as bot, person(server, "anna") as anna:
        assert {COMMANDS, DATA_FORM} <= {*features(await query(anna, bot.jid, INFO))}
        items = await query(anna, bot.jid, ITEMS, COMMANDS)
        assert [each.get("node") for each in items] == ["list", "send"]
        client = Client(anna, bot.jid)
        tell_software(anna, bot.jid)
        first = await client.start("send")
        assert first["command"]["status"] == "executing"
        form = first["command"]["form"]
        assert [(name, each["type"]) for name, each in form.get_fields().items()] == [
            ("file", "list-single"),
            ("note", "text-multi"),
            ("copy", "boolean"),
            ("_form", "hidden"),
        ]
        second = await client.go_on("next", file="2", copy=True, note="one\ntwo")
        assert second["command"]["actions"] == {"complete", "prev"}
        assert form["title"] == (await client.go_on("prev"))["command"]["form"]["title"]
        await client.go_on("next", file="1")
        done = await client.go_on("complete")
        assert done["command"]["status"] == "completed"
        assert done["command"]["notes"] == [("info", "Sent.")]
        table = done["command"]["form"]
        assert [dict(each) for each in table["items"]] == [
            {"name": "a.pdf", "size": "1"},
            {"name": "b.pdf", "size": "2"},
        ]
        assert bot.commands.carried_out[0][1] == {
            "file": ("2",),
            "copy": ("true",),
            "note": ("one", "two"),
        }


@both_modes
async def test_another_account_or_client_cannot_go_on_with_a_command(
    server: Server, make: Callable[..., SessionSettings]
) -> None:
    async with online(make(server)) as bot, person(server, "anna") as anna:
        begun = await ask(anna, bot.jid, node="send")
        about = {"node": "send", "sessionid": begun.get("sessionid", ""), "action": "next"}
        for other in ("bob", "anna"):
            async with person(server, other) as somebody:
                assert await refusal(somebody, bot.jid, **about) == ("bad-request", ["bad-sessionid"])
        again = await ask(anna, bot.jid, **about)
        assert again.get("status") == "executing"
        canceled = await ask(anna, bot.jid, **(about | {"action": "cancel"}))
        assert canceled.get("status") == "canceled"
        assert await refusal(anna, bot.jid, **about) == ("not-allowed", ["session-expired"])


async def test_a_stranger_sees_no_commands_and_may_use_none(server: Server) -> None:
    async with online(account(server)) as bot, person(server, "eve") as eve:
        assert len(await query(eve, bot.jid, ITEMS, COMMANDS)) == 0
        assert await refusal(eve, bot.jid, node="list") == ("forbidden", [])


@pytest.mark.parametrize("server", [[DOMAIN]], indirect=True)
async def test_each_address_of_a_component_has_the_commands(server: Server) -> None:
    async with online(component(server)), person(server, "anna") as anna:
        for address in (DOMAIN, f"drop@{DOMAIN}", f"drop@{DOMAIN}/phone"):
            items = await query(anna, address, ITEMS, COMMANDS)
            assert {each.get("jid") for each in items} == {address}
            done = await ask(anna, address, node="list")
            assert done.get("status") == "completed"


@both_modes
async def test_occupants_of_a_room_use_commands_through_it(
    server: Server, make: Callable[..., SessionSettings]
) -> None:
    occupant = f"{ROOM}/Filebot"
    async with online(make(server, ROOM)) as bot, person(server, "anna") as anna:
        await anna.join(ROOM, "Anna")
        items = await query(anna, occupant, ITEMS, COMMANDS)
        assert [(each.get("jid"), each.get("node")) for each in items] == [
            (occupant, "list"),
            (occupant, "send"),
        ]
        begun = await ask(anna, occupant, node="send")
        sender = bot.commands.senders[-1]
        assert (sender.jid, sender.room, sender.nick) == ("anna@localhost", ROOM, "Anna")
        about = {"node": "send", "sessionid": begun.get("sessionid", "")}
        async with person(server, "bob") as bob:
            await bob.join(ROOM, "Bob")
            refused = await refusal(bob, occupant, **about, action="cancel")
            assert refused == ("bad-request", ["bad-sessionid"])
            # Nor by the bot's own address: it is another client.
            assert await refusal(anna, bot.jid, **about, action="cancel") == refused
            bot.commands.denied.add("bob@localhost")
            assert len(await query(bob, occupant, ITEMS, COMMANDS)) == 0
            assert await refusal(bob, occupant, node="list") == ("forbidden", [])
        canceled = await ask(anna, occupant, **about, action="cancel")
        assert canceled.get("status") == "canceled"


async def test_after_another_login_the_commands_are_announced_again(server: Server) -> None:
    async with online(account(server)) as bot:
        await server.restart()
        async with person(server, "anna") as anna:

            async def listed() -> list[Element]:
                try:
                    return [*await query(anna, bot.jid, ITEMS, COMMANDS)]
                except IqError:  # not back yet
                    return []

            assert len(await until_answered(listed)) == 2
            assert COMMANDS in features(await query(anna, bot.jid, INFO))
