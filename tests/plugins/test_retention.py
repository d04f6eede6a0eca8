"""Files of a room go when the time is over that its admins let them stay."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from filebot.errors import CatalogUnavailable
from filebot.events.facts import room_itself
from filebot.files.intake import Destination
from filebot.model import Entry, Offer, Scope
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room

ANNA = in_room(ALICE, "anna")
BEN = in_room(BOB, "ben")


async def names(bot: FakeBot) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(room=ROOM), limit=50)]


async def an_hour_later(bot: FakeBot) -> None:
    assert await bot.pass_time(timedelta(hours=1)) == []


async def test_files_go_when_their_time_is_over_and_private_ones_stay(managed: FakeBot) -> None:
    await managed.say("room set retention 90 days", ANNA)
    assert "Will be deleted: Feb" in (await managed.say("info plan.txt", ANNA))[0]
    managed.now += timedelta(days=89)
    await managed.drop("young.txt", b"young", BEN)
    await managed.say("keep", BEN)
    await an_hour_later(managed)
    assert await names(managed) == ["young.txt", "plan.txt"]
    managed.now += timedelta(days=1)
    await an_hour_later(managed)
    assert await names(managed) == ["young.txt"]
    assert [each.name for each in await managed.catalog.page(Scope(owner=ALICE), limit=9)] == ["plan.txt"]
    assert len(managed.store.blobs) == 2


async def test_files_stay_while_it_is_not_certain_what_time_it_is(managed: FakeBot) -> None:
    await managed.say("room set retention 90 days", ANNA)
    managed.now += timedelta(days=91)
    managed.clock_is_trusted = False
    await an_hour_later(managed)
    assert await names(managed) == ["plan.txt"]
    managed.clock_is_trusted = True
    await an_hour_later(managed)
    assert await names(managed) == []


async def test_trouble_with_the_files_of_one_room_keeps_no_other_s(
    managed: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await managed.say("room set retention 1", ANNA)
    managed.now += timedelta(days=2)
    oldest = managed.catalog.oldest

    async def broken(scope: Scope, limit: int) -> Sequence[Entry]:
        if scope.room != ROOM:
            raise CatalogUnavailable("busy")
        return await oldest(scope, limit)

    monkeypatch.setattr(managed.catalog, "oldest", broken)
    monkeypatch.setattr(
        managed._services.room_settings, "rooms_with", lambda _: ("broken@muc.example.org", ROOM)
    )
    await an_hour_later(managed)
    assert await names(managed) == []


async def test_more_than_are_removed_at_once_go_all_the_same(managed: FakeBot) -> None:
    await managed.say("room set retention 1", ANNA)
    for number in range(230):
        await managed.drop(f"{number}.txt", str(number).encode(), BEN)
        await managed._services.files.stored.drops.fetch(
            Offer(urls=([*managed.web.hosted][-1],)), Destination(BOB, room_itself(ROOM), ROOM)
        )
    managed.now += timedelta(days=2)
    await an_hour_later(managed)
    assert await names(managed) == []


async def test_what_is_too_old_goes_at_a_start(managed: FakeBot) -> None:
    await managed.say("room set retention 1", ANNA)
    await managed.jobs.run()
    managed.now += timedelta(days=2)
    async with FakeBot(catalog=managed.catalog) as later:
        later.now = managed.now
        await later.jobs.run()
        assert await names(later) == []


async def test_without_the_plugin_files_stay_and_nobody_is_told_when_they_go(managed: FakeBot) -> None:
    await managed.say("room set retention 1", ANNA)
    assert "Will be deleted" in (await managed.say("info plan.txt", ANNA))[0]
    async with FakeBot(catalog=managed.catalog, disabled=["retention"]) as later:
        later.now += timedelta(days=2)
        await an_hour_later(later)
        assert await names(later) == ["plan.txt"]
        assert "Will be deleted" not in (await later.say("info plan.txt", ANNA))[0]
        assert "retention" not in (await later.say("room", ANNA))[0]


async def test_files_of_a_room_that_is_destroyed_stay_with_their_owners(managed: FakeBot) -> None:
    await managed.say("room set retention 1", ANNA)
    await managed.drop("mine.txt", b"mine", BEN)
    await managed.say("keep", BEN)
    await managed.destroy(ROOM)
    managed.now += timedelta(days=2)
    await an_hour_later(managed)
    assert [each.name for each in await managed.catalog.page(Scope(owner=BOB), limit=9)] == ["mine.txt"]


async def test_a_setting_that_is_switched_off_meanwhile_ends_the_removal(
    managed: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await managed.say("room set retention 1", ANNA)
    managed.now += timedelta(days=2)
    looked, oldest = list[int](), managed.catalog.oldest

    async def changes_their_mind(scope: Scope, limit: int) -> Sequence[Entry]:
        looked.append(limit)
        await managed.say("room set retention off", ANNA)
        return await oldest(scope, limit)

    monkeypatch.setattr(managed.catalog, "oldest", changes_their_mind)
    await managed.pass_time(timedelta(hours=1))
    assert looked == [100]
