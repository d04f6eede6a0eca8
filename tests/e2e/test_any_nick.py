"""Occupants with names of any Unicode version, of a service that allows them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.test_session import LIMIT_S
from tests.support.inviting import World, invite_directly, world_with
from tests.support.strange_rooms import EVIL, STRANGE, strange


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_with(tmp_path, EVIL) as made:
        yield made


@pytest.mark.needs("newer nicks")
@pytest.mark.parametrize("nick", ["Carol 🦊", "ᏸ 🫠"])
async def test_an_occupant_with_a_newer_name_is_answered(world: World, nick: str) -> None:
    await world.start()
    bob = await world.login("bob")
    async with strange(world.server, "alice@localhost") as service:
        service.nick = nick
        invite_directly(bob, world.bot, STRANGE)
        bot = await asyncio.wait_for(service.entered.get(), LIMIT_S)
        assert (await world.told(bob)).startswith(f'I am in "{STRANGE}" now.')
        service.say("!ls", bot)
        assert "no files" in await service.answer()
        service.say("ls", bot, public=False)
        assert "no files" in await service.answer()
        for payload in (
            "<ping xmlns='urn:xmpp:ping'/>",
            "<query xmlns='jabber:iq:version'/>",
            "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        ):
            assert await service.asked(payload, bot) == "result", payload
