"""Kicks, bans and restarts through the whole bot: whether it comes back, and what it then still has."""

import asyncio
import os
from pathlib import Path

import pytest
from slixmpp import JID

from filebot.localserver.peer import Peer
from tests.e2e.conftest import World
from tests.support.muc import affiliate, set_role
from tests.support.room import NICK, BotRoom
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RETURN_LIMIT_S = 60.0
DISK_S = 2.5
"""COMPAT(ejabberd, 23.01): how long it takes until a room is not only in its memory."""


def file(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(os.urandom(5_000))
    return path


async def served(here: BotRoom, peer: Peer, path: Path) -> None:
    """The room's file is given, in the room and in private."""
    await here.say(peer, f"!get {path.name}")
    assert await here.got(peer, "groupchat") == path.read_bytes()
    peer.say(f"get {path.name}", here.bot)
    assert await here.got(peer, "chat") == path.read_bytes()


async def is_back(here: BotRoom, peer: Peer) -> None:
    """The bot is in the room, as somebody there sees it."""
    await until(lambda: NICK in peer.client.plugin["xep_0045"].get_roster(JID(here.room)), RETURN_LIMIT_S)


async def silent(here: BotRoom, peer: Peer) -> None:
    """Nobody answers in the room."""
    await here.say(peer, "!ls")
    with pytest.raises(TimeoutError):
        await peer.next_message(lambda each: each.sender == here.bot, timeout_s=1.5)


async def test_after_a_ban_the_room_keeps_its_files_for_the_day_when_the_bot_may_return(
    world: World, alice: Peer, carol: Peer, tmp_path: Path
) -> None:
    here = await world.room(alice, carol, "banning", whois="anyone")
    path = file(tmp_path, "kept.bin")
    assert "Stored" in await here.keep(carol, path)
    await affiliate(carol, here.room, world.bot_jid, "outcast")
    await silent(here, carol)
    assert "I am banned" in (await world.ask(alice, f"join {here.room}")).body
    await affiliate(carol, here.room, world.bot_jid, "none")
    await silent(here, carol)
    assert "I am in" in (await world.ask(alice, f"join {here.room}")).body
    # COMPAT(ejabberd, 23.01): whoever was banned once has no voice afterwards.
    await set_role(carol, here.room, NICK, "participant")
    await served(here, carol, path)


async def test_after_a_kick_the_bot_stays_away_until_somebody_who_runs_it_says_otherwise(
    world: World, alice: Peer, carol: Peer, tmp_path: Path
) -> None:
    here = await world.room(alice, carol, "kicking", whois="anyone")
    path = file(tmp_path, "kicked.bin")
    assert "Stored" in await here.keep(carol, path)
    await set_role(carol, here.room, NICK, "none")
    await silent(here, carol)
    assert "I am in" in (await world.ask(alice, f"join {here.room}")).body
    await served(here, carol, path)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_restart_of_the_whole_server_takes_nothing_from_a_room(
    world: World, alice: Peer, carol: Peer, tmp_path: Path, end: str
) -> None:
    fields = {"whois": "anyone", "persistentroom": "1", "passwordprotectedroom": "1", "roomsecret": "pw"}
    here = await world.room(alice, carol, f"lasting-{end}", password="pw", **fields)
    path = file(tmp_path, "lasting.bin")
    assert "Stored" in await here.keep(carol, path)
    if end == "kill":
        await asyncio.sleep(DISK_S)
        await world.server.kill()
    await world.server.restart()
    async with await world.login("carol") as again:
        await again.join(here.room, "Carol again", "pw")
        await is_back(here, again)
        await served(here, again, path)
        assert "Deleted" in (await here.ask(again, f"!rm {path.name}")).body
