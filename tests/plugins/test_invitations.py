"""People whom the bot serves bring it into rooms, and send it away again."""

import asyncio
from dataclasses import replace

import pytest

from filebot.errors import CatalogUnavailable
from filebot.model import AddressKind, Invitation, RememberedRoom
from filebot.testing import FakeBot
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, in_room, through_room

DEN = "den@muc.elsewhere.example"
CAROL = "carol@elsewhere.example"
MALLORY = "mallory@example.org"
BY_ALICE = Invitation(DEN, ALICE, "sesame")
MEDIATED = replace(BY_ALICE, mediated_for=f"{ALICE}/phone")


@pytest.mark.parametrize("invitation", [BY_ALICE, MEDIATED], ids=["direct", "mediated"])
async def test_the_bot_comes_remembers_and_thanks_in_one_line(bot: FakeBot, invitation: Invitation) -> None:
    (answer,) = await bot.invite(invitation)
    assert answer == (
        f'I am in "{DEN}" now. To begin, type "!help" or "filebot: help" there. '
        f"To make me leave, type: leave {DEN}"
    )
    assert bot.messenger.sent[-1].to.jid == ALICE
    assert DEN in bot.rooms.joined()
    assert bot.rooms.passwords[DEN] == "sesame"
    assert bot.rooms.inviters[DEN] == ALICE
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "sesame", ALICE)]


@pytest.mark.parametrize("by_command", [True, False])
async def test_the_room_is_told_how_to_begin_if_the_operator_wants_that(*, by_command: bool) -> None:
    async with FakeBot(settings={"rooms": {"greet": True}}) as bot:
        _, told = await (bot.say(f"join {DEN}") if by_command else bot.invite(BY_ALICE))
        assert told == "I keep files for this room. To see how, type: !help"
        assert (bot.messenger.sent[-1].to.jid, bot.messenger.sent[-1].to.kind) == (DEN, AddressKind.ROOM)


@pytest.mark.parametrize("first_direct", [True, False])
async def test_an_invitation_in_both_forms_acts_once(bot: FakeBot, *, first_direct: bool) -> None:
    bot.rooms.closed = {DEN: "members"}
    one, other = (BY_ALICE, MEDIATED) if first_direct else (MEDIATED, BY_ALICE)
    answers = await bot.invite(one) + await bot.invite(other)
    assert (len(answers), len(bot.rooms.declined)) == ((1, 0) if first_direct else (0, 1))


async def test_somebody_whom_the_room_hides_is_told_once_to_write_in_private(bot: FakeBot) -> None:
    hidden = Invitation(DEN, None, "", f"{DEN}/admin")
    for _ in range(2):
        assert await bot.invite(hidden) == []
    ((declined, words),) = bot.rooms.declined
    assert declined.mediated_for == f"{DEN}/admin"
    assert f"join {DEN}" in words
    assert bot.rooms.joined() == {ROOM}
    await bot.invite(BY_ALICE)
    await bot.invite(replace(hidden, mediated_for=f"{DEN}/other"))  # it is there already
    assert len(bot.rooms.declined) == 1


async def test_both_forms_at_the_same_time_act_once(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go = list[str](), asyncio.Event()

    async def slowly(room: str, password: str, invited_by: str | None = None) -> None:
        entered.append(room)
        await go.wait()

    monkeypatch.setattr(bot.rooms, "join", slowly)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for each in (BY_ALICE, MEDIATED):
            group.create_task(bot.dispatcher.receive_invitation(each))
        while not entered:
            await asyncio.sleep(0)
        go.set()
    assert entered == [DEN]


@pytest.mark.parametrize("person", [CAROL, MALLORY])
async def test_strangers_and_the_denied_are_told_once_and_get_nothing(bot: FakeBot, person: str) -> None:
    (answer,) = await bot.invite(replace(BY_ALICE, inviter=person))
    assert answer.startswith("I only serve certain people")
    for room in ("a@muc.elsewhere.example", "b@muc.elsewhere.example"):
        assert await bot.invite(Invitation(room, person)) == []
        assert await bot.invite(Invitation(room, person, "", f"{person}/x")) == []
    assert bot.rooms.declined == []
    assert bot.rooms.joined() == {ROOM}
    assert await bot.catalog.rooms() == []


async def test_a_stranger_who_invites_through_a_room_is_declined_through_it(bot: FakeBot) -> None:
    assert await bot.invite(replace(MEDIATED, inviter=CAROL)) == []
    ((declined, words),) = bot.rooms.declined
    assert declined.inviter == CAROL
    assert words.startswith("I only serve certain people")


@pytest.mark.parametrize("reason", ["banned", "members", "password", "own limit", "none", "silent"])
async def test_why_it_does_not_come_is_said_where_the_invitation_came_from(
    bot: FakeBot, reason: str
) -> None:
    bot.rooms.closed = {DEN: reason, ROOM + ".example": reason}
    (answer,) = await bot.invite(BY_ALICE)
    assert bot.messenger.sent[-1].to.jid == ALICE
    assert await bot.invite(Invitation(ROOM + ".example", ALICE, "", ALICE)) == []
    ((_, words),) = bot.rooms.declined
    assert words.replace(ROOM + ".example", DEN) == answer
    assert await bot.catalog.rooms() == []


async def test_what_cannot_be_remembered_is_left_again(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(room: RememberedRoom) -> None:
        raise CatalogUnavailable

    monkeypatch.setattr(bot.catalog, "remember_room", broken)
    (answer,) = await bot.invite(BY_ALICE)
    assert "now" not in answer.split(".")[0]
    assert bot.rooms.joined() == {ROOM}


async def test_where_it_is_already_an_invitation_changes_nothing(bot: FakeBot) -> None:
    await bot.say(f"join {DEN} with secret", ADMIN)
    (answer,) = await bot.invite(BY_ALICE)
    assert answer.startswith(f'I am in "{DEN}" now.')
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "secret")]
    assert bot.rooms.inviters[DEN] is None


async def test_who_invited_first_stays_the_one(bot: FakeBot) -> None:
    await bot.invite(BY_ALICE)
    del bot.rooms.occupants[DEN]  # its server is away
    await bot.invite(replace(BY_ALICE, inviter=BOB))
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "sesame", ALICE)]


async def test_whoever_invites_it_after_somebody_who_may_no_more_is_the_one(bot: FakeBot) -> None:
    await bot.catalog.remember_room(RememberedRoom(DEN, "", CAROL))
    await bot.invite(BY_ALICE)
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "sesame", ALICE)]


async def test_an_admin_who_joins_vouches_for_a_room_that_the_bot_was_invited_to(bot: FakeBot) -> None:
    await bot.invite(replace(BY_ALICE, inviter=ADMIN))
    assert bot.rooms.inviters[DEN] == ADMIN
    await bot.say(f"join {DEN}", ADMIN)
    assert bot.rooms.inviters[DEN] is None
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "sesame")]


async def test_join_by_somebody_who_is_served_is_an_invitation(bot: FakeBot) -> None:
    assert await bot.say(f"join {DEN}", ALICE) == [
        f'I am in "{DEN}" now, and I will stay there. To begin, type "!help" or "filebot: help" there.'
    ]
    assert await bot.catalog.rooms() == [RememberedRoom(DEN, "", ALICE)]


async def test_where_only_admins_invite_others_are_told_so() -> None:
    async with FakeBot(invitations=False) as bot:
        assert await bot.invite(BY_ALICE) == ["Only my operator can do that."]
        assert await bot.say(f"join {DEN}", ALICE) == ["Only my operator can do that."]
        assert bot.rooms.joined() == {ROOM}
        await bot.invite(replace(BY_ALICE, inviter=ADMIN))
        assert DEN in bot.rooms.joined()


async def test_who_invites_without_end_is_not_answered_without_end(bot: FakeBot) -> None:
    answers = [await bot.invite(Invitation(f"r{n}@muc.elsewhere.example", ALICE)) for n in range(100)]
    assert sum(map(len, answers)) == 60


# --- leaving --------------------------------------------------------------------------------------


async def test_the_inviter_sends_it_away_again(bot: FakeBot) -> None:
    await bot.invite(BY_ALICE)
    (answer,) = await bot.say(f"leave {DEN}", BOB)
    assert "the person who brought me there" in answer
    assert await bot.say(f"leave {DEN}", ALICE) == [f'I left "{DEN}". I still keep its files.']
    assert bot.rooms.joined() == {ROOM}
    assert await bot.catalog.rooms() == []


async def test_owners_and_admins_of_a_room_send_it_away_and_others_do_not(bot: FakeBot) -> None:
    await bot.invite(BY_ALICE)
    bot.rooms.occupants[DEN] = frozenset({f"{DEN}/9000", f"{DEN}/7000"})
    bot.rooms.managers[DEN] = frozenset({f"{DEN}/9000"})
    await bot.say("leave", in_room(None, "boss", DEN, "7000"))
    await bot.say(f"leave {DEN}", in_room(None, "boss", ROOM, "9000"))
    assert DEN in bot.rooms.joined()
    assert await bot.say("leave", in_room(None, "hal", DEN, "9000")) == []
    assert DEN not in bot.rooms.joined()
    assert await bot.catalog.rooms() == []


async def test_who_sends_it_away_in_the_room_is_told_in_private(bot: FakeBot) -> None:
    await bot.invite(Invitation(DEN, ALICE))
    for sender in (in_room(ALICE, "alice", DEN), through_room(ALICE, "alice", DEN)):
        bot.rooms.occupants[DEN] = frozenset()
        await bot.catalog.remember_room(RememberedRoom(DEN, "", ALICE))
        assert await bot.say("leave", sender) == [f'I left "{DEN}". I still keep its files.']
        assert bot.messenger.sent[-1].to.jid == ALICE


async def test_leave_needs_a_room_in_a_private_chat(bot: FakeBot) -> None:
    (answer,) = await bot.say("leave", ADMIN)
    assert "leave ROOM" in answer
    assert bot.rooms.joined() == {ROOM}
