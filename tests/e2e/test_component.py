"""The main job with the bot as an external component (XEP-0114)."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from slixmpp import JID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from filebot.model import Method
from tests.e2e.conftest import ROOM, bot_config, sha256
from tests.e2e.test_cascade import Person
from tests.servers import private_server
from tests.support.streams import stream_peer

DOMAIN = "files.localhost"

pytestmark = pytest.mark.needs("an account")


@pytest.mark.smoke
async def test_a_component_stores_lists_returns_and_shares(tmp_path: Path) -> None:
    path = tmp_path / "report.bin"
    path.write_bytes(os.urandom(50_000))
    async with private_server(
        tmp_path / "prosody", users=["filebot", "alice", "bob"], components=[DOMAIN]
    ) as server:
        login = server.component(DOMAIN)
        account = {
            "jid": DOMAIN,
            "password": login.secret,
            "mode": "component",
            "host": login.host,
            "port": login.port,
        }
        config = write_config(tmp_path / "config.toml", bot_config(server, xmpp=account))
        async with (
            BotProcess(config) as bot,
            await Peer.of(server, "alice") as alice,
            await Peer.of(server, "bob") as bob,
        ):
            await alice.join(ROOM, "alice")
            await bob.join(ROOM, "bob")
            for address in (DOMAIN, f"bot@{DOMAIN}"):
                await alice.drop(path, address)
                answer = await alice.next_message(lambda heard: DOMAIN in heard.sender)
                assert "report.bin" in answer.body, [*bot.log]
                assert answer.sender == address
            alice.say("get report.bin", DOMAIN)
            heard = await alice.next_message(lambda heard: heard.url is not None)
            assert sha256(await alice.download(heard.body)) == sha256(path.read_bytes())
            alice.say(f"send report.bin to {ROOM}", DOMAIN)
            heard = await bob.next_message(lambda heard: heard.url is not None)
            assert sha256(await bob.download(heard.body)) == sha256(path.read_bytes())
            bob.say("!ls", ROOM, mtype="groupchat")
            listed = await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
            assert "report.bin" in listed.body


def presences(peer: Peer) -> asyncio.Queue[Any]:
    """All that this person is sent from now on."""
    came: asyncio.Queue[Any] = asyncio.Queue()
    peer.client.register_handler(
        Callback("presences", MatchXPath("{jabber:client}presence"), came.put_nowait)
    )
    return came


async def until(came: asyncio.Queue[Any], sender: str, kind: str = "available") -> Any:
    """The next presence of this kind from this address."""
    async with asyncio.timeout(20):
        while True:
            stanza = await came.get()
            if (str(stanza["from"]), stanza.xml.get("type", "available")) == (sender, kind):
                return stanza


async def test_its_contacts_see_it_under_the_address_that_they_chose_also_after_a_crash(
    tmp_path: Path,
) -> None:
    async with private_server(
        tmp_path / "server", users=["filebot", "alice"], components=[DOMAIN]
    ) as server:
        login, mine = server.component(DOMAIN), f"drop@{DOMAIN}"
        where = {"host": login.host, "port": login.port}
        account = {"jid": DOMAIN, "password": login.secret, "mode": "component"} | where
        config = write_config(tmp_path / "config.toml", bot_config(server, xmpp=account))
        bot = BotProcess(config)
        async with bot, await Peer.of(server, "alice") as alice:
            await alice.client.get_roster()
            alice.client.auto_authorize = True
            came = presences(alice)
            alice.client.send_presence_subscription(JID(mine))
            seen = await until(came, f"{mine}/filebot")
            assert seen["caps"]["ver"]
            await bot.kill()
            await bot.start()
            await until(came, f"{mine}/filebot")
            # It has asked who is online: what it says without being asked comes from there, too.
            alice.say("doctor me", DOMAIN)
            answer = await alice.next_message(lambda heard: heard.sender == DOMAIN, timeout_s=40)
            assert "slixmpp" in answer.body or "online" in answer.body, answer.body
            await bot.stop()
            await until(came, f"{mine}/filebot", "unavailable")


@pytest.mark.parametrize("jingle", [True, False], ids=["jingle", "si"])
async def test_a_file_that_goes_by_a_stream_comes_from_the_address_that_the_person_knows(
    tmp_path: Path, *, jingle: bool
) -> None:
    path, mine = tmp_path / "report.bin", f"drop@{DOMAIN}"
    path.write_bytes(os.urandom(300_000))
    users = ["filebot", "alice"]
    async with private_server(
        tmp_path / "server", users=users, components=[DOMAIN], upload_limit_bytes=None
    ) as server:
        login = server.component(DOMAIN)
        where = {"host": login.host, "port": login.port}
        account = {"jid": f"bot@{DOMAIN}", "password": login.secret, "mode": "component"} | where
        config = write_config(tmp_path / "config.toml", bot_config(server, xmpp=account))
        alice = Person(server, "alice", jingle=jingle)
        alice.bot = mine
        async with BotProcess(config), alice.session as session:
            await session.run_until_ready()
            await alice.befriend()
            await alice.drop(path)
            await alice.ask("get report.bin", "directly")
            assert await alice.file() == path.read_bytes()
            assert [each.sender.jid for each in alice.offers] == [mine]
            assert alice.speakers == {mine}


@pytest.mark.parametrize(
    ("method", "listens"),
    [
        pytest.param(Method.IBB, False, id="in-band"),
        pytest.param(Method.SOCKS5, True, id="direct"),
        pytest.param(Method.SOCKS5, False, id="by the proxy"),
    ],
)
async def test_a_component_sends_and_receives_by_streams(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, method: Method, listens: bool
) -> None:
    caplog.set_level("INFO")
    path = tmp_path / "report.bin"
    path.write_bytes(os.urandom(300_000))
    async with (
        private_server(tmp_path / "prosody", users=["anna"], components=[DOMAIN]) as server,
        stream_peer(server, DOMAIN, component=True, listens=listens) as bot,
        stream_peer(server, "anna", listens=listens) as anna,
    ):
        assert bot.jid.startswith(f"{DOMAIN}/")
        await bot.send(anna.jid, path, method)
        assert sha256(await anna.file()) == sha256(path.read_bytes())
        for address in (bot.jid, f"drop@{DOMAIN}/anything"):
            await anna.send(address, path, method)
            assert sha256(await bot.file()) == sha256(path.read_bytes())
    assert "going on in-band" not in caplog.text
