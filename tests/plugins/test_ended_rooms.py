"""Files of a destroyed room: what people can still do with them."""

from typing import Any

import pytest

from filebot.model import SavedRoomSetting, Scope, Sender, SettingKey
from filebot.ports import Released
from filebot.testing import FakeBot
from filebot.testing.senders import ALICE, BOB, ROOM, in_room

HAL = in_room(None, "hal", occupant_id="9000")


@pytest.fixture
async def ended(bot: FakeBot) -> FakeBot:
    """Alice, Bob and somebody whom the room hides had files there; its archive was on."""
    bot.rooms.occupants[ROOM] |= HAL.identities
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.drop("plan.txt", b"plan", ALICE)
    await bot.say(f"send plan.txt to {ROOM}", in_room(ALICE))
    await bot.say("room set archive on", in_room(ALICE))
    for sender, name in ((in_room(BOB), "bob.txt"), (HAL, "hal.txt")):
        await bot.drop(name, name.encode(), sender)
    assert await bot.catalog.count(Scope(room=ROOM)) == 3
    await bot.destroy(ROOM)
    return bot


async def names(bot: FakeBot, owner: str) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(owner=owner), limit=9)]


async def test_files_of_an_ended_room_are_their_owners(ended: FakeBot) -> None:
    assert await names(ended, ALICE) == ["plan.txt"]
    assert await names(ended, BOB) == ["bob.txt"]
    assert any("bob.txt" in each for each in await ended.say("ls", BOB))


async def test_what_nobody_can_ever_claim_is_removed_with_its_bytes(ended: FakeBot) -> None:
    assert await ended.catalog.used_by(f"{ROOM}/9000") == (0, 0)
    assert len([each async for each in ended.store.digests()]) == 2


@pytest.mark.parametrize("sender", [in_room(BOB), HAL, in_room(None, "eve")])
async def test_another_room_at_its_address_has_nothing_of_it(ended: FakeBot, sender: Sender) -> None:
    ended.rooms.occupants[ROOM] = sender.identities
    ended.rooms.managers[ROOM] = sender.identities
    (answer,) = await ended.say("ls", sender)
    assert answer.startswith("This room has no files")
    for name in ("plan.txt", "hal.txt", "#2", "#4"):
        (answer,) = await ended.say(f"get {name}", sender)
        assert answer.startswith("I have no file")


async def test_settings_are_cleared_before_a_row_is_released(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set archive on", in_room(ALICE))
    await bot.drop("bob.txt", b"bob", in_room(BOB))
    # A plugin that is not loaded has nobody who would clear anything.
    strange = SettingKey("strange", "strange")
    await bot.catalog.save_room_setting(SavedRoomSetting(ROOM, strange, value=True))
    kept, release = list[object](), bot.catalog.release

    async def released(room: str, limit: int, **values: Any) -> Released:
        kept.extend(await bot.catalog.room_settings())
        kept.extend(bot.rooms.followed)
        assert not bot._services.room_settings.of(ROOM)["archive"]
        return await release(room, limit, **values)

    monkeypatch.setattr(bot.catalog, "release", released)
    await bot.destroy(ROOM)
    assert kept == []
    assert await names(bot, BOB) == ["bob.txt"]


async def test_what_it_was_set_to_is_forgotten(ended: FakeBot) -> None:
    assert ended.rooms.followed == {}
    assert await ended.catalog.room_settings() == []
    ended.rooms.occupants[ROOM] = frozenset({BOB})
    await ended.drop("new.txt", b"new", in_room(BOB))
    assert await ended.catalog.count(Scope(room=ROOM)) == 0
