"""A room's settings at work."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from filebot.files.quota import FILE_OVERHEAD_BYTES
from filebot.model import (
    AddressKind,
    Client,
    Method,
    Negotiation,
    Offer,
    SavedRoomSetting,
    Scope,
    Sender,
    SettingKey,
)
from filebot.testing import FakeBot
from filebot.testing.bot import LIMITS
from filebot.testing.messenger import Said
from filebot.testing.senders import ALICE, BOB, ROOM, in_room, through_room
from filebot.testing.xmpp import FakeFileRequest
from tests.support.waiting import loop_turns

ANNOUNCE = SettingKey("announce", "announce")
ANNA = in_room(ALICE, "anna")
BEN = in_room(BOB, "ben")


async def names(bot: FakeBot) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(room=ROOM), limit=50)]


def said(bot: FakeBot) -> list[Said]:
    return [each for each in bot.messenger.sent if isinstance(each, Said)]


# --- who may get --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["ls", "find plan", "get plan.txt", "get *", "info plan.txt", "get #2"])
@pytest.mark.parametrize("sender", [BEN, through_room(BOB, "ben"), in_room(None, "eve")])
async def test_files_for_members_are_for_nobody_else(managed: FakeBot, text: str, sender: Sender) -> None:
    await managed.say("room set who-may-get members", ANNA)
    files = len(managed.sent)
    (answer,) = await managed.say(text, sender)
    assert answer.startswith("Only its members can get")
    assert len(managed.sent) == files


async def test_members_are_answered_where_nobody_else_reads_it(managed: FakeBot) -> None:
    await managed.say("room set who-may-get members", ANNA)
    managed.rooms.members[ROOM] = frozenset({BOB})
    assert "plan.txt" in (await managed.say("ls", BEN))[0]
    assert said(managed)[-1].to.kind is AddressKind.ROOM_PRIVATE
    await managed.say("get plan.txt", BEN)
    assert managed.sent[-1].to.jid == f"{ROOM}/ben"
    managed.rooms.members[ROOM] = frozenset()
    (refused,) = await managed.say("get plan.txt", BEN)
    assert refused.startswith("Only its members can get")


async def test_files_for_members_are_not_to_be_had_by_other_doors(managed: FakeBot) -> None:
    (entry,) = await managed.catalog.page(Scope(room=ROOM), limit=1)
    files = len(managed.sent)
    await managed.say(f"get #{entry.id}", BOB)
    assert len(managed.sent) == files + 1
    await managed.say("room set who-may-get members", ANNA)
    await managed.say(f"get #{entry.id}", BOB)
    assert len(managed.sent) == files + 1
    request = FakeFileRequest(BOB, Offer(name="plan.txt"))
    await managed.dispatcher.receive_request(request)
    assert (len(request.refusals), request.sent) == (1, [])


# --- size, quota, time --------------------------------------------------------------------------


async def test_a_room_takes_no_file_larger_than_it_wants(managed: FakeBot) -> None:
    await managed.say("room set max-size 10", ANNA)
    await managed.drop("large.bin", b"x" * 11, BEN)
    (refused,) = await managed.say("keep", BEN)
    assert "The room takes files up to 10 bytes" in refused
    await managed.drop("large.bin", b"x" * 11, ALICE)
    (refused,) = await managed.say(f"send large.bin to {ROOM}", ANNA)
    assert "The room takes files up to 10 bytes" in refused
    assert await names(managed) == ["plan.txt"]
    await managed.drop("small.bin", b"x" * 10, BEN)
    await managed.say("keep", BEN)
    assert await names(managed) == ["small.bin", "plan.txt"]


async def test_a_wrong_value_is_answered_with_how_to_write_that_setting(managed: FakeBot) -> None:
    for setting, form in (
        ("retention ninety", "retention 90 days|off"),
        ("max-size x", "max-size 20 MB|off"),
    ):
        (refused,) = await managed.say(f"room set {setting}", ANNA)
        assert refused.splitlines()[1:] == [f"  !room set {form}"]


async def test_who_may_be_an_owner_unseen_is_told_what_would_show_it(managed: FakeBot) -> None:
    (refused,) = await managed.say("room set archive on", in_room(None, "anna"))
    assert "Make me a moderator here" in refused


async def test_a_room_is_full_for_everybody_together() -> None:
    async with FakeBot(limits=replace(LIMITS, quota_per_room_bytes=2 * FILE_OVERHEAD_BYTES + 25)) as bot:
        for sender in (ANNA, BEN):
            await bot.drop(f"{sender.nick}.bin", sender.nick.encode() * 2 + b"x" * 3, sender)
            await bot.say("keep", sender)
        await bot.drop("third.bin", b"x" * 10, BEN)
        (refused,) = await bot.say("keep", BEN)
        assert "does not have enough space" in refused
        await bot.drop("own.bin", b"y" * 10, ALICE)
        assert "does not have enough space" in (await bot.say(f"send own.bin to {ROOM}", ANNA))[0]
        bot.rooms.managers[ROOM] = frozenset({ALICE})
        await bot.say("rm ben.bin", ANNA)
        await bot.say("keep", BEN)
        assert await names(bot) == ["third.bin", "anna.bin"]


@pytest.mark.parametrize("disabled", ["announce", "room"])
async def test_settings_without_their_plugin_do_nothing(managed: FakeBot, disabled: str) -> None:
    for setting in ("announce on", "retention 1 day", "who-may-get members", "max-size 10"):
        await managed.say(f"room set {setting}", ANNA)
    async with FakeBot(catalog=managed.catalog, disabled=[disabled]) as later:
        later.rooms.managers[ROOM] = frozenset({ALICE})
        later.now += timedelta(days=2)
        room_settings = later._services.room_settings
        assert "announce" not in room_settings.of(ROOM)
        await later.jobs.run()
        assert await names(later) == (["plan.txt"] if disabled == "room" else [])
        # The settings that restrict people hold all the same.
        assert (room_settings.is_members_only(ROOM), room_settings.max_bytes(ROOM)) == (True, 10)
        if disabled == "announce":
            assert 'turned "announce" off' in (await later.say("room set announce on", ANNA))[0]
            await later.say("room set max-size 20", ANNA)
    # For when the plugin is back.
    assert SavedRoomSetting(ROOM, ANNOUNCE, value=True) in await managed.catalog.room_settings()


# --- members only -------------------------------------------------------------------------------


async def test_what_is_for_members_is_not_posted_where_all_see_it(managed: FakeBot) -> None:
    await managed.say("room set who-may-get members", ANNA)
    managed.rooms.members[ROOM] = frozenset({BOB})
    (entry,) = await managed.catalog.page(Scope(room=ROOM), limit=1)
    files = len(managed.sent)
    (refused,) = await managed.say(f"send #{entry.id} to {ROOM}", BOB)
    assert refused.startswith("Only its members can get")
    assert len(managed.sent) == files


@pytest.mark.parametrize("out", [True, False])
async def test_a_file_that_waits_is_not_brought_to_who_was_put_out_of_its_room(
    managed: FakeBot, *, out: bool
) -> None:
    (entry,) = await managed.catalog.page(Scope(room=ROOM), limit=1)
    managed.uploads.away = True
    managed.web.hosted.clear()
    await managed.say(f"get #{entry.id}", BOB)
    assert [each.asker for each in await managed.catalog.deliveries()] == [BOB]
    if out:
        managed.rooms.occupants[ROOM] -= {BOB}
    said = await managed.come_online(Client(f"{BOB}/phone", {Negotiation.SI: frozenset({Method.SOCKS5})}))
    assert any("Enter that room, then ask again" in each for each in said) is out
    assert len(managed.streams.received) == (0 if out else 1)
    assert await managed.catalog.deliveries() == []


# --- two at once --------------------------------------------------------------------------------


@pytest.fixture
def slow(managed: FakeBot, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let settings be saved when this is set, and not before."""
    go_on, save = asyncio.Event(), managed.catalog.save_room_setting

    async def saved(setting: SavedRoomSetting) -> None:
        await go_on.wait()
        await save(setting)

    monkeypatch.setattr(managed.catalog, "save_room_setting", saved)
    return go_on


async def test_what_two_admins_set_at_once_holds_both(managed: FakeBot, slow: asyncio.Event) -> None:
    managed.rooms.managers[ROOM] = frozenset({ALICE, BOB})
    slow.set()
    await managed.say("room set archive on", ANNA)
    slow.clear()
    both = [
        asyncio.create_task(managed.say(f"room set {each}", sender))
        for each, sender in (("archive off", ANNA), ("announce on", BEN))
    ]
    await loop_turns()
    slow.set()
    await asyncio.wait_for(asyncio.gather(*both), 5)
    assert await managed.catalog.room_settings() == [
        SavedRoomSetting(ROOM, ANNOUNCE, value=True),
        SavedRoomSetting(ROOM, SettingKey("archive", "archive"), value=False, consent=True),
    ]
    settings = managed._services.room_settings.of(ROOM)
    assert (settings["archive"], settings["announce"]) == (False, True)
    assert managed.rooms.followed == {}
    told = [each.text for each in said(managed) if each.text.startswith("From now on I only keep")]
    assert len(told) == 1


async def test_what_is_being_set_is_forgotten_with_a_room_that_ends_just_then(
    managed: FakeBot, slow: asyncio.Event
) -> None:
    setting = [
        asyncio.create_task(managed.say(f"room set {each}", ANNA)) for each in ("archive on", "announce on")
    ]
    await loop_turns()
    ending = asyncio.create_task(managed.destroy(ROOM))
    await loop_turns()
    slow.set()
    await asyncio.wait_for(asyncio.gather(*setting, ending), 5)
    assert await managed.catalog.room_settings() == []
    assert managed._services.room_settings.of(ROOM) == {
        "archive": False,
        "announce": False,
        "who-may-get": "present",
        "max-size": None,
        "retention": None,
    }
