"""Rights are checked again when a command acts: they may change while bytes are under way."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from filebot.filetype.inspector import LibmagicInspector
from filebot.model import (
    Client,
    Entry,
    FileKind,
    IncomingMessage,
    Method,
    Negotiation,
    NewEntry,
    Offer,
    Scope,
    Sender,
)
from filebot.ports import Released
from filebot.testing import FakeBot
from filebot.testing.http import HostedFile
from filebot.testing.senders import ALICE, BOB, ROOM, in_room, sender_of


class Held:
    """Holds whatever wants to begin until told."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.released.wait()


async def while_held(
    bot: FakeBot,
    held: Held,
    message: IncomingMessage,
    change: Callable[[], Awaitable[None] | None],
) -> list[str]:
    """Hand in a message, change something when its work has begun, and return what was said after it."""
    before = len(bot.messenger.sent)
    work = asyncio.create_task(bot.dispatcher.receive(message))  # it returns when all is said
    await asyncio.wait_for(held.reached.wait(), 5)
    changing = change()
    if changing is not None:
        await changing
    held.released.set()
    await asyncio.wait_for(work, 5)
    return [str(each) for each in bot.messenger.sent[before:]]


@pytest.fixture
def upload(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold back the upload of the file that is going to be sent."""
    held, slot = Held(), bot.uploads.slot

    async def slow(name: str, size: int, media_type: str) -> object:
        await held()
        return await slot(name, size, media_type)

    monkeypatch.setattr(bot.uploads, "slot", slow)
    return held


@pytest.fixture
def download(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold back every download."""
    held, get = Held(), bot.web.get

    class Slow:
        def __init__(self, opened: AbstractAsyncContextManager[HostedFile]) -> None:
            self._opened = opened

        async def __aenter__(self) -> HostedFile:
            await held()
            return await self._opened.__aenter__()

        async def __aexit__(self, *error: object) -> None:
            await self._opened.__aexit__(None, None, None)

    monkeypatch.setattr(bot.web, "get", lambda *where, **how: Slow(get(*where, **how)))
    return held


def posted(bot: FakeBot, sender: Sender, name: str = "plan.txt") -> IncomingMessage:
    """A message in which somebody posts a file."""
    url = f"https://upload.example.org/{len(bot.web.hosted)}/{name}"
    bot.web.hosted[url] = HostedFile(b"plan")
    return IncomingMessage(sender, "", offers=(Offer(urls=(url,), name=name),), addressed=False)


async def kept(bot: FakeBot, room: str = ROOM) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(room=room), limit=50)]


async def shared(bot: FakeBot, upload: Held) -> Entry:
    """A file of the room's that has to be uploaded anew for whoever asks next; that upload is held."""
    await bot.drop("plan.txt", b"plan", ALICE)
    upload.released.set()
    await bot.say(f"send plan.txt to {ROOM}", in_room(ALICE))
    bot.web.hosted.clear()
    upload.reached.clear()
    upload.released.clear()
    (entry,) = await bot.catalog.page(Scope(room=ROOM), limit=1)
    return entry


async def test_a_link_to_a_rooms_file_does_not_go_to_who_was_put_out_meanwhile(
    bot: FakeBot, upload: Held
) -> None:
    entry = await shared(bot, upload)
    files = len(bot.sent)

    def put_out() -> None:
        bot.rooms.occupants[ROOM] -= {BOB}

    message = IncomingMessage(sender_of(BOB, None), f"get #{entry.id}")
    said = await while_held(bot, upload, message, put_out)
    assert "no file called" in said[-1]
    assert len(bot.sent) == files


async def test_a_file_that_is_deleted_meanwhile_goes_to_nobody(bot: FakeBot, upload: Held) -> None:
    await shared(bot, upload)
    files = len(bot.sent)

    async def delete() -> None:
        for entry in await bot.catalog.page(Scope(room=ROOM), limit=9):
            await bot.catalog.remove(entry.id)

    said = await while_held(bot, upload, IncomingMessage(in_room(BOB), "get plan.txt"), delete)
    assert "no file called" in said[-1]
    assert len(bot.sent) == files


async def test_what_waited_does_not_go_to_who_was_put_out_during_its_upload(
    bot: FakeBot, upload: Held
) -> None:
    entry = await shared(bot, upload)
    bot.uploads.away = True
    await bot.say(f"get #{entry.id}", BOB)
    bot.uploads.away = False
    files = len(bot.sent)
    phone = Client(f"{BOB}/phone", {Negotiation.SI: frozenset({Method.SOCKS5})})
    bringing = asyncio.create_task(bot.come_online(phone))
    await asyncio.wait_for(upload.reached.wait(), 5)
    bot.rooms.occupants[ROOM] -= {BOB}
    upload.released.set()
    await asyncio.wait_for(bringing, 5)
    assert len(bot.sent) == files
    assert not bot.streams.received


async def test_a_file_is_not_posted_for_who_lost_their_voice_meanwhile(bot: FakeBot, upload: Held) -> None:
    await bot.drop("plan.txt", b"plan", ALICE)

    def silence() -> None:
        bot.rooms.occupants[ROOM] -= {ALICE}

    message = IncomingMessage(sender_of(ALICE, None), f"send plan.txt to {ROOM}")
    said = await while_held(bot, upload, message, silence)
    assert "not allowed to post" in said[-1]
    assert bot.sent == []
    assert await bot.catalog.page(Scope(room=ROOM), limit=1) == []


async def test_a_file_does_not_become_the_rooms_for_who_lost_their_voice_meanwhile(
    bot: FakeBot, download: Held
) -> None:
    sender = in_room(ALICE)
    await bot.receive(posted(bot, sender))

    def silence() -> None:
        bot.rooms.occupants[ROOM] -= {ALICE}

    said = await while_held(bot, download, IncomingMessage(sender, "keep"), silence)
    assert "not allowed to post" in said[-1]
    assert await kept(bot) == []


@pytest.fixture
def inspection(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold back the inspection of a file whose bytes are durable already."""
    held, inspect = Held(), LibmagicInspector.inspect

    async def slow(inspector: LibmagicInspector, file: Path, name: str, claimed: str | None) -> FileKind:
        await held()
        return await inspect(inspector, file, name, claimed)

    monkeypatch.setattr(LibmagicInspector, "inspect", slow)
    return held


async def test_no_file_becomes_that_of_a_room_which_ends_while_the_file_is_inspected(
    bot: FakeBot, inspection: Held
) -> None:
    await bot.receive(posted(bot, in_room(ALICE)))
    keep = IncomingMessage(in_room(ALICE), "keep")
    said = await while_held(bot, inspection, keep, lambda: bot.destroy(ROOM))
    assert "not allowed to post" in said[-1]
    assert await kept(bot) == []
    assert [each async for each in bot.store.digests()] == []


async def put_out(bot: FakeBot, entry: Entry) -> None:
    bot.rooms.occupants[ROOM] -= {ALICE}


async def destroy(bot: FakeBot, entry: Entry) -> None:
    await bot.destroy(ROOM)


async def remove(bot: FakeBot, entry: Entry) -> None:
    await bot.catalog.remove(entry.id)


@pytest.mark.parametrize(
    ("change", "answer"),
    [(put_out, "not allowed to post"), (destroy, "not allowed to post"), (remove, "no file called")],
)
async def test_a_file_is_not_shared_if_its_right_or_itself_is_gone_when_its_turn_comes(
    bot: FakeBot, change: Callable[[FakeBot, Entry], Awaitable[None]], answer: str
) -> None:
    await bot.drop("plan.txt", b"plan", ALICE)
    (entry,) = await bot.catalog.page(Scope(owner=ALICE), limit=1)
    lock = bot._services.locks(entry.blob.digest)
    async with lock, asyncio.timeout(5):
        sharing = asyncio.create_task(bot.say(f"send plan.txt to {ROOM}", in_room(ALICE)))
        while not lock._waiters:
            await asyncio.sleep(0)
        await change(bot, entry)
    (said,) = await asyncio.wait_for(sharing, 5)
    assert answer in said
    assert await kept(bot) == []
    assert bot.sent == []


# --- what is kept unasked -----------------------------------------------------------------------


@pytest.fixture
async def archived(bot: FakeBot, download: Held) -> FakeBot:
    """A bot in a room whose archive is on, and which has kept a file weeks ago."""
    bot.rooms.managers[ROOM] = frozenset({ALICE})
    await bot.say("room set archive on", in_room(ALICE))
    download.released.set()
    await bot.receive(posted(bot, in_room(BOB, "bob")))
    download.reached.clear()
    download.released.clear()
    return bot


async def off(bot: FakeBot) -> None:
    await bot._services.room_settings.change(ROOM, "archive off")


async def test_what_was_kept_weeks_ago_stays_if_it_comes_again_while_the_archive_is_switched_off(
    archived: FakeBot, download: Held
) -> None:
    await while_held(archived, download, posted(archived, in_room(BOB, "bob")), lambda: off(archived))
    assert await kept(archived) == ["plan.txt"]


async def test_what_comes_while_the_archive_is_switched_off_is_not_kept(
    archived: FakeBot, download: Held
) -> None:
    await while_held(
        archived, download, posted(archived, in_room(ALICE), "other.txt"), lambda: off(archived)
    )
    assert await kept(archived) == ["plan.txt"]


async def test_nothing_is_kept_for_a_room_that_ends_while_the_file_is_inspected(
    archived: FakeBot, download: Held, inspection: Held
) -> None:
    archived.may_fail = True
    download.released.set()
    message, added = posted(archived, in_room(ALICE), "other.txt"), list[NewEntry]()
    archived.web.hosted[message.offers[0].urls[0]] = HostedFile(b"other")
    add, release = archived.catalog.add, archived.catalog.release
    ended, over = asyncio.Event(), asyncio.Event()

    async def noted(new: NewEntry, **other: Any) -> Entry:
        added.append(new)
        return await add(new, **other)

    async def slow(room: str, limit: int, **other: Any) -> Released:
        released = await release(room, limit, **other)
        ended.set()
        await over.wait()  # as long as a disk takes
        return released

    archived.catalog.add = noted  # type: ignore[method-assign]
    archived.catalog.release = slow  # type: ignore[method-assign]

    async def destroy() -> None:
        ending.append(asyncio.create_task(archived.destroy(ROOM)))
        await ended.wait()

    ending = list[asyncio.Task[None]]()
    await while_held(archived, inspection, message, destroy)
    assert added == []
    over.set()
    await ending[0]
    assert await kept(archived) == []


async def test_who_posts_something_and_goes_has_it_kept(archived: FakeBot, download: Held) -> None:
    message = posted(archived, in_room(ALICE), "other.txt")
    archived.web.hosted[message.offers[0].urls[0]] = HostedFile(b"other")

    def go() -> None:
        archived.rooms.occupants[ROOM] -= {ALICE}

    await while_held(archived, download, message, go)
    assert await kept(archived) == ["other.txt", "plan.txt"]
