"""Promises of a room's archive, whichever part of the bot keeps them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from filebot.filetype.inspector import LibmagicInspector
from filebot.model import Entry, IncomingMessage, Offer, Scope, Sender
from filebot.testing import FakeBot
from filebot.testing.http import HostedFile
from filebot.testing.senders import ALICE, BOB, ROOM, in_room
from tests.support.waiting import loop_turns

ANNA = in_room(ALICE, "anna")
BEN = in_room(BOB, "ben")


@pytest.fixture
async def archived(bot: FakeBot) -> FakeBot:
    """A bot in a room whose archive Alice, who manages it, has switched on."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set archive on", ANNA)
    return bot


def posting(bot: FakeBot, sender: Sender, name: str) -> IncomingMessage:
    url = f"https://upload.example.org/{sender.nick}/{name}"
    bot.web.hosted[url] = HostedFile(name.encode())
    return IncomingMessage(sender, "see this", offers=(Offer(urls=(url,), name=name),), addressed=False)


async def kept(bot: FakeBot) -> list[Entry]:
    return await bot.catalog.page(Scope(room=ROOM), limit=50)


@asynccontextmanager
async def held_inspection(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """Hold each file at the last step before its row; the event is set when one is there."""
    reached, released = asyncio.Event(), asyncio.Event()
    inspect = LibmagicInspector.inspect

    async def held(*arguments: object) -> object:
        reached.set()
        await released.wait()
        return await inspect(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(LibmagicInspector, "inspect", held)
    yield reached
    released.set()


async def test_consent_is_asked_again_right_before_the_row(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held_inspection(monkeypatch) as reached, asyncio.timeout(5):
        handling = asyncio.create_task(archived.receive(posting(archived, BEN, "plan.txt")))
        await reached.wait()
        await archived.dispatcher.receive(IncomingMessage(ANNA, "room set archive off"))
        before = await archived.catalog.count(Scope(room=ROOM))
    await handling
    assert (before, await kept(archived)) == (0, [])
    assert archived.store.blobs == {}


async def test_who_opts_out_while_a_file_comes_has_it_removed(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held_inspection(monkeypatch) as reached, asyncio.timeout(5):
        handling = asyncio.create_task(archived.receive(posting(archived, BEN, "plan.txt")))
        await reached.wait()
        await archived.dispatcher.receive(IncomingMessage(BEN, "archive off for me"))
    await handling
    assert await kept(archived) == []
    assert archived.store.blobs == {}


async def test_a_message_is_handled_when_its_files_are_kept(
    archived: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held_inspection(monkeypatch) as reached, asyncio.timeout(5):
        handling = asyncio.create_task(archived.receive(posting(archived, BEN, "plan.txt")))
        await reached.wait()
        await loop_turns()
        assert not handling.done()
    await handling
    assert [each.name for each in await kept(archived)] == ["plan.txt"]


async def test_a_message_that_comes_again_after_a_crash_brings_no_file_twice(archived: FakeBot) -> None:
    message = replace(posting(archived, BEN, "plan.txt"), mam_id="4711")
    again = replace(message, offers=(*message.offers, *posting(archived, BEN, "more.txt").offers))
    await archived.receive(message)
    asked = len(archived.web.asked)
    await archived.receive(again)
    assert len(archived.web.asked) == asked + 1
    found = {each.name: each.source_message for each in await kept(archived)}
    assert found == {"plan.txt": "4711/0", "more.txt": "4711/1"}


async def test_keep_makes_a_file_one_that_an_opt_out_leaves(archived: FakeBot) -> None:
    await archived.receive(posting(archived, BEN, "plan.txt"))
    [entry] = await kept(archived)
    assert entry.auto_archived
    await archived.say("keep", BEN)
    [entry] = await kept(archived)
    assert not entry.auto_archived
    await archived.say("archive off for me", BEN)
    assert await kept(archived) == [entry]


async def test_without_its_plugin_the_archive_is_over_but_people_can_remove_what_it_kept(
    archived: FakeBot,
) -> None:
    for name in ("one.txt", "two.txt"):
        await archived.receive(posting(archived, BEN, name))
    await archived.receive(posting(archived, ANNA, "hers.txt"))
    async with FakeBot(catalog=archived.catalog, disabled=["archive"]) as without:
        without.rooms.managers[ROOM] = frozenset({ALICE})
        await without.receive(posting(without, BEN, "between.txt"))
        assert [each.name for each in await kept(without)] == ["hers.txt", "two.txt", "one.txt"]
        await without.say("rm one.txt", BEN)
        await without.say("rm hers.txt", BEN)
        assert [each.name for each in await kept(without)] == ["hers.txt", "two.txt"]
        assert "do not understand" in (await without.say("archive off for me", BEN))[0]


async def test_what_was_posted_while_the_plugin_was_away_is_never_kept(archived: FakeBot) -> None:
    async with FakeBot(catalog=archived.catalog, disabled=["archive"]):
        pass
    async with FakeBot(catalog=archived.catalog) as later:
        later.rooms.managers[ROOM] = frozenset({ALICE})
        missed = replace(posting(later, BEN, "between.txt"), delayed_since=later.now)
        await later.receive(missed)
        assert await kept(later) == []
