"""Kicks, bans and restarts through the whole bot: whether it comes back, and what it then still has."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from slixmpp import JID

from filebot.demo.peer import Peer
from tests.e2e.conftest import World
from tests.e2e.room_world import NICK, Den, affiliate, den, enter, set_role

pytestmark = pytest.mark.asyncio(loop_scope="module")

RETURN_LIMIT_S = 60.0


@pytest_asyncio.fixture(loop_scope="module")
async def carol(world: World) -> AsyncIterator[Peer]:
    """She owns the rooms."""
    async with await world.login("carol") as peer:
        yield peer


def file(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(os.urandom(5_000))
    return path


async def served(here: Den, peer: Peer, path: Path) -> None:
    """The room's file is given, in the room and in private."""
    await here.say(peer, f"!get {path.name}")
    await gets(here, peer, path, "groupchat")
    peer.say(f"get {path.name}", here.bot)
    await gets(here, peer, path, "chat")


async def gets(here: Den, peer: Peer, path: Path, kind: str) -> None:
    heard = await peer.next_message(
        lambda each: each.url is not None and (each.sender, each.kind) == (here.bot, kind)
    )
    assert await peer.download(heard.body) == path.read_bytes()


async def is_back(here: Den, peer: Peer) -> None:
    """The bot is in the room, as somebody there sees it."""
    async with asyncio.timeout(RETURN_LIMIT_S):
        while NICK not in peer.client.plugin["xep_0045"].get_roster(JID(here.room)):
            await asyncio.sleep(0.1)


async def silent(here: Den, peer: Peer) -> None:
    """Nobody answers in the room."""
    await here.say(peer, "!ls")
    with pytest.raises(TimeoutError):
        await peer.next_message(lambda each: each.sender == here.bot, timeout_s=1.5)


async def test_after_a_ban_the_room_keeps_its_files_for_the_day_when_the_bot_may_return(
    world: World, alice: Peer, carol: Peer, tmp_path: Path
) -> None:
    here = await den(world, alice, carol, "Carol", "banning", whois="anyone")
    path = file(tmp_path, "kept.bin")
    assert "Stored" in await here.keep(carol, path)
    await affiliate(carol, here.room, world.bot_jid, "outcast")
    await silent(here, carol)
    assert "I am banned" in (await world.ask(alice, f"join {here.room}")).body
    await affiliate(carol, here.room, world.bot_jid, "none")
    await silent(here, carol)
    assert "I am in" in (await world.ask(alice, f"join {here.room}")).body
    await served(here, carol, path)


async def test_after_a_kick_the_bot_stays_away_until_somebody_who_runs_it_says_otherwise(
    world: World, alice: Peer, carol: Peer, tmp_path: Path
) -> None:
    here = await den(world, alice, carol, "Carol", "kicking", whois="anyone")
    path = file(tmp_path, "kicked.bin")
    assert "Stored" in await here.keep(carol, path)
    await set_role(carol, here.room, NICK, "none")
    await silent(here, carol)
    assert "I am in" in (await world.ask(alice, f"join {here.room}")).body
    await served(here, carol, path)


async def test_a_restart_of_the_whole_server_takes_nothing_from_a_room(
    world: World, alice: Peer, carol: Peer, tmp_path: Path
) -> None:
    fields = {"whois": "anyone", "persistentroom": "1", "passwordprotectedroom": "1", "roomsecret": "pw"}
    here = await den(world, alice, carol, "Carol", "lasting", password="pw", **fields)
    path = file(tmp_path, "lasting.bin")
    assert "Stored" in await here.keep(carol, path)
    await world.server.kill()
    await world.server.restart()
    async with await world.login("carol") as again:
        await enter(again, here.room, "Carol again", "pw")
        await is_back(here, again)
        await served(here, again, path)
        assert "Deleted" in (await here.ask(again, f"!rm {path.name}")).body
