"""Invitations as real clients send them, on a real server."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from slixmpp import JID

from filebot.errors import CannotEnterRoom
from filebot.localserver.peer import Peer, Received
from filebot.model import RememberedRoom
from filebot.xmpp.rooms import joined_rooms as rooms
from tests.e2e.test_session import account, online, person
from tests.servers import private_server
from tests.support.inviting import ROOM, World, invite_directly, invite_through_room, world_with
from tests.support.muc import MUC, affiliate, configure, destroy
from tests.support.waiting import until

REASON = f"{{{MUC}#user}}x/{{{MUC}#user}}decline/{{{MUC}#user}}reason"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_with(tmp_path) as made:
        yield made


def declined(heard: Received) -> bool:
    return heard.element.find(f"{{{MUC}#user}}x/{{{MUC}#user}}decline") is not None


# --- coming and going --------------------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize("form", ["direct", "mediated", "both"])
async def test_somebody_who_is_served_invites_the_bot_into_a_room(world: World, form: str) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone")
    if form != "mediated":
        invite_directly(bob, world.bot, ROOM)
    if form != "direct":
        invite_through_room(bob, world.bot)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    assert (await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")).body
    assert not [heard for heard in bob.messages if declined(heard)]
    assert sum("now." in heard.body for heard in bob.messages) == 1, [*bot.log]


async def test_an_invited_room_is_remembered_across_a_restart_and_left_for_its_inviter(
    world: World,
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    await bot.stop()
    await bot.start()
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
    bob.say(f"leave {ROOM}", world.bot)
    assert (await world.told(bob)).startswith("I left")
    await bot.stop()
    await bot.start()
    bob.say(f"leave {ROOM}", world.bot)
    assert "the person who brought me there" in await world.told(bob)


@pytest.mark.needs("an archive of its own")
@pytest.mark.parametrize("form", ["direct", "mediated"])
async def test_an_invitation_while_the_bot_was_away_is_followed_when_it_is_back(
    world: World, form: str
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bot.stop()
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone")
    (invite_directly if form == "direct" else invite_through_room)(bob, world.bot, ROOM)
    await bot.start()
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")


async def test_an_inviter_who_is_not_served_any_more_does_not_bring_it_back(world: World) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    await bot.stop()
    again = await world.start(deny=["bob@localhost"])
    assert any(f"not going to {ROOM}" in line for line in again.log)


async def test_the_bot_is_invited_into_a_members_only_room_by_its_owner(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, membersonly="1", publicroom="0", whois="anyone")
    invite_directly(bob, world.bot, ROOM)
    assert (await world.told(bob)).startswith("Only members may enter")
    # An owner's mediated invitation makes the bot a member, so it may enter now.
    await asyncio.sleep(5.5)  # what comes at once is taken for the other form of the same
    invite_through_room(bob, world.bot)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')


async def test_a_password_comes_with_the_invitation(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, passwordprotectedroom="1", roomsecret="sesame")
    invite_directly(bob, world.bot, ROOM, "sesame")
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')


async def test_who_invites_through_a_room_that_has_shut_the_bot_out_reads_why(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone")
    await affiliate(bob, ROOM, world.bot, "outcast")
    invite_through_room(bob, world.bot)
    heard = await bob.next_message(declined)
    reason = f'I am banned from "{ROOM}". Only its admins can change that.'
    assert heard.element.findtext(REASON) == reason


@pytest.mark.needs("hidden inviters")
async def test_who_is_hidden_by_the_room_through_which_they_invite_reads_what_to_do(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_through_room(bob, world.bot)
    heard = await bob.next_message(declined)
    assert f"join {ROOM}" in (heard.element.findtext(REASON) or "")
    bob.say(f"join {ROOM}", world.bot)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}"')


async def test_a_fresh_invitation_brings_it_back_after_a_ban_was_lifted(world: World) -> None:
    await world.start()
    bob = await world.login("bob")
    await bob.join(ROOM, "Bob")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    await affiliate(bob, ROOM, world.bot, "outcast")
    await affiliate(bob, ROOM, world.bot, "none")
    await asyncio.sleep(5.5)
    invite_directly(bob, world.bot, ROOM)
    assert (await world.told(bob)).startswith(f'I am in "{ROOM}" now.')
    bob.say("filebot: ls", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")


@pytest.mark.parametrize("user", ["eve", "carol"])
async def test_strangers_and_the_denied_do_not_bring_it_into_rooms(world: World, user: str) -> None:
    await world.start(allow=["bob@localhost", "carol@localhost"], deny=["carol@localhost"])
    peer = await world.login(user)
    await peer.join(ROOM, "Somebody")
    await configure(peer, ROOM, whois="anyone")
    invite_through_room(peer, world.bot)
    heard = await peer.next_message(declined)
    assert "I only serve certain people" in (heard.element.findtext(REASON) or "")
    invite_directly(peer, world.bot, ROOM)
    peer.say("help", world.bot)
    await asyncio.sleep(1.0)
    assert not [each for each in peer.messages if each.sender.startswith(world.bot)]
    room = peer.client.plugin["xep_0045"]
    assert room.get_roster(JID(ROOM)) == ["Somebody"]


async def test_a_mistyped_address_makes_no_room_and_a_persons_address_is_none(world: World) -> None:
    await world.start()
    alice = await world.login("alice")
    for target, words in (
        ("dem@conference.localhost", "There is no room"),
        ("bob@localhost", "cannot find any rooms on the server"),
        ("den@nowhere.invalid", "cannot find any rooms on the server"),
    ):
        alice.say(f"join {target}", world.bot)
        assert words in await world.told(alice)
        invite_directly(alice, world.bot, target)
        assert words in await world.told(alice)
    items = await alice.client.plugin["xep_0030"].get_items(jid=JID("conference.localhost"))
    assert not items["disco_items"]["items"]


async def test_nobody_gets_around_the_limits_by_haste(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "MOST_INVITED_BY_ONE", 2)
    monkeypatch.setattr(rooms, "MOST_INVITED", 3)
    dens = [f"den{n}@conference.localhost" for n in range(5)]
    async with (
        private_server(tmp_path / "server", users=["bot", "anna"]) as server,
        person(server, "anna") as anna,
        online(account(server)) as bot,
    ):
        for den in dens:
            await anna.join(den, "Anna")
        join = bot.session.rooms.join
        came = await asyncio.gather(
            *(join(den, "", "anna@localhost") for den in dens), return_exceptions=True
        )
        assert [each.reason for each in came if isinstance(each, CannotEnterRoom)] == ["own limit"] * 3
        others = await asyncio.gather(
            *(join(den, "", f"p{den}") for den in dens if den not in bot.session.rooms.joined()),
            return_exceptions=True,
        )
        assert [each.reason for each in others if isinstance(each, CannotEnterRoom)] == ["limit"] * 2
        await join(next(den for den in dens if den not in bot.session.rooms.joined()), "")
        assert len(bot.session.rooms.joined()) == 4


# --- a room that is no more --------------------------------------------------------------------------


async def share(world: World, bob: Peer, tmp_path: Path) -> None:
    """Bob posts two files into a room of his that the bot is in, and has one of them in private, too."""
    await bob.join(ROOM, "Bob")
    await configure(bob, ROOM, whois="anyone", persistentroom="1")
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob)
    (tmp_path / "plan.txt").write_bytes(b"plan")
    await bob.drop(tmp_path / "plan.txt", world.bot)
    await world.told(bob)
    bob.say(f"send plan.txt to {ROOM}", world.bot)
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot" and "is from" in heard.body)
    (tmp_path / "posted.txt").write_bytes(b"posted")
    await bob.drop(tmp_path / "posted.txt", ROOM, mtype="groupchat")
    bob.say("!keep", ROOM, mtype="groupchat")
    await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")


async def test_the_files_of_a_room_that_is_destroyed_go_back_to_their_owners(
    world: World, tmp_path: Path
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await share(world, bob, tmp_path)
    bob.say("!ls", ROOM, mtype="groupchat")
    heard = await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
    assert ("plan.txt" in heard.body, "posted.txt" in heard.body) == (True, True)
    await destroy(bob, ROOM)
    await until(lambda: any("is no more" in line for line in bot.log))
    bob.say("ls", world.bot)
    told = await world.told(bob)
    assert (told.count("plan.txt"), told.count("posted.txt")) == (1, 1)


@pytest.mark.needs("tombstones")
async def test_what_a_room_had_that_was_destroyed_while_the_bot_was_away_is_its_owners(
    world: World, tmp_path: Path
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await share(world, bob, tmp_path)
    await bot.stop()
    await destroy(bob, ROOM)
    await bot.start()
    await until(lambda: any("is no more" in line for line in bot.log))
    bob.say("ls", world.bot)
    told = await world.told(bob)
    assert (told.count("plan.txt"), told.count("posted.txt")) == (1, 1)


async def test_what_a_kill_left_of_a_destroyed_room_is_released_before_a_room_is_entered(
    world: World, tmp_path: Path
) -> None:
    bot, bob = await world.start(), await world.login("bob")
    await share(world, bob, tmp_path)
    await bot.kill()
    # The kill came when nothing but the note was made. There is another room of the address now.
    [path] = tmp_path.rglob("catalog.sqlite")
    with closing(sqlite3.connect(path)) as catalog, catalog:
        catalog.execute("INSERT INTO destroyed_rooms (room) VALUES (?)", (ROOM,))
    await bot.start()
    with closing(sqlite3.connect(path)) as catalog:
        for table in ("destroyed_rooms", "rooms"):
            assert catalog.execute(f"SELECT * FROM {table}").fetchall() == []
    bob.say("ls", world.bot)
    told = await world.told(bob, "plan.txt", "posted.txt")
    assert (told.count("plan.txt"), told.count("posted.txt")) == (1, 1)
    invite_directly(bob, world.bot, ROOM)
    await world.told(bob, f'I am in "{ROOM}" now.')
    bob.say("!ls", ROOM, mtype="groupchat")
    heard = await bob.next_message(lambda heard: heard.sender == f"{ROOM}/filebot")
    assert heard.body.startswith("This room has no files")


async def test_who_invites_at_the_same_time_as_somebody_else_takes_nothing_over(tmp_path: Path) -> None:
    async with (
        private_server(tmp_path / "server", users=["bot", "anna"]) as server,
        person(server, "anna") as anna,
        online(account(server)) as bot,
    ):
        await anna.join(ROOM, "Anna")
        join = bot.session.rooms.join
        first, second = await asyncio.gather(
            join(ROOM, "", "anna@localhost"), join(ROOM, "other", "eve@localhost")
        )
        assert first == second == RememberedRoom(ROOM, "", "anna@localhost")
        assert await join(ROOM, "", None) == RememberedRoom(ROOM)
        assert await join(ROOM, "", "eve@localhost") == RememberedRoom(ROOM)


async def test_a_room_of_the_bots_own_server_is_believed_when_the_bot_is_invited(tmp_path: Path) -> None:
    async with (
        private_server(tmp_path / "server", users=["bot", "anna"]) as server,
        person(server, "anna") as anna,
        online(account(server)) as bot,
    ):
        await anna.join(ROOM, "Anna")
        await configure(anna, ROOM, whois="anyone")
        await bot.session.rooms.join(ROOM, "", "anna@localhost")
        anna.say("!ls", ROOM, mtype="groupchat")
        sender = (await bot.next()).sender
        assert (sender.jid, sender.claimed) == ("anna@localhost", None)
        await affiliate(anna, ROOM, server.jid("bot"), "outcast")
        await until(lambda: ROOM not in bot.session.rooms.addresses)
