"""The effect of each bundled plugin is there with it, and gone when it is disabled."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

import pytest

from filebot.files.quota import StorageLimits
from filebot.model import Invitation, Scope
from filebot.testing import ADMIN, ALICE, BOB, ROOM, FakeBot, in_room, through_room
from filebot.testing.messenger import Said
from tests.support.virtual_time import in_virtual_time

SMALL: Final = StorageLimits(100_000, 100_000, 1_000_000, 1_000_000)
ANNA: Final = in_room(ALICE, "anna")

with_and_without = pytest.mark.parametrize("there", [True, False], ids=["enabled", "disabled"])


def bot_with(plugin: str, *, there: bool, **arguments: Any) -> FakeBot:
    """Return a bot with a plugin, or without."""
    disabled: Collection[str] = () if there else (plugin,)
    bot = FakeBot(disabled=disabled, **arguments)
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    bot.rooms.with_ids.add(ROOM)
    return bot


def said_by(bot: FakeBot) -> list[str]:
    """Return all that the bot has said so far, to whomever."""
    return [each.text for each in bot.messenger.sent if isinstance(each, Said)]


async def time_passes(bot: FakeBot, time: timedelta) -> None:
    """Let time pass, and what is regular be done."""
    await bot.jobs.run()
    await bot.pass_time(time)
    if (retention := getattr(bot._services, "retention", None)) is not None:
        await retention.look()
    await bot.jobs.run()
    await asyncio.sleep(time.total_seconds())
    await bot.jobs.run()


@with_and_without
async def test_drop_answers_a_file_and_a_link(there: bool) -> None:
    async with bot_with("drop", there=there) as bot:
        said = await bot.drop("a.txt", b"a") + await bot.drop("b.txt", b"")
        said += await bot.say("https://elsewhere.example.net/a.txt")
        assert len(said) == (3 if there else 0)
        assert await bot.catalog.count(Scope(owner=ALICE)) == 1  # keeping files is the core's


@with_and_without
async def test_quota_warns(there: bool) -> None:
    async with bot_with("quota", there=there, limits=SMALL) as bot:
        said = await bot.drop("a.bin", b"a" * 93_000)
        assert any("nearly full" in each for each in said) == there


@with_and_without
@in_virtual_time
async def test_announce_tells_the_room_of_new_files(there: bool) -> None:
    async with bot_with("announce", there=there) as bot:
        await bot.say("room set announce on", ANNA)
        await bot.drop("a.txt", b"a", ANNA)
        await bot.say("keep", through_room(ALICE, "anna"))
        await time_passes(bot, timedelta(hours=1))
        assert any("in this room:" in each for each in said_by(bot)) == there
        tasks = {task.get_name() for task in asyncio.all_tasks()}
        assert not any("new files" in name for name in tasks)


@with_and_without
@in_virtual_time
async def test_retention_removes_what_is_too_old(there: bool) -> None:
    async with bot_with("retention", there=there) as bot:
        await bot.say("room set retention 1 day", ANNA)
        await bot.drop("a.txt", b"a", ANNA)
        await bot.say("keep", ANNA)
        [listed] = await bot.say("ls", ANNA)
        [info] = await bot.say("info a.txt", ANNA)
        assert "a.txt" in listed
        assert ("in 24 hours" in info or "in 1 day" in info) == there
        await time_passes(bot, timedelta(days=3))
        assert ("a.txt" in (await bot.say("ls", ANNA))[0]) != there


@with_and_without
async def test_archive_keeps_what_is_posted(there: bool) -> None:
    async with bot_with("archive", there=there) as bot:
        await bot.say("room set archive on", ANNA)
        assert (ROOM in bot.rooms.followed) == there
        await bot.drop("a.txt", b"a", ANNA)
        assert (await bot.catalog.count(Scope(room=ROOM)) == 1) == there
        await bot.say("archive history of 3 days", ANNA)
        tasks = {task.get_name() for task in asyncio.all_tasks()}
        assert there or not any("history" in name for name in tasks)


@with_and_without
async def test_claim_gives_a_code(there: bool) -> None:
    async with bot_with("claim", there=there) as bot:
        hidden = through_room(None, "anna", occupant_id="7")
        [answer] = await bot.say("claim", hidden)
        assert ("I do not understand" not in answer) == there


@with_and_without
async def test_doctor_measures(there: bool) -> None:
    async with bot_with("doctor", there=there) as bot:
        assert ("I do not understand" not in (await bot.say("doctor me"))[0]) == there


@with_and_without
async def test_delivery_sends_files_and_speaks_of_them(there: bool) -> None:
    async with bot_with("delivery", there=there) as bot:
        await bot.drop("a.txt", b"a")
        said = await bot.say("get a.txt") + await bot.say(f"send a.txt to {BOB}")
        assert len(bot.sent) == (2 if there else 0)
        assert all("I do not understand" in each for each in said) != there


@with_and_without
async def test_files_lists_and_changes(there: bool) -> None:
    async with bot_with("files", there=there) as bot:
        await bot.drop("a.txt", b"a")
        said = [(await bot.say(text))[0] for text in ("ls", "rename a.txt to b.txt", "rm b.txt")]
        assert all("I do not understand" not in each for each in said) == there
        assert (await bot.catalog.count(Scope(owner=ALICE)) == 0) == there


@with_and_without
async def test_help_helps(there: bool) -> None:
    async with bot_with("help", there=there) as bot:
        assert ("I keep your files" in (await bot.say("help"))[0]) == there


@with_and_without
async def test_language_is_chosen(there: bool) -> None:
    async with bot_with("language", there=there) as bot:
        await bot.say("lang zh")
        assert await bot.catalog.language(ALICE) == ("zh_CN" if there else None)


@with_and_without
async def test_room_changes_settings(there: bool) -> None:
    async with bot_with("room", there=there) as bot:
        await bot.say("room set who-may-get members", ANNA)
        assert bot._services.room_settings.is_members_only(ROOM) == there


@with_and_without
async def test_rooms_joins_and_thanks_for_invitations(there: bool) -> None:
    async with bot_with("rooms", there=there) as bot:
        await bot.say("join new@conference.example.org", ADMIN)
        assert ("new@conference.example.org" in bot.rooms.joined()) == there
        said = await bot.invite(Invitation("other@conference.example.org", ALICE))
        assert any("I am in" in each for each in said) == there


@with_and_without
async def test_transfers_lists_and_tells_of_waiting(there: bool) -> None:
    async with bot_with("transfers", there=there) as bot:
        assert ("I do not understand" not in (await bot.say("transfers"))[0]) == there
