"""Rights to a room's files. The first tests cover errbot#334 and related issues."""

import asyncio
from dataclasses import replace

import pytest

from filebot.files.access import Access
from filebot.files.quota import FILE_OVERHEAD_BYTES
from filebot.model import Address, AddressKind, IncomingMessage, RoomRole, Scope, Sender
from filebot.testing import FakeBot
from filebot.testing.bot import LIMITS
from filebot.testing.senders import ADMIN, ALICE, BOB, ROOM, in_room, through_room

CAROL = "carol@elsewhere.example"
"""The bot does not serve her."""


async def shared(bot: FakeBot, name: str = "plan.txt", owner: str = ALICE) -> None:
    """A file of this owner, shared with the room."""
    await bot.drop(name, name.encode(), owner)
    await bot.say(f"send {name} to {ROOM}", in_room(owner))


async def names(bot: FakeBot, room: str = ROOM) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(room=room), limit=50)]


async def test_errbot_334_the_nick_of_an_admin_gives_no_right_in_a_private_message(bot: FakeBot) -> None:
    await shared(bot)
    for nick in ("admin", ADMIN, "alice", ALICE):
        for jid in (None, BOB):
            await bot.say("rm plan.txt", through_room(jid, nick))
    assert await names(bot) == ["plan.txt"]


@pytest.mark.conformance(93)
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
    assert answer == ["Only the file's owner and the room's owners and admins can do that."]
    assert await names(bot) == ["plan.txt"]


@pytest.mark.conformance(94)
async def test_an_affiliation_that_was_taken_away_between_request_and_act_counts_no_more(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.rooms.managers[ROOM] = frozenset({BOB})
    await shared(bot)
    (entry,) = await bot.catalog.page(Scope(room=ROOM), limit=1)
    room_role, answers = bot.rooms.room_role, list[bool]()

    def recorded(room: str, who: str) -> RoomRole | None:
        found = room_role(room, who)
        answers.append(found is not None and found.manages)
        return found

    monkeypatch.setattr(bot.rooms, "room_role", recorded)
    # Holding the lock of the blob delays the deletion until the rights have changed.
    async with bot._services.locks(entry.blob.digest):
        received = asyncio.create_task(bot.dispatcher.receive(IncomingMessage(in_room(BOB), "rm plan.txt")))
        async with asyncio.timeout(5):
            while len(answers) < 4:
                await asyncio.sleep(0)
        bot.rooms.managers[ROOM] = frozenset()
    await received
    assert answers == [True, True, True, True, False]
    assert await names(bot) == ["plan.txt"]


async def test_who_is_denied_manages_nothing(bot: FakeBot) -> None:
    mallory = "mallory@example.org"
    bot.rooms.occupants[ROOM] |= {mallory}
    bot.rooms.managers[ROOM] = frozenset({mallory})
    await shared(bot)
    await bot.say("rm plan.txt", in_room(mallory))
    assert await names(bot) == ["plan.txt"]


# --- where the room hides who people are ----------------------------------------------------------


async def posted(bot: FakeBot, sender: Sender, name: str = "plan.txt") -> list[str]:
    """Somebody posts a file in the room and says ``keep``."""
    await bot.drop(name, name.encode(), sender)
    return await bot.say("keep", sender)


@pytest.fixture
def hidden(bot: FakeBot) -> Sender:
    """Somebody of whom the room tells an id only."""
    sender = in_room(None, "hal", occupant_id="9000")
    bot.rooms.occupants[ROOM] |= {f"{ROOM}/9000"}
    return sender


async def test_an_occupant_owns_files_by_the_id_that_the_room_gives(bot: FakeBot, hidden: Sender) -> None:
    await posted(bot, hidden)
    (entry,) = await bot.catalog.page(Scope(room=ROOM), limit=9)
    assert entry.owner == f"{ROOM}/9000"
    await bot.say("rename plan.txt to plan2.txt", replace(hidden, nick="under another nick"))
    assert await names(bot) == ["plan2.txt"]
    await bot.say("rm plan2.txt", hidden)
    assert await names(bot) == []


async def test_the_nick_of_a_hidden_owner_gives_nothing(bot: FakeBot, hidden: Sender) -> None:
    await posted(bot, hidden)
    for occupant_id in ("", "6000"):
        await bot.say("rm plan.txt", in_room(None, "hal", occupant_id=occupant_id))
    assert await names(bot) == ["plan.txt"]


async def test_of_whom_the_room_tells_nothing_nothing_is_kept(bot: FakeBot) -> None:
    (answer,) = await posted(bot, in_room(None, "hal"))
    assert "hides your address" in answer
    assert await names(bot) == []


async def test_an_occupants_id_is_worth_nothing_in_another_room(bot: FakeBot, hidden: Sender) -> None:
    await posted(bot, hidden)
    (entry,) = await bot.catalog.page(Scope(room=ROOM), limit=9)
    for sender in (
        in_room(None, "hal", "other@conference.example.org", "9000"),
        through_room(None, "hal", "other@conference.example.org", "9000"),
    ):
        await bot.say(f"rm #{entry.id}", sender)
        assert not any("plan" in each for each in await bot.say("ls", sender))
    assert await names(bot) == ["plan.txt"]


async def test_an_occupant_has_a_quota_of_their_own(hidden: Sender) -> None:
    async with FakeBot(limits=replace(LIMITS, quota_per_user_bytes=FILE_OVERHEAD_BYTES + 10)) as bot:
        bot.rooms.occupants[ROOM] |= {f"{ROOM}/9000", f"{ROOM}/7000"}
        await posted(bot, hidden)
        (full,) = await posted(bot, hidden, "second.txt")
        assert "There is not enough space" in full
        await posted(bot, in_room(None, "ida", occupant_id="7000"), "second.txt")
        assert sorted(await names(bot)) == ["plan.txt", "second.txt"]


async def test_a_hidden_admin_of_the_room_manages_its_files(bot: FakeBot, hidden: Sender) -> None:
    await shared(bot)
    bot.rooms.managers[ROOM] = frozenset({f"{ROOM}/9000"})
    await bot.say("rm plan.txt", hidden)
    assert await names(bot) == []


async def test_who_is_no_user_of_the_bot_owns_files_in_the_room_and_nothing_else(bot: FakeBot) -> None:
    bot.rooms.occupants[ROOM] |= {CAROL}
    await posted(bot, in_room(CAROL, "carol"))
    assert await names(bot) == ["plan.txt"]
    await bot.say("fetch https://upload.example.org/carol/plan.txt", through_room(CAROL, "carol"))
    assert await bot.catalog.count(Scope(owner=CAROL)) == 0
    await bot.say("rm plan.txt", in_room(CAROL, "carol"))
    assert await names(bot) == []


async def test_what_was_kept_while_the_room_hid_its_owner_is_still_theirs_when_it_shows_them(
    bot: FakeBot, hidden: Sender
) -> None:
    await posted(bot, hidden)
    await bot.say("rm plan.txt", replace(hidden, jid=BOB))
    assert await names(bot) == []


async def test_who_may_not_speak_in_a_room_puts_nothing_into_it(bot: FakeBot) -> None:
    await bot.drop("plan.txt", b"plan", BOB)
    bot.rooms.visitors[ROOM] = frozenset({BOB})
    for answer in (await posted(bot, in_room(BOB, "bob")), await bot.say(f"send plan.txt to {ROOM}", BOB)):
        assert "not allowed to post" in answer[0]
    assert await names(bot) == []


# --- a room whose service says what it likes -----------------------------------------------------------

STRANGE = "den@muc.evil.example"


@pytest.fixture
def impostor(bot: FakeBot) -> Sender:
    """Occupant whom an untrusted room service claims to be the admin of the bot."""
    mark = f"{STRANGE}/{ADMIN}"
    bot.rooms.occupants[STRANGE] = frozenset({mark})
    bot.rooms.managers[STRANGE] = frozenset({mark})
    return Sender(Address(STRANGE, AddressKind.ROOM), None, STRANGE, "admin", occupant=mark, claimed=ADMIN)


async def test_a_room_of_a_strange_service_that_says_somebody_is_the_admin_gives_nothing_of_the_admins(
    bot: FakeBot, impostor: Sender
) -> None:
    await bot.drop("diary.txt", b"secret", ADMIN)
    await shared(bot)
    (diary,) = await bot.catalog.page(Scope(owner=ADMIN), limit=9)
    private = replace(
        impostor, address=Address(f"{STRANGE}/admin", AddressKind.ROOM_PRIVATE, impostor.identity)
    )
    sent = len(bot.sent)
    for sender in (impostor, private):
        for command in (
            "ls",
            "find diary",
            "get diary.txt",
            f"get #{diary.id}",
            f"rm #{diary.id}",
            f"info #{diary.id}",
            "rm plan.txt",
            "send diary.txt to bob@example.org",
            f"send diary.txt to {STRANGE}",
            "quota",
            "transfers",
        ):
            said = await bot.say(command, sender)
            assert not any("secret" in each or "from a browser" in each for each in said)
        await bot.say("join other@muc.evil.example", sender)
        await bot.say(f"leave {ROOM}", sender)
    assert len(bot.sent) == sent
    assert bot.rooms.joined() == {ROOM, STRANGE}
    assert [each.name for each in await bot.catalog.page(Scope(owner=ADMIN), limit=9)] == ["diary.txt"]
    assert await names(bot) == ["plan.txt"]


async def test_what_somebody_keeps_in_a_room_of_a_strange_service_is_not_who_it_says_they_are(
    bot: FakeBot, impostor: Sender
) -> None:
    await posted(bot, impostor, "trap.txt")
    (entry,) = await bot.catalog.page(Scope(room=STRANGE), limit=9)
    assert entry.owner == f"{STRANGE}/{ADMIN}"
    assert await bot.catalog.used_by(ADMIN) == (0, 0)
    assert not any("trap" in each for each in await bot.say("ls", ADMIN))


@pytest.mark.parametrize("was_believed", [True, False])
async def test_who_wants_nothing_kept_is_heeded_whether_the_room_is_believed_then_or_not(
    bot: FakeBot, *, was_believed: bool
) -> None:
    strange = Sender(
        Address(STRANGE, AddressKind.ROOM), None, STRANGE, "a", f"{STRANGE}/{ALICE}", claimed=ALICE
    )
    known = in_room(ALICE, "a", STRANGE)
    then, now = (known, strange) if was_believed else (strange, known)
    bot.rooms.occupants[STRANGE] = frozenset({ALICE, f"{STRANGE}/{ALICE}"})
    bot.rooms.managers[STRANGE] = bot.rooms.occupants[STRANGE]
    await bot.say("room set archive on", then)
    await bot.drop("before.txt", b"before", then)
    assert await names(bot, STRANGE) == ["before.txt"]
    await bot.say("archive off for me", then)
    assert await names(bot, STRANGE) == []
    await bot.drop("after.txt", b"after", now)
    assert await names(bot, STRANGE) == []
    await bot.say("archive on for me", now)
    await bot.drop("again.txt", b"again", now)
    assert await names(bot, STRANGE) == ["again.txt"]


async def test_who_is_denied_is_denied_where_a_strange_service_says_who_they_are(bot: FakeBot) -> None:
    mallory = "mallory@example.org"
    mark = f"{STRANGE}/m4"
    bot.rooms.occupants[STRANGE] = frozenset({mark})
    bot.rooms.managers[STRANGE] = frozenset({mark})
    sender = Sender(Address(STRANGE, AddressKind.ROOM), None, STRANGE, "m", occupant=mark, claimed=mallory)
    await bot.say("help", sender)  # one refusal
    assert await posted(bot, sender, "plan.txt") == []
    assert await bot.say("ls", sender) == []
    assert await bot.say("leave", sender) == []
    assert await names(bot, STRANGE) == []


async def test_somebody_whom_nobody_vouches_for_is_told_to_write_in_private(
    bot: FakeBot, impostor: Sender
) -> None:
    (answer,) = await bot.say("quota", replace(impostor, occupant=None))
    assert "trust" in answer
