"""Rooms that the bot enters and leaves, and people who come online, are told once each."""

from collections.abc import AsyncIterator

import pytest

from filebot.model import Client, Invitation
from filebot.plugin import (
    Context,
    Event,
    OwnerChanged,
    PersonOnline,
    Plugin,
    RoomDestroyed,
    RoomJoined,
    RoomLeft,
)
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room

OTHER = "other@conference.example.org"
OF_ROOMS = (RoomJoined, RoomLeft, RoomDestroyed)

heard: list[tuple[type[Event], str]] = []
durably: list[tuple[type[Event], str]] = []
watcher = Plugin[None]("watcher", api=1)


@watcher.on(Event)
async def hear(ctx: Context[None], event: Event) -> None:
    if isinstance(event, (*OF_ROOMS, OwnerChanged, PersonOnline)):
        heard.append((type(event), getattr(event, "room", "") or ctx.sender.address.jid))


for each in (*OF_ROOMS, PersonOnline):

    @watcher.on(each, durable=True)
    async def hear_durably(ctx: Context[None], event: Event) -> None:
        durably.append((type(event), getattr(event, "room", "") or ctx.sender.address.jid))


@pytest.fixture
async def bot() -> AsyncIterator[FakeBot]:
    heard.clear()
    durably.clear()
    async with FakeBot(watcher) as fake:
        fake.rooms.managers[ROOM] = frozenset({ALICE})
        yield fake


async def test_a_room_is_told_when_the_bot_enters_and_leaves_it(bot: FakeBot) -> None:
    await bot.say(f"join {OTHER}", ADMIN)
    assert heard == [(RoomJoined, OTHER)]
    await bot.say(f"join {OTHER}", ADMIN)
    assert heard == [(RoomJoined, OTHER)]
    await bot.say(f"leave {OTHER}", ADMIN)
    assert heard == [(RoomJoined, OTHER), (RoomLeft, OTHER)]
    await bot.jobs.run()
    assert durably == heard


async def test_an_invitation_that_is_followed_is_told_as_well(bot: FakeBot) -> None:
    await bot.invite(Invitation(OTHER, ALICE))
    assert heard == [(RoomJoined, OTHER)]


async def test_a_room_that_cannot_be_entered_is_not_told(bot: FakeBot) -> None:
    bot.rooms.closed[OTHER] = "banned"
    await bot.say(f"join {OTHER}", ADMIN)
    assert heard == []


async def test_the_end_of_a_room_is_told_after_its_files(bot: FakeBot) -> None:
    await bot.drop("a.txt", b"a", in_room(ALICE))
    await bot.say("keep", in_room(ALICE))
    await bot.destroy(ROOM)
    assert [kind for kind, _ in heard] == [OwnerChanged, RoomDestroyed]
    await bot.jobs.run()
    assert durably == [(RoomDestroyed, ROOM)]


async def test_people_who_come_online_are_told_once_a_minute(bot: FakeBot) -> None:
    await bot.come_online(Client(f"{BOB}/phone", {}))
    await bot.come_online(Client(f"{BOB}/phone", {}), Client(f"{BOB}/tablet", {}))
    await bot.come_online(Client(f"{ALICE}/phone", {}))
    assert heard == [(PersonOnline, BOB), (PersonOnline, ALICE)]
    await bot.jobs.run()
    assert durably == heard


async def test_a_listener_that_fails_keeps_nobody_out_of_a_room() -> None:
    plugin = Plugin[None]("frail", api=1)

    @plugin.on(RoomJoined)
    async def fail(ctx: Context[None], _: RoomJoined) -> None:
        raise LookupError

    async with FakeBot(plugin, may_fail=True) as bot:
        assert "I am in" in (await bot.say(f"join {OTHER}", ADMIN))[-1]
