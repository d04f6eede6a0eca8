"""Who may do what with a room's files. The first tests are what errbot#334 and its relatives are about."""

import asyncio

import pytest

from filebot.model import IncomingMessage, Scope
from filebot.service.access import Access
from filebot.testing import FakeBot
from filebot.testing.bot import ADMIN, ALICE, BOB, ROOM, in_room, through_room

CAROL = "carol@elsewhere.example"
"""The bot does not serve her."""


async def shared(bot: FakeBot, name: str = "plan.txt", owner: str = ALICE) -> None:
    """A file of this owner, shared with the room."""
    await bot.drop(name, name.encode(), owner)
    await bot.say(f"get {name}", in_room(owner))


async def names(bot: FakeBot, room: str = ROOM) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(room=room), limit=50)]


async def test_errbot_334_the_nick_of_an_admin_gives_no_right_in_a_private_message(bot: FakeBot) -> None:
    await shared(bot)
    for nick in ("admin", ADMIN, "alice", ALICE):
        for jid in (None, BOB):
            await bot.say("rm plan.txt", through_room(jid, nick))
    assert await names(bot) == ["plan.txt"]


async def test_errbot_334_the_nick_of_an_admin_gives_no_right_in_the_room(bot: FakeBot) -> None:
    await shared(bot)
    for nick in ("admin", ADMIN, "alice", ALICE):
        for jid in (None, BOB):
            await bot.say("rm plan.txt", in_room(jid, nick))
    assert await names(bot) == ["plan.txt"]


def test_an_occupants_address_among_the_admins_makes_nobody_an_admin() -> None:
    access = Access(admins=[f"{ROOM}/boss"], allow=["*@example.org"])
    for sender in (in_room(None, "boss"), through_room(None, "boss")):
        assert not access.is_admin(sender.jid)
        assert not access.serves(sender.jid)
    assert not access.is_admin(ROOM)


def test_a_rooms_address_among_the_allowed_lets_its_occupants_do_no_more() -> None:
    access = Access(allow=[ROOM, f"{ROOM}/*"])
    for sender in (in_room(None, "anna"), through_room(None, "anna"), in_room(CAROL), through_room(CAROL)):
        assert not access.serves(sender.jid)


async def test_who_takes_somebodys_nick_a_second_later_gets_nothing_of_theirs(bot: FakeBot) -> None:
    await bot.drop("diary.txt", b"secret", ALICE)
    await shared(bot)
    thief = through_room(None, "alice")
    assert not any("diary" in each for each in await bot.say("ls", thief))
    await bot.say("rm plan.txt", thief)
    await bot.say("rename plan.txt to mine.txt", thief)
    assert await names(bot) == ["plan.txt"]
    files = len(bot.sent)
    await bot.say("get diary.txt", thief)
    assert len(bot.sent) == files


async def test_owners_and_admins_of_the_room_manage_all_of_its_files(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({BOB})
    await shared(bot)
    await bot.say("rename plan.txt to plan2.txt", in_room(BOB))
    assert await names(bot) == ["plan2.txt"]
    await bot.say("rm plan2.txt", through_room(BOB))
    assert await names(bot) == []


async def test_the_owners_private_file_stays_theirs_when_the_room_removes_its_own(bot: FakeBot) -> None:
    bot.rooms.managers[ROOM] = frozenset({BOB})
    await shared(bot)
    await bot.say("rm plan.txt", in_room(BOB))
    assert [each.name for each in await bot.catalog.page(Scope(owner=ALICE), limit=9)] == ["plan.txt"]


async def test_an_admin_of_one_room_is_none_of_another(bot: FakeBot) -> None:
    bot.rooms.managers["other@conference.example.org"] = frozenset({BOB})
    await shared(bot)
    answer = await bot.say("rm plan.txt", in_room(BOB))
    assert answer == ["Only the person whose file it is may do that."]
    assert await names(bot) == ["plan.txt"]


async def test_an_affiliation_that_was_taken_away_between_request_and_act_counts_no_more(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.rooms.managers[ROOM] = frozenset({BOB})
    await shared(bot)
    (entry,) = await bot.catalog.page(Scope(room=ROOM), limit=1)
    manages, answers = bot.rooms.manages, list[bool]()

    def recorded(room: str, jid: str) -> bool:
        answers.append(manages(room, jid))
        return answers[-1]

    monkeypatch.setattr(bot.rooms, "manages", recorded)
    # What holds up the act: somebody else is at work on the same bytes.
    async with bot._desk.locks(entry.blob.digest):
        await bot.reception.receive(IncomingMessage(in_room(BOB), "rm plan.txt"))
        async with asyncio.timeout(5):
            while not answers:
                await asyncio.sleep(0)
        bot.rooms.managers[ROOM] = frozenset()
    await bot.reception.idle()
    assert answers == [True, False]
    assert await names(bot) == ["plan.txt"]


async def test_who_is_denied_manages_nothing(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    mallory = "mallory@example.org"
    monkeypatch.setattr(bot.rooms, "manages", lambda room, jid: jid == mallory)
    await shared(bot)
    await bot.say("rm plan.txt", in_room(mallory))
    assert await names(bot) == ["plan.txt"]
