"""``filebot check`` leaves a bot alone that runs, and what waits for one that does not."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from filebot.localserver.server import Server
from tests.e2e.conftest import ROOM, USERS, World, bot_config
from tests.servers import private_server
from tests.support.command_line import filebot
from tests.support.waiting import until

DOMAIN = "files.localhost"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with private_server(tmp_path / "prosody", users=USERS, components=[DOMAIN]) as running:
        yield running


@pytest.fixture
def config(server: Server, tmp_path: Path) -> Path:
    return write_config(tmp_path / "config.toml", bot_config(server))


@pytest.fixture
def component(server: Server, tmp_path: Path) -> Path:
    login = server.component(DOMAIN)
    account = {
        "jid": DOMAIN,
        "password": login.secret,
        "mode": "component",
        "host": login.host,
        "port": login.port,
    }
    return write_config(tmp_path / "component.toml", bot_config(server, xmpp=account))


def presences(peer: Peer, sender: str) -> list[str]:
    """Notes the types of the presences that come from an account or a room."""
    came: list[str] = []

    def note(stanza: Any) -> None:
        if stanza["from"].bare == sender:
            came.append(str(stanza["type"]))

    for event in (
        "presence_available",
        "presence_unavailable",
        "presence_unsubscribed",
        "groupchat_presence",
    ):
        peer.client.add_event_handler(event, note)
    return came


@pytest.mark.needs("an account")
async def test_check_beside_a_running_bot_takes_nothing_from_it(
    server: Server, config: Path, tmp_path: Path
) -> None:
    async with (
        BotProcess(config) as bot,
        await Peer.of(server, "alice") as alice,
        await Peer.of(server, "bob") as bob,
    ):
        world = World(server, bot, tmp_path)
        await bob.join(ROOM, "bob")
        arriving = world.data / "incoming" / "arriving"
        arriving.write_bytes(b"a file of somebody who has not locked it yet")
        seen = presences(bob, ROOM), presences(alice, world.bot_jid)
        # A message to the bare address goes to every session that has the highest priority.
        asking = asyncio.create_task(_ask_on_and_on(world, alice))
        for _ in range(3):
            code, said = await filebot("check", "--config", str(config))
            assert code == 0, said
            assert "✓ rooms: not tried: the bot is running" in said
            assert "/check-" in said
        asking.cancel()
        assert arriving.exists()
        assert seen == ([], [])
        assert not [line for line in bot.log if "WARNING" in line or "ERROR" in line], [*bot.log]
        assert sum("online as" in line for line in bot.log) == 1
        bob.say("!ls", ROOM, mtype="groupchat")
        await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")


async def _ask_on_and_on(world: World, peer: Peer) -> None:
    while True:
        answer = await world.ask(peer, "quota")
        assert answer.sender.endswith("/filebot")


@pytest.mark.needs("an archive of its own")
async def test_check_leaves_what_waits_for_the_bot(server: Server, config: Path, tmp_path: Path) -> None:
    bot = BotProcess(config)
    async with await Peer.of(server, "alice") as alice, await Peer.of(server, "bob") as bob:
        seen = presences(bob, server.jid("filebot"))
        bob.client.send_presence_subscription(pto=server.jid("filebot"))
        alice.say("ls", server.jid("filebot"))
        await alice.until_taken()
        await bob.until_taken()
        code, said = await filebot("check", "--config", str(config))
        assert code == 0, said
        assert "✓ rooms: joined 1" in said
        assert "unsubscribed" not in seen
        async with bot:
            await alice.next_message(lambda heard: heard.sender.startswith(server.jid("filebot")))
            await until(lambda: "available" in seen, 10)
            assert "unsubscribed" not in seen


async def test_check_of_a_component_leaves_the_login_to_the_bot_that_has_it(
    server: Server, component: Path, tmp_path: Path
) -> None:
    code, said = await filebot("check", "--config", str(component))
    assert code == 0, said
    assert "✓ login: online as" in said
    async with BotProcess(component) as bot, await Peer.of(server, "alice") as alice:
        for _ in range(2):
            code, said = await filebot("check", "--config", str(component))
            assert code == 0, said
            assert f"✓ login: not tried: the bot is running (process {bot.pid} on " in said
        for _ in range(4):  # with two connections, ejabberd would give each a share
            alice.say("ls", DOMAIN)
            await alice.next_message(lambda heard: DOMAIN in heard.sender)
        assert sum("online as" in line for line in bot.log) == 1, [*bot.log]


async def test_check_tells_that_a_catalog_is_missing(config: Path, server: Server, tmp_path: Path) -> None:
    blob = tmp_path / "data" / "blobs" / "ab" / ("ab" * 32)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(os.urandom(10))
    code, said = await filebot("check", "--config", str(config))
    assert code == 2
    assert "has files, but catalog.sqlite, which says whose they are, is missing or empty. " in said
    assert "to see what can be done: filebot fsck" in said
    assert sorted(each.name for each in (tmp_path / "data").iterdir()) == ["blobs"]


async def test_check_says_that_the_bot_may_not_connect_to_the_upload_service(
    server: Server, tmp_path: Path
) -> None:
    config = write_config(tmp_path / "config.toml", bot_config(server, network={"allow_private": False}))
    code, said = await filebot("check", "--config", str(config))
    assert code == 1, said
    assert "✗ upload service: no file goes by it: https://" in said
    assert "is at a private address; if that is meant, set allow_private = true under [network]" in said
