"""A room is told of its new files, some at a time, if its admins want that."""

from datetime import timedelta
from itertools import pairwise

import pytest

from filebot.events.facts import RoomFilesAdded, room_itself
from filebot.files.intake import Destination
from filebot.model import AddressKind, IncomingMessage, Offer, Scope
from filebot.plugin import Context, Plugin
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room
from filebot.testing.messenger import Said
from filebot.testing.senders import through_room
from plugins.announce.gathering import GATHER_S, MOST_IDS, Gathering

ANNA = in_room(ALICE, "anna")
BEN = in_room(BOB, "ben")
SOON = timedelta(seconds=GATHER_S)


@pytest.fixture
async def managed(bot: FakeBot) -> FakeBot:
    """Alice manages a room that keeps what is posted, and wants to hear of it."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set announce on", ANNA)
    await bot.say("room set archive on", ANNA)
    return bot


async def announced(bot: FakeBot, after: timedelta = SOON, *, may_fail: bool = False) -> list[str]:
    """Return what the room is told of new files after a time."""
    bot.may_fail = may_fail
    told = await bot.jobs.run()
    return told + await bot.pass_time(after)


async def test_new_files_are_announced_together(managed: FakeBot) -> None:
    for number in range(7):
        assert await managed.drop(f"{number}.txt", str(number).encode(), BEN) == []
    (text,) = await announced(managed)
    lines = text.splitlines()
    assert lines[0] == "7 new files in this room:"
    assert [each.split()[0] for each in lines[1:6]] == [f"{number}.txt" for number in range(5)]
    assert lines[-2:] == ["and 2 more.", "To get the first one, type: !get 0.txt"]
    said = managed.messenger.sent[-1]
    assert isinstance(said, Said)
    assert (said.to.jid, said.to.kind) == (ROOM, AddressKind.ROOM)
    assert await announced(managed, timedelta(days=1)) == []


async def test_a_room_that_wants_no_announcements_hears_none(managed: FakeBot) -> None:
    await managed.say("room set announce off", ANNA)
    await managed.drop("a.txt", b"a", BEN)
    assert await managed.jobs.count("announce") == 0
    await managed.say("room set announce on", ANNA)
    await managed.say("room set who-may-get members", ANNA)
    await managed.drop("b.txt", b"b", BEN)
    assert await announced(managed) == []


@pytest.mark.parametrize("setting", ["who-may-get members", "announce off"])
async def test_what_the_admins_want_when_the_room_would_be_told_counts(
    managed: FakeBot, setting: str
) -> None:
    await managed.drop("secret.txt", b"secret", BEN)
    await managed.jobs.run()
    await managed.say(f"room set {setting}", through_room(ALICE, "anna"))
    assert await announced(managed) == []


async def test_what_is_kept_from_aside_is_announced_and_what_is_public_already_is_not(
    managed: FakeBot,
) -> None:
    await managed.say("room set archive off", ANNA)
    await managed.drop("a.txt", b"a", BEN)
    await managed.say("keep", BEN)
    await managed.drop("own.txt", b"own", BOB)
    await managed.say(f"send own.txt to {ROOM}", BOB)
    assert await announced(managed) == []
    await managed.drop("b.txt", b"b", BEN)
    await managed.say("keep", through_room(BOB, "ben"))
    (text,) = await announced(managed)
    assert text.startswith("One new file in this room:\n  b.txt")


async def test_private_files_are_no_business_of_a_room(managed: FakeBot) -> None:
    await managed.drop("own.txt", b"own", BOB)
    await managed.drop("aside.txt", b"aside", through_room(BOB, "ben"))
    assert await managed.jobs.count("announce") == 0


async def test_what_is_found_in_the_history_is_not_announced(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    offer = Offer(urls=([*managed.web.hosted][-1],))
    await managed.say("rm a.txt", ANNA)
    await managed.jobs.run()
    old = Destination(BOB, room_itself(ROOM), ROOM, auto_archived=True, from_history=True)
    await managed._services.files.stored.drops.fetch(offer, old)
    assert await managed.catalog.count(Scope(room=ROOM)) == 1
    assert await announced(managed) == []


async def test_a_file_that_is_gone_by_then_is_not_announced(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    await managed.drop("b.txt", b"b", BEN)
    await managed.say("rm a.txt", ANNA)
    (text,) = await announced(managed)
    assert text.startswith("One new file in this room:\n  b.txt")


async def test_who_posted_a_file_and_left_has_it_announced_all_the_same(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    managed.rooms.occupants[ROOM] = frozenset({ALICE})
    (text,) = await announced(managed)
    assert "a.txt" in text


async def test_files_that_come_while_the_room_is_told_are_told_next(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    await announced(managed)
    await managed.pass_time(timedelta(seconds=10))
    await managed.drop("b.txt", b"b", BEN)
    assert await announced(managed) == []
    (text,) = await announced(managed)
    assert text.startswith("One new file in this room:\n  b.txt")


async def test_an_announcement_that_fails_is_made_later_and_once(
    managed: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await managed.drop("a.txt", b"a", BEN)
    await managed.jobs.run()
    with monkeypatch.context() as broken:
        broken.setattr(managed.messenger, "say", None, raising=False)
        assert await announced(managed, may_fail=True) == []
    (text,) = await announced(managed, timedelta(hours=1))
    assert "a.txt" in text
    assert await announced(managed, timedelta(days=1)) == []


async def test_an_announcement_survives_a_kill(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    async with FakeBot(catalog=managed.catalog) as later:
        later.rooms.managers[ROOM] = frozenset({ALICE})
        (text,) = await announced(later)
    assert "a.txt" in text


async def test_what_waited_for_longer_than_a_day_is_not_announced(managed: FakeBot) -> None:
    await managed.drop("batch.txt", b"a", BEN)
    await managed.jobs.run()
    await managed.drop("event.txt", b"b", BEN)  # the plugin has not heard of it yet
    managed.now += timedelta(days=1)
    async with FakeBot(catalog=managed.catalog) as later:
        later.now = managed.now
        later.rooms.managers[ROOM] = frozenset({ALICE})
        assert await announced(later) == []
        await later.drop("new.txt", b"c", BEN)
        (text,) = await announced(later)
    assert text.startswith("One new file in this room:\n  new.txt")


async def test_a_room_that_the_bot_is_out_of_holds_nobody_up_and_is_told_later(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    there = managed.rooms.occupants.pop(ROOM)
    assert await announced(managed, may_fail=True) == []
    managed.rooms.occupants[ROOM] = there
    (text,) = await announced(managed, timedelta(minutes=1))
    assert "a.txt" in text
    assert await announced(managed, timedelta(hours=1)) == []


async def test_a_room_is_told_when_the_bot_is_back(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    managed.rooms.occupants.pop(ROOM)
    for _ in range(12):
        assert await announced(managed, timedelta(hours=1), may_fail=True) == []
    await managed.say(f"join {ROOM}", ADMIN)
    (text,) = await announced(managed, timedelta(0))
    assert "a.txt" in text
    assert await announced(managed, timedelta(hours=1)) == []


async def test_without_the_plugin_nothing_is_noted_and_nothing_said(managed: FakeBot) -> None:
    async with FakeBot(catalog=managed.catalog, disabled=["announce"]) as later:
        later.rooms.managers[ROOM] = frozenset({ALICE})
        jobs = await later.jobs.count("announce")
        await later.drop("a.txt", b"a", BEN)
        assert await later.catalog.count(Scope(room=ROOM)) == 1
        assert await later.jobs.count("announce") == jobs == 0
        assert await announced(later, timedelta(days=1)) == []


async def test_who_makes_a_room_anew_hears_nothing_of_the_old_one(managed: FakeBot) -> None:
    await managed.drop("a.txt", b"a", BEN)
    await managed.destroy(ROOM)
    managed.rooms.occupants[ROOM] = frozenset({ALICE, BOB})
    await managed.say("room set announce on", ANNA)
    assert await announced(managed) == []
    await managed.drop("b.txt", b"b", BEN)
    await managed.say("keep", through_room(BOB, "ben"))
    (text,) = await announced(managed)
    assert text.startswith("One new file in this room:\n  b.txt")


async def test_a_post_is_handled_before_the_room_is_told(managed: FakeBot) -> None:
    """The job is on the disk by then; the archive's position need not wait for it."""
    offer = Offer(urls=("https://files.example.org/1/a.txt",), name="a.txt", size=1)
    await managed.drop("other.txt", b"a", BEN)
    managed.web.hosted[offer.urls[0]] = [*managed.web.hosted.values()][-1]
    await managed.receive(IncomingMessage(BEN, "", offers=(offer,), addressed=False))
    assert await managed.jobs.count("announce") == 1


async def test_other_plugins_hear_of_what_was_announced(managed: FakeBot) -> None:
    plugin, counts = Plugin[None]("ears", api=1), list[int]()

    @plugin.on(RoomFilesAdded)
    async def hear(_: Context[None], event: RoomFilesAdded) -> None:
        counts.append(event.count)

    async with FakeBot(plugin, catalog=managed.catalog) as later:
        await later.drop("a.txt", b"a", BEN)
        await announced(later)
    assert counts == [1]


async def test_a_room_with_a_very_long_address_is_told(bot: FakeBot) -> None:
    room = f"{'x' * 1000}@conference.example.org"
    bot.rooms.occupants[room] = frozenset({ALICE})
    bot.rooms.managers[room] = frozenset({ALICE})
    anna = in_room(ALICE, "anna", room)
    await bot.say("room set announce on", anna)
    await bot.say("room set archive on", anna)
    await bot.drop("a.txt", b"a", anna)
    assert len(await announced(bot)) == 1


# --- when -----------------------------------------------------------------------------------------


def announcements(*added_at_s: float) -> list[tuple[float, int]]:
    """Return when a room is told of files that come at these moments, and of how many."""
    gathering, told = Gathering(), list[tuple[float, int]]()

    def tell_until(now: float) -> Gathering:
        if gathering.due_at is None or gathering.due_at > now:
            return gathering
        told.append((gathering.due_at, len(gathering.ids)))
        closed = gathering.closed(gathering.batch, gathering.due_at)
        return closed.without(closed)

    for number, moment in enumerate(added_at_s):
        gathering = tell_until(moment)
        gathering = gathering.plus(number, moment)
    tell_until(float("inf"))
    return told


def test_files_that_come_soon_are_announced_together() -> None:
    assert announcements(0, 5, GATHER_S - 1) == [(GATHER_S, 3)]


def test_announcements_become_rarer_while_files_keep_coming() -> None:
    assert announcements(*range(0, 150, 5)) == [(20, 4), (60, 8), (140, 16), (300, 2)]


def test_a_file_after_a_pause_is_announced_soon() -> None:
    assert announcements(0, 50, 500) == [(20, 1), (70, 1), (520, 1)]


def test_a_pause_has_a_limit_and_a_clock_that_was_set_makes_none() -> None:
    moments = announcements(*range(0, 20_000, 5))
    assert max(later - sooner for (sooner, _), (later, _) in pairwise(moments)) == 1280
    waiting = Gathering(pause_s=40, free_at=10**6).plus(1, 0.0)
    assert waiting.wait_s(0.0) == GATHER_S
    assert waiting.wait_s(-(10.0**6)) == 1280


def test_of_very_many_files_only_the_number_is_remembered() -> None:
    gathering = Gathering()
    for number in range(MOST_IDS + 10):
        gathering = gathering.plus(number, 0.0)
    assert (len(gathering.ids), gathering.more) == (MOST_IDS, 10)
    assert Gathering.read(gathering.kept()) == gathering
    told = gathering.plus(-1, 0.0)
    assert (told.without(gathering).ids, told.without(gathering).more) == ((), 1)


def test_a_file_of_which_was_heard_twice_counts_once() -> None:
    assert Gathering().plus(1, 0.0).plus(1, 5.0) == Gathering().plus(1, 0.0)
