"""Files that move are bounded for each person, each room and in all; whoever waits hears of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from filebot.files import transfers
from filebot.model import IncomingMessage, Offer, Sender
from filebot.ports import Download
from filebot.testing import FakeBot
from filebot.testing.http import HostedFile, MemoryWeb
from filebot.testing.senders import ALICE, BOB, in_room, sender_of
from tests.support.virtual_time import in_virtual_time
from tests.support.waiting import until

SLOW = "https://slow.example.org"


class SlowWeb(MemoryWeb):
    """Web in which nothing below ``SLOW`` ever begins to come."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0

    @asynccontextmanager
    async def get(  # type: ignore[override]  # to stall is a download, too
        self, url: str, offset: int = 0, *, hashed: bool = False
    ) -> AsyncIterator[Download]:
        if url.startswith(SLOW):
            self.opened += 1
            try:
                await asyncio.sleep(3600)
            finally:
                self.opened -= 1
        async with super().get(url, offset, hashed=hashed) as download:
            yield download


class SlowBot(FakeBot):
    """Its web has an end that never answers; ``total`` slots in each direction."""

    def __init__(self, total: int = 256) -> None:
        self.slow = SlowWeb()
        super().__init__(slots=total, web=self.slow)
        self.tasks: list[asyncio.Task[list[str]]] = []

    def host(self, name: str) -> Offer:
        """A file that comes at once."""
        url = f"https://files.example.org/{name}"
        self.slow.hosted[url] = HostedFile(b"leaves")
        return Offer(urls=(url,), name=name)

    def begin(self, text: str, sender: Sender | str = ALICE) -> "asyncio.Task[list[str]]":
        task = asyncio.create_task(self.say(text, sender))
        self.tasks.append(task)
        return task

    async def ask(self, text: str, sender: Sender | str = ALICE, *offers: Offer) -> list[str]:
        """Say something without waiting until nothing is under way."""
        before = len(self.texts())
        await self.dispatcher.receive(IncomingMessage(sender_of(sender, None), text, offers=offers))
        return self.texts()[before:]

    def texts(self) -> list[str]:
        return [text for each in self.messenger.sent if (text := getattr(each, "text", ""))]


@asynccontextmanager
async def slow_bot(total: int = 256) -> AsyncIterator[SlowBot]:
    bot = SlowBot(total)
    async with bot:
        yield bot
        for task in bot.tasks:
            task.cancel()
        await bot.dispatcher.close(timeout_s=0.1)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*bot.tasks, return_exceptions=True)


async def soon(condition: Callable[[], object]) -> None:
    """Wait for it in virtual time, where each look costs as much as a wait of seconds."""
    await until(condition, 600, poll_s=0.1)


@in_virtual_time
async def test_fetches_of_one_person_take_their_share_and_the_next_hears_that_it_waits() -> None:
    async with slow_bot() as bot:
        for number in range(transfers.PER_PERSON):
            bot.begin(f"fetch {SLOW}/{number}.bin")
        await soon(lambda: bot.slow.opened == transfers.PER_PERSON)
        await asyncio.sleep(2 * transfers.STILL_S)
        assert bot.texts() == []
        bot.begin(f"fetch {SLOW}/late.bin")
        await soon(bot.texts)
        [told] = bot.texts()
        assert told.startswith(
            '"late.bin" is waiting behind 10 other files of yours: I transfer up to 10 of yours'
        )
        assert bot.slow.opened == transfers.PER_PERSON
        [listed] = await bot.ask("transfers")
        assert "late.bin, waiting for its turn" in listed


@in_virtual_time
async def test_another_person_stores_and_gets_meanwhile() -> None:
    async with slow_bot() as bot:
        for number in range(2 * transfers.PER_PERSON):
            bot.begin(f"fetch {SLOW}/{number}.bin")
        await soon(lambda: bot.slow.opened == transfers.PER_PERSON)
        assert "tea.txt" in (await bot.ask("", BOB, bot.host("tea.txt")))[0]
        await bot.ask("get tea.txt", BOB)
        assert [each.entry.name for each in bot.sent] == ["tea.txt"]
        assert "tea.txt" in (await bot.ask("ls", BOB))[0]


@in_virtual_time
async def test_whose_downloads_stand_still_gets_files_all_the_same() -> None:
    async with slow_bot() as bot:
        await bot.ask("", ALICE, bot.host("tea.txt"))
        for number in range(2 * transfers.PER_PERSON):
            bot.begin(f"fetch {SLOW}/{number}.bin")
        await soon(lambda: bot.slow.opened == transfers.PER_PERSON)
        await bot.ask("get tea.txt")
        assert [each.entry.name for each in bot.sent] == ["tea.txt"]


@in_virtual_time
async def test_keep_in_a_room_counts_as_well() -> None:
    async with slow_bot() as bot:
        offers = tuple(Offer(urls=(f"{SLOW}/{number}.jpg",)) for number in range(2))
        for _ in range(transfers.PER_PERSON + 5):
            posted = IncomingMessage(in_room(), "", offers=offers, addressed=False)
            await bot.dispatcher.receive(posted)
            bot.begin("keep", in_room())
        await soon(lambda: bot.slow.opened == transfers.PER_PERSON)
        await asyncio.sleep(2 * transfers.STILL_S)
        assert bot.slow.opened == transfers.PER_PERSON


@in_virtual_time
async def test_a_room_has_its_share_however_many_people_are_in_it() -> None:
    async with slow_bot() as bot:
        people = [in_room(None, f"nick{number}", occupant_id=str(number)) for number in range(30)]
        bot.rooms.occupants[people[0].room or ""] = frozenset({each.occupant or "" for each in people}) | {
            ALICE,
            BOB,
        }
        for person in people:
            offers = (Offer(urls=(f"{SLOW}/a.jpg",)),)
            await bot.dispatcher.receive(IncomingMessage(person, "", offers=offers, addressed=False))
            bot.begin("keep", person)
        await soon(lambda: bot.slow.opened == transfers.PER_ROOM)
        await asyncio.sleep(2 * transfers.STILL_S)
        assert bot.slow.opened == transfers.PER_ROOM
        assert any("of this room" in text for text in bot.texts())


@in_virtual_time
async def test_many_photos_at_once_are_not_told_to_wait() -> None:
    async with slow_bot() as bot:
        bot.slow.hosted["https://files.example.org/a.jpg"] = HostedFile(b"picture")
        photos = [
            bot.receive(
                IncomingMessage(
                    sender_of(ALICE, None), "", offers=(Offer(urls=("https://files.example.org/a.jpg",)),)
                )
            )
            for _ in range(60)
        ]
        await asyncio.gather(*photos)
        assert not any("waits" in text for text in bot.texts())


@in_virtual_time
async def test_of_a_burst_that_stands_still_one_word_is_said() -> None:
    async with slow_bot() as bot:
        for number in range(60):
            offer = Offer(urls=(f"{SLOW}/{number}.jpg",))
            bot.tasks.append(asyncio.create_task(bot.ask("", ALICE, offer)))
        await soon(bot.texts)
        await asyncio.sleep(2 * transfers.STILL_S)
        assert len(bot.texts()) == 1
        assert "is waiting behind" in bot.texts()[0]


@in_virtual_time
async def test_a_file_that_waits_for_its_turn_can_be_cancelled() -> None:
    async with slow_bot() as bot:
        for number in range(transfers.PER_PERSON + 1):
            bot.begin(f"fetch {SLOW}/{number}.bin")
        await soon(bot.texts)
        [listed] = await bot.ask("transfers")
        [waiting] = [line for line in listed.splitlines() if "waiting for its turn" in line]
        await bot.ask(f"cancel {waiting.partition(':')[0]}")
        await soon(lambda: len(bot.texts()) > 2)
        [listed] = await bot.ask("transfers")
        assert "waiting for its turn" not in listed
        assert bot.slow.opened == transfers.PER_PERSON


@in_virtual_time
async def test_files_that_go_out_are_bounded_as_well() -> None:
    async with slow_bot() as bot:
        for number in range(transfers.PER_PERSON + 2):
            await bot.drop(f"{number}.bin", b"%d" % number)
        under_way = 0

        async def hangs(*_: object, **__: object) -> None:
            nonlocal under_way
            under_way += 1
            await asyncio.sleep(3600)

        bot.slow.put = hangs  # type: ignore[method-assign]
        for number in range(transfers.PER_PERSON + 2):
            bot.begin(f"get {number}.bin")
        await soon(lambda: under_way == transfers.PER_PERSON)
        await soon(lambda: any("is waiting behind" in text for text in bot.texts()))
        assert under_way == transfers.PER_PERSON


@pytest.mark.parametrize("total", [2, 6, 10, 32, 85, 256])
def test_the_shares_of_any_number_of_slots_leave_some_for_others(total: int) -> None:
    shared = transfers.shares(total)
    assert shared.per_group is not None
    assert 1 <= shared.per_person < total
    assert 1 <= shared.per_group < total
    if total >= 12:
        assert 2 * shared.per_person < total
        assert 10 * shared.per_group < total


@in_virtual_time
async def test_what_waits_for_its_turn_holds_up_no_other_command_of_the_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with slow_bot() as bot:
        for number in range(transfers.PER_PERSON):
            bot.begin(f"fetch {SLOW}/{number}.bin")
        await soon(lambda: bot.slow.opened == transfers.PER_PERSON)
        monkeypatch.setattr("filebot.chat.rate_limits.TURN_S", 60.0)
        for number in range(20):
            bot.begin(f"fetch {SLOW}/more{number}.bin")
        await asyncio.sleep(0)  # they come first
        async with asyncio.timeout(5):
            said = await bot.ask("transfers")
        assert any("more are waiting for their turn" in text for text in said)
