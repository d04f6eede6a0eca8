"""Rooms of a service that nobody vouches for, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.localserver.peer import Peer
from filebot.model import RememberedRoom
from tests.e2e.test_session import LIMIT_S, account, online
from tests.servers import private_server
from tests.support.inviting import World, invite_directly, world_with
from tests.support.strange_rooms import EVIL, STRANGE, strange
from tests.support.waiting import until

GATEWAY = "irc.localhost"


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world_with(tmp_path, EVIL, *getattr(request, "param", [])) as made:
        yield made


async def has_a_secret(world: World, alice: Peer, tmp_path: Path) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(b"secret")
    await alice.drop(path, world.bot)
    await world.told(alice)


async def test_a_room_of_a_strange_service_that_says_somebody_is_the_admin_gives_nothing_of_the_admins(
    world: World, tmp_path: Path
) -> None:
    await world.start()
    alice, bob = await world.login("alice"), await world.login("bob")
    await has_a_secret(world, alice, tmp_path)
    async with strange(world.server, "alice@localhost") as service:
        invite_directly(bob, world.bot, STRANGE)
        bot = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        assert (await world.told(bob)).startswith(f'I am in "{STRANGE}" now.')
        for public in (True, False):
            service.say("!ls" if public else "ls", bot, public=public)
            assert "diary" not in await service.answer()
            for command in ("get diary.txt", "info #1", "rm #1"):
                service.say(f"!{command}" if public else command, bot, public=public)
                assert "#1" in (answer := await service.answer()) or "diary.txt" in answer
                assert "http" not in answer
                assert "removed" not in answer
        service.say("transfers", bot, public=False)
        assert "trust" in await service.answer()
    alice.say("ls", world.bot)
    assert "diary.txt" in await world.told(alice)


async def test_an_admin_who_names_a_room_vouches_for_its_service(world: World, tmp_path: Path) -> None:
    await world.start()
    alice = await world.login("alice")
    await has_a_secret(world, alice, tmp_path)
    async with strange(world.server, "alice@localhost") as service:
        alice.say(f"join {STRANGE}", world.bot)
        bot = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        await world.told(alice)
        service.say("info diary.txt", bot, public=False)
        assert "diary.txt" in await service.answer()
        service.say("get diary.txt", bot, public=False)
        assert "http" in await service.answer()


@pytest.mark.parametrize("world", [[GATEWAY]], indirect=True)
async def test_people_of_another_network_are_not_whom_they_make_its_gateway_show(world: World) -> None:
    # Before the bot looks which services its server has.
    async with strange(world.server, "alice@localhost", GATEWAY, "irc") as service:
        await world.start()
        alice, bob = await world.login("alice"), await world.login("bob")
        invite_directly(bob, world.bot, service.den)
        bot = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        assert (await world.told(bob)).startswith(f'I am in "{service.den}" now.')
        service.say("transfers", bot, public=False)
        assert "trust" in await service.answer()
        alice.say(f"join {service.den}", world.bot)
        await world.told(alice)
        service.say("transfers", bot, public=False)
        assert "trust" in await service.answer()


@pytest.mark.parametrize("end", ["left", "banned"])
async def test_a_service_is_believed_while_those_who_run_the_bot_want_it_in_a_room_there(
    tmp_path: Path, end: str
) -> None:
    trap = f"trap@{EVIL}"
    async with (
        private_server(tmp_path / "server", users=["bot"], components=[EVIL]) as server,
        strange(server, "anna@localhost") as service,
        online(account(server)) as bot,
    ):
        known = bot.session.rooms
        assert await known.join(trap, "", "eve@localhost") == RememberedRoom(trap, "", "eve@localhost")
        assert known.occupant(trap, "admin").jid is None
        await known.join(STRANGE, "")
        assert known.occupant(trap, "admin").jid == "anna@localhost"
        if end == "left":
            await known.leave(STRANGE)
        else:
            service.put_out(f"{STRANGE}/Filebot", await service.entered.get())
            await until(lambda: STRANGE not in known.addresses)
        assert known.occupant(trap, "admin").jid is None
        assert known.joined() == {trap}


async def test_whoever_makes_a_destroyed_room_anew_gets_none_of_its_files_even_if_an_admin_joins_it(
    world: World, tmp_path: Path
) -> None:
    # With this service, since Prosody gives the address of a destroyed room to nobody else for a month.
    bot = await world.start()
    alice, bob = await world.login("alice"), await world.login("bob")
    async with strange(world.server, "bob@localhost") as service:
        alice.say(f"join {STRANGE}", world.bot)
        occupant = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        await world.told(alice)
        (tmp_path / "plan.txt").write_bytes(b"plan")
        await bob.drop(tmp_path / "plan.txt", world.bot)
        await world.told(bob)
        bob.say(f"send plan.txt to {STRANGE}", world.bot)
        assert "http" in await service.answer()
        service.claimed = "eve@localhost"
        service.put_out(f"{STRANGE}/filebot", occupant, destroyed=True)
        await until(lambda: any(f"{STRANGE} is no more" in line for line in bot.log))
        alice.say(f"join {STRANGE}", world.bot)
        assert "I will stay there" in await world.told(alice)
        for command in ("!ls", "!get plan.txt", "!get #1", "!get #2"):
            service.say(command, occupant)
            assert (await service.answer()).startswith(("This room has no files", "I have no file"))


async def test_who_invites_through_a_room_of_a_strange_service_is_not_believed(world: World) -> None:
    bot = await world.start()
    bob = await world.login("bob")
    async with strange(world.server, "bob@localhost") as service:
        service.invite(world.bot)
        await until(lambda: any(f"ignored: {STRANGE} says that bob@localhost" in line for line in bot.log))
        bob.say("help", world.bot)
        assert "I am in" not in await world.told(bob)
        assert service.entered.empty()
