"""Space held for what comes in: nothing is counted twice, and no quota is passed by many at once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import pytest

from filebot.errors import QuotaExceeded, RoomQuotaExceeded, StorageFull
from filebot.events.bus import EventBus
from filebot.files import handover as handover_module
from filebot.files.handover import Handover
from filebot.files.quota import FILE_OVERHEAD_BYTES, Quota, StorageLimits
from filebot.files.reservations import DISK_RESERVE_BYTES
from filebot.model import BareJid, BlobRef, NewEntry, Offer
from filebot.testing import FakeBot
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.bot import LIMITS
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.http import HostedFile
from filebot.testing.senders import ALICE, ROOM
from tests.support.virtual_time import in_virtual_time
from tests.support.waiting import loop_turns
from tests.unit.files.conftest import ALICE as TO_ALICE
from tests.unit.files.conftest import URL, Workbench

BY_ALICE = TO_ALICE.by

MIB = 1024 * 1024
Make = Callable[..., Workbench]
P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture
def bench(workbench: Make) -> Workbench:
    made = workbench(max_file_bytes=100 * MIB, quota_per_user_bytes=1000 * MIB, total_bytes=1000 * MIB)
    made.store.capacity_bytes = DISK_RESERVE_BYTES + 36 * MIB
    return made


async def test_a_file_on_disk_is_not_counted_a_second_time(bench: Workbench) -> None:
    assert (await bench.drop(b"x" * 20 * MIB)).entry.blob.size == 20 * MIB


async def test_two_files_at_once_are_kept_if_both_fit(bench: Workbench) -> None:
    urls = [f"{URL}/{number}" for number in range(2)]
    for number, url in enumerate(urls):
        bench.web.hosted[url] = HostedFile(bytes([number]) * 15 * MIB)
    received = await asyncio.gather(
        *(bench.intake.fetch(Offer(urls=(url,), size=15 * MIB), TO_ALICE) for url in urls)
    )
    assert [each.entry.blob.size for each in received] == [15 * MIB, 15 * MIB]


async def test_of_two_files_at_once_of_which_one_fits_the_first_is_kept(bench: Workbench) -> None:
    urls = [f"{URL}/{number}" for number in range(2)]
    for number, url in enumerate(urls):
        bench.web.hosted[url] = HostedFile(bytes([number]) * 30 * MIB)
    outcomes = await asyncio.gather(
        *(bench.intake.fetch(Offer(urls=(url,), size=30 * MIB), TO_ALICE) for url in urls),
        return_exceptions=True,
    )
    assert not isinstance(outcomes[0], BaseException)
    assert isinstance(outcomes[1], StorageFull)


async def test_the_reserve_of_the_disk_is_left_alone(bench: Workbench) -> None:
    with pytest.raises(StorageFull):
        await bench.drop(b"x" * 36 * MIB, size=36 * MIB)
    assert bench.web.asked == []
    bench.web.hosted.clear()
    assert (await bench.drop(b"x" * 35 * MIB)).entry.blob.size == 35 * MIB


async def test_what_is_resumed_needs_space_for_the_rest_alone(bench: Workbench) -> None:
    content = bytes(30 * MIB)
    offer = Offer(
        urls=(URL,), name="a.bin", size=len(content), hashes={"sha-256": hashlib.sha256(content).digest()}
    )
    bench.web.hosted[URL] = HostedFile(content, breaks_at=25 * MIB)
    with pytest.raises(Exception, match="broken"):
        await bench.intake.fetch(offer, TO_ALICE)
    assert sum(map(len, bench.store.partials.values())) == 25 * MIB
    bench.web.hosted[URL] = HostedFile(content)
    assert (await bench.intake.fetch(offer, TO_ALICE)).entry.blob.size == len(content)
    assert bench.web.asked[-1][1] == 25 * MIB


async def test_what_is_kept_and_cannot_be_resumed_makes_room_for_its_next_attempt(bench: Workbench) -> None:
    content = bytes(30 * MIB)
    offer = Offer(urls=(URL,), name="a.bin", size=len(content))
    bench.web.hosted[URL] = HostedFile(content, breaks_at=25 * MIB)
    with pytest.raises(Exception, match="broken"):
        await bench.intake.fetch(offer, TO_ALICE)
    bench.web.hosted[URL] = HostedFile(content)
    assert (await bench.intake.fetch(offer, TO_ALICE)).entry.blob.size == len(content)


async def test_nothing_is_held_when_all_is_over(bench: Workbench) -> None:
    await bench.drop(b"x" * MIB)
    bench.web.hosted[URL] = HostedFile(b"x" * 200 * MIB)
    with pytest.raises(Exception, match="limit"):
        await bench.drop(b"")
    holds = bench.intake._quota._holds
    assert (holds.in_all, holds.to_disk, holds.written, holds.settling) == (0, 0, 0, 0)
    assert not holds.by_owner
    assert not holds.in_room


# --- rows beside those of drops ---------------------------------------------------------------------


def limited(**limits: int) -> StorageLimits:
    known = {name: getattr(LIMITS, name) for name in LIMITS.__dataclass_fields__}
    return StorageLimits(**(known | limits))


@in_virtual_time
async def test_parallel_shares_do_not_pass_the_quota_of_a_room() -> None:
    async with FakeBot(limits=limited(quota_per_room_bytes=1_000_000)) as bot:
        people = [f"{number}@example.org" for number in range(4)]
        bot.rooms.occupants[ROOM] |= set(people)
        for number, person in enumerate(people):
            await bot.drop("a.bin", bytes([number]) * 264_096, person)
        bot.catalog.add = slow(bot.catalog.add)  # type: ignore[method-assign]
        said = await asyncio.gather(*(bot.say(f"send a.bin to {ROOM}", person) for person in people))
        files, used = await bot.catalog.used_in(ROOM)
        assert (files, files * FILE_OVERHEAD_BYTES + used <= 1_000_000) == (3, True)
        assert any("The room does not have enough space" in text for texts in said for text in texts)


async def test_shares_count_with_their_overhead_in_the_quota_of_their_owner() -> None:
    async with FakeBot(limits=limited(quota_per_user_bytes=3 * FILE_OVERHEAD_BYTES)) as bot:
        await bot.drop("a.bin", b"x" * 100)
        for number in range(4):
            await bot.say(f"send a.bin to {ROOM}")
            await bot.say(f"rename a.bin to {number}.bin")
            await bot.say(f"rename {number}.bin to a.bin")
            await bot.say(f"rename a.bin to x{number}.bin")
            await bot.say(f"send x{number}.bin to {ROOM}")
            await bot.say(f"rename x{number}.bin to a.bin")
        files, used = await bot.catalog.used_by(ALICE)
        assert files * FILE_OVERHEAD_BYTES + used <= 3 * FILE_OVERHEAD_BYTES


@in_virtual_time
async def test_parallel_claims_do_not_pass_the_quota_of_their_owner() -> None:
    catalog = MemoryCatalog()
    quota = Quota(limited(quota_per_user_bytes=1_000_000), catalog, MemoryBlobs())
    for occupant in ("one", "two"):
        await catalog.add(entry_of(f"{ROOM}/{occupant}", 600_000, occupant))
    catalog.hand_over = slow(catalog.hand_over)  # type: ignore[method-assign]
    handover = Handover(catalog, quota, EventBus())
    outcomes = await asyncio.gather(
        *(handover.hand_over(f"{ROOM}/{occupant}", ALICE, BY_ALICE) for occupant in ("one", "two")),
        return_exceptions=True,
    )
    assert sum(isinstance(each, QuotaExceeded) for each in outcomes) == 1
    assert (await catalog.used_by(ALICE))[1] == 600_000


async def test_a_claim_counts_what_is_on_its_way_to_either_side() -> None:
    catalog = MemoryCatalog()
    quota = Quota(limited(quota_per_user_bytes=1_000_000), catalog, MemoryBlobs())
    handover, occupant = Handover(catalog, quota, EventBus()), f"{ROOM}/one"
    await catalog.add(entry_of(occupant, 400_000, "one"))
    for coming, size in ((ALICE, 700_000), (occupant, 700_000)):
        async with quota.reserve(coming, size if coming == ALICE else 500_000):
            await catalog.add(entry_of(ALICE, 200_000, "own")) if coming == occupant else None
            with pytest.raises(QuotaExceeded):
                await handover.hand_over(occupant, ALICE, BY_ALICE)
    assert (await handover.hand_over(occupant, ALICE, BY_ALICE)) == 1


async def test_files_are_not_handed_over_to_whoever_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover_module, "HAND_OVER_BATCH", 1)
    catalog = MemoryCatalog()
    handover = Handover(catalog, Quota(limited(), catalog, MemoryBlobs()), EventBus())
    await catalog.add(entry_of(ALICE, 1, "own"))
    async with asyncio.timeout(10):
        assert await handover.hand_over(ALICE, ALICE, BY_ALICE) == 0


async def test_a_row_that_comes_to_be_during_a_count_is_not_missed(workbench: Make) -> None:
    """One file settles after the other has asked for the owner's bytes and before it has asked the rest."""
    bench = workbench(quota_per_user_bytes=2 * FILE_OVERHEAD_BYTES + 100)
    quota, used_in_all = bench.intake._quota, bench.catalog.used_in_all
    other = quota.reserve("alice@example.org", 150)
    first = await other.__aenter__()

    async def settle_meanwhile() -> tuple[int, int]:
        bench.catalog.used_in_all = used_in_all  # type: ignore[method-assign]
        with first.settling():
            await bench.catalog.add(entry_of("alice@example.org", 150, "other"))
        await other.__aexit__(None, None, None)
        return await used_in_all()

    bench.catalog.used_in_all = settle_meanwhile  # type: ignore[method-assign]
    with pytest.raises(QuotaExceeded):
        async with quota.reserve("alice@example.org", 100):
            pass


@in_virtual_time
async def test_a_refusal_while_another_file_settles_is_thought_over(workbench: Make) -> None:
    """Its row is there, and it still holds its space: for a moment it counts twice."""
    bench = workbench(quota_per_user_bytes=2 * FILE_OVERHEAD_BYTES + 200)
    quota, settled = bench.intake._quota, asyncio.Event()

    async def other() -> None:
        async with quota.reserve("alice@example.org", 100) as first:
            with first.settling():
                await bench.catalog.add(entry_of("alice@example.org", 100, "other"))
                settled.set()
                await loop_turns()

    task = asyncio.create_task(other())
    await settled.wait()
    async with quota.reserve("alice@example.org", 100):
        pass
    await task


async def test_a_room_refuses_a_share_that_does_not_fit() -> None:
    catalog = MemoryCatalog()
    quota = Quota(limited(quota_per_room_bytes=FILE_OVERHEAD_BYTES + 99), catalog, MemoryBlobs())
    with pytest.raises(RoomQuotaExceeded) as caught:
        async with quota.share(ALICE, ROOM, 100):
            pass
    assert (caught.value.size_bytes, caught.value.used_bytes) == (100, 0)


def entry_of(owner: BareJid, size: int, name: str) -> NewEntry:
    digest = hashlib.sha256(name.encode()).hexdigest()
    room = owner.partition("/")[0] if "/" in owner else None
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return NewEntry(name, owner, room, "", BlobRef(digest, size), "text/plain", at)


def slow(call: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The call, with time for others before it."""

    async def later(*arguments: P.args, **named: P.kwargs) -> T:
        await loop_turns()
        return await call(*arguments, **named)

    return later
