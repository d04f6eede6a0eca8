"""What somebody may do is asked again when it is done: much may happen while bytes are under way."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from filebot.model import IncomingMessage, Offer, Scope, Sender
from filebot.testing import FakeBot
from filebot.testing.bot import ALICE, BOB, ROOM, in_room
from filebot.testing.http import HostedFile


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
    work = asyncio.create_task(bot.reception.receive(message))  # it returns when all is said
    await asyncio.wait_for(held.reached.wait(), 5)
    changing = change()
    if changing is not None:
        await changing
    held.released.set()
    await asyncio.wait_for(work, 5)
    return [str(each) for each in bot.messenger.sent[before:]]


@pytest.fixture
def upload(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Of the file that is going to be sent."""
    held, slot = Held(), bot.uploads.slot

    async def slow(name: str, size: int, media_type: str) -> object:
        await held()
        return await slot(name, size, media_type)

    monkeypatch.setattr(bot.uploads, "slot", slow)
    return held


@pytest.fixture
def download(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Of whatever file is fetched."""
    held, get = Held(), bot.web.get

    class Slow:
        def __init__(self, opened: AbstractAsyncContextManager[HostedFile]) -> None:
            self._opened = opened

        async def __aenter__(self) -> HostedFile:
            await held()
            return await self._opened.__aenter__()

        async def __aexit__(self, *error: object) -> None:
            await self._opened.__aexit__(None, None, None)

    monkeypatch.setattr(bot.web, "get", lambda url, offset=0: Slow(get(url, offset)))
    return held


def posted(bot: FakeBot, sender: Sender, name: str = "plan.txt") -> IncomingMessage:
    """A message in which somebody posts a file."""
    url = f"https://upload.example.org/{len(bot.web.hosted)}/{name}"
    bot.web.hosted[url] = HostedFile(b"plan")
    return IncomingMessage(sender, "", offers=(Offer(urls=(url,), name=name),), addressed=False)


async def kept(bot: FakeBot, room: str = ROOM) -> list[str]:
    return [each.name for each in await bot.catalog.page(Scope(room=room), limit=50)]


async def test_a_link_to_a_rooms_file_does_not_go_to_who_was_put_out_meanwhile(
    bot: FakeBot, upload: Held
) -> None:
    await bot.drop("plan.txt", b"plan", ALICE)
    upload.released.set()
    await bot.say("get plan.txt", in_room(ALICE))
    (entry,) = await bot.catalog.page(Scope(room=ROOM), limit=1)
    bot.web.hosted.clear()  # so there must be a new upload
    upload.reached.clear()
    upload.released.clear()
    files = len(bot.sent)

    def put_out() -> None:
        bot.rooms.rolls[ROOM] -= {BOB}

    message = IncomingMessage(bot._sender(BOB), f"get #{entry.id}")
    said = await while_held(bot, upload, message, put_out)
    assert "no file called" in said[-1]
    assert len(bot.sent) == files


async def test_a_file_is_not_posted_for_who_lost_their_voice_meanwhile(bot: FakeBot, upload: Held) -> None:
    await bot.drop("plan.txt", b"plan", ALICE)

    def silence() -> None:
        bot.rooms.rolls[ROOM] -= {ALICE}

    message = IncomingMessage(bot._sender(ALICE), f"send plan.txt to {ROOM}")
    said = await while_held(bot, upload, message, silence)
    assert "only listen" in said[-1]
    assert bot.sent == []
    assert await bot.catalog.page(Scope(room=ROOM), limit=1) == []


async def test_a_file_does_not_become_the_rooms_for_who_lost_their_voice_meanwhile(
    bot: FakeBot, download: Held
) -> None:
    sender = in_room(ALICE)
    await bot.receive(posted(bot, sender))

    def silence() -> None:
        bot.rooms.rolls[ROOM] -= {ALICE}

    said = await while_held(bot, download, IncomingMessage(sender, "keep"), silence)
    assert "only listen" in said[-1]
    assert await kept(bot) == []


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
    await bot._desk.book.change(ROOM, "archive off")


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
