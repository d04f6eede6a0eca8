"""What somebody may do is asked again when it is done: much may happen while bytes are under way."""

import asyncio
from collections.abc import Callable
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
    bot: FakeBot, held: Held, message: IncomingMessage, change: Callable[[], None]
) -> list[str]:
    """Hand in a message, change something when its work has begun, and return what was said after it."""
    before = len(bot.messenger.sent)
    work = asyncio.create_task(bot.reception.receive(message))  # it returns when all is said
    await asyncio.wait_for(held.reached.wait(), 5)
    change()
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
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, held, get = "https://upload.example.org/1/plan.txt", Held(), bot.web.get
    bot.web.hosted[url] = HostedFile(b"plan")

    class Slow:
        def __init__(self, opened: AbstractAsyncContextManager[HostedFile]) -> None:
            self._opened = opened

        async def __aenter__(self) -> HostedFile:
            await held()
            return await self._opened.__aenter__()

        async def __aexit__(self, *error: object) -> None:
            await self._opened.__aexit__(None, None, None)

    monkeypatch.setattr(bot.web, "get", lambda url, offset=0: Slow(get(url, offset)))
    sender: Sender = in_room(ALICE)
    offer = Offer(urls=(url,), name="plan.txt")
    await bot.receive(IncomingMessage(sender, "", offers=(offer,), addressed=False))

    def silence() -> None:
        bot.rooms.rolls[ROOM] -= {ALICE}

    said = await while_held(bot, held, IncomingMessage(sender, "keep"), silence)
    assert "only listen" in said[-1]
    assert await bot.catalog.page(Scope(room=ROOM), limit=1) == []
