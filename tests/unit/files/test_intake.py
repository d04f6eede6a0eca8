"""From an offer to a blob and a row, or to nothing at all."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from filebot.errors import (
    DigestMismatch,
    EmptyFile,
    FilebotError,
    FileTooLarge,
    NotAllowed,
    PeerGone,
    PeerProtocolError,
    QuotaExceeded,
    Refused,
    SizeMismatch,
    StorageFull,
    TransferError,
)
from filebot.events import bus
from filebot.files.orphan_sweep import find_unreferenced
from filebot.files.quota import FILE_OVERHEAD_BYTES
from filebot.model import NewEntry, Offer
from filebot.testing.blobs import MemoryWriter
from filebot.testing.http import HostedFile
from filebot.testing.inspector import InspectorByName
from filebot.testing.xmpp import FakeStreamOffer
from tests.support.virtual_time import in_virtual_time
from tests.unit.files.conftest import ALICE, URL, Workbench, sha256, to

Make = Callable[..., Workbench]


async def test_a_file_becomes_a_blob_and_a_row(workbench: Make) -> None:
    bench = workbench()
    received = await bench.drop(b"some bytes", name="My Report.pdf")
    entry = received.entry
    assert not received.already_known
    assert (entry.name, entry.owner, entry.room) == ("My Report.pdf", "alice@example.org", None)
    assert (entry.blob.size, entry.blob.digest) == (10, sha256(b"some bytes").hex())
    assert entry.media_type == "application/pdf"
    assert b"".join([c async for c in bench.store.read(entry.blob.digest)]) == b"some bytes"


async def test_the_same_bytes_of_the_same_owner_are_one_entry(workbench: Make) -> None:
    bench = workbench()
    first = await bench.drop(b"same", name="a.txt")
    second = await bench.drop(b"same", name="b.txt")
    assert second.already_known
    assert second.entry == first.entry


async def test_the_same_bytes_of_another_owner_are_another_entry_on_one_blob(workbench: Make) -> None:
    bench = workbench()
    first = await bench.drop(b"same", name="a.txt")
    second = await bench.drop(b"same", to("bob@example.org"), name="b.txt")
    assert not second.already_known
    assert second.entry.id != first.entry.id
    assert len([d async for d in bench.store.digests()]) == 1


async def test_the_name_comes_from_the_url_if_nobody_gave_one(workbench: Make) -> None:
    received = await workbench().drop(b"x")
    assert received.entry.name == "report.pdf"


async def test_a_caption_is_kept_on_one_line_and_as_it_is(workbench: Make) -> None:
    received = await workbench().drop(b"x", to("a@example.org", None, "{{ 7*7 }}\n\u202eevil"))
    assert received.entry.caption == "{{ 7*7 }} evil"


@pytest.mark.conformance(86)
@pytest.mark.parametrize(
    ("content", "offer", "error"),
    [
        (b"", {}, EmptyFile),
        (b"x", {"size": 0}, EmptyFile),
        (b"x" * 1001, {}, FileTooLarge),
        (b"x", {"size": 2000}, FileTooLarge),
        (b"four", {"size": 3}, SizeMismatch),
        (b"four", {"size": 5}, SizeMismatch),
        (b"four", {"hashes": {"sha-256": sha256(b"five")}}, DigestMismatch),
        (b"four", {"hashes": {"md5": b"\0" * 16}}, DigestMismatch),
        (b"four", {"hashes": {"sha-256": sha256(b"four"), "sha-1": b"\0" * 20}}, DigestMismatch),
    ],
)
async def test_a_file_that_does_not_keep_its_promise_leaves_nothing(
    workbench: Make, content: bytes, offer: dict[str, Any], error: type[FilebotError]
) -> None:
    bench = workbench()
    with pytest.raises(error):
        await bench.drop(content, **offer)
    assert await bench.nothing_is_left()


async def test_a_size_limit_holds_whatever_the_server_announces(workbench: Make) -> None:
    bench = workbench()
    bench.web.hosted[URL] = HostedFile(b"x" * 5000, size=10)
    with pytest.raises(FileTooLarge):
        await bench.drop(b"")
    assert await bench.nothing_is_left()


async def test_an_offer_without_a_source_is_a_peers_mistake(workbench: Make) -> None:
    with pytest.raises(PeerProtocolError):
        await workbench().intake.fetch(Offer(), ALICE)


async def test_a_second_source_is_used_if_the_first_fails(workbench: Make) -> None:
    bench = workbench()
    bench.web.hosted[URL] = HostedFile(b"here")
    received = await bench.intake.fetch(Offer(urls=("https://gone.example/x", URL)), ALICE)
    assert received.entry.blob.size == 4


async def test_when_all_sources_fail_the_last_failure_is_told(workbench: Make) -> None:
    with pytest.raises(Refused):
        await workbench().intake.fetch(Offer(urls=("https://a.example/x", "https://b.example/x")), ALICE)


async def test_a_quota_counts_what_is_stored_and_names_the_numbers(workbench: Make) -> None:
    limit = 2 * FILE_OVERHEAD_BYTES + 100
    bench = workbench(quota_per_user_bytes=limit)
    await bench.drop(b"a" * 60)
    del bench.web.hosted[URL]
    with pytest.raises(QuotaExceeded) as caught:
        await bench.drop(b"b" * 60)
    numbers = (caught.value.size_bytes, caught.value.used_bytes, caught.value.limit_bytes)
    assert numbers == (60, FILE_OVERHEAD_BYTES + 60, limit)


async def test_files_of_one_byte_are_not_free(workbench: Make) -> None:
    bench = workbench(quota_per_user_bytes=10 * FILE_OVERHEAD_BYTES)
    for number in range(9):
        bench.web.hosted[URL] = HostedFile(bytes([number]))
        await bench.drop(b"")
    bench.web.hosted[URL] = HostedFile(b"x")
    with pytest.raises(QuotaExceeded):
        await bench.drop(b"")
    bob = to("bob@example.org")
    assert (await bench.drop(b"", bob)).entry.blob.size == 1


async def test_who_has_no_room_left_is_told_before_anything_comes(workbench: Make) -> None:
    bench = workbench(quota_per_user_bytes=FILE_OVERHEAD_BYTES - 1)
    with pytest.raises(QuotaExceeded):
        await bench.drop(b"x")
    assert bench.web.asked == []


async def test_a_quota_holds_for_files_that_come_in_at_once(workbench: Make) -> None:
    bench = workbench(quota_per_user_bytes=3 * FILE_OVERHEAD_BYTES + 100)
    urls = [f"https://upload.example.org/{n}" for n in range(10)]
    for n, url in enumerate(urls):
        bench.web.hosted[url] = HostedFile(bytes([n]) * 30)
    results = await asyncio.gather(
        *(bench.intake.fetch(Offer(urls=(url,)), ALICE) for url in urls), return_exceptions=True
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 3
    assert all(isinstance(r, QuotaExceeded) for r in results if isinstance(r, BaseException))
    assert (await bench.catalog.used_by("alice@example.org"))[1] == 90


async def test_the_total_limit_holds_for_all_together(workbench: Make) -> None:
    bench = workbench(total_bytes=FILE_OVERHEAD_BYTES + 50)
    await bench.drop(b"a" * 40)
    del bench.web.hosted[URL]
    with pytest.raises(StorageFull):
        await bench.drop(b"b" * 40, to("bob@example.org"))


async def test_room_is_given_back_when_a_file_fails(workbench: Make) -> None:
    bench = workbench(quota_per_user_bytes=FILE_OVERHEAD_BYTES + 100)
    for _ in range(5):
        with pytest.raises(DigestMismatch):
            await bench.drop(b"a" * 90, hashes={"sha-256": sha256(b"no")})
    assert (await bench.drop(b"a" * 90)).entry.blob.size == 90


async def test_a_row_that_cannot_be_written_takes_its_blob_with_it(
    workbench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = workbench()

    async def fail(new: NewEntry, **_: Any) -> None:
        raise StorageFull

    monkeypatch.setattr(bench.catalog, "add", fail)
    with pytest.raises(StorageFull):
        await bench.drop(b"bytes")
    assert await bench.nothing_is_left()


async def test_who_may_put_no_file_there_any_more_leaves_nothing_even_if_its_bytes_are_durable(
    workbench: Make,
) -> None:
    bench, blobs = workbench(), list[int]()

    def recheck() -> None:
        blobs.append(len(bench.store.blobs))
        if bench.store.blobs:
            raise NotAllowed(reason="voice")

    with pytest.raises(NotAllowed):
        await bench.drop(b"bytes", to("bob@example.org", "den@muc.example.org", recheck=recheck))
    assert blobs == [0, 1]
    assert await bench.nothing_is_left()


async def test_what_a_cancelled_intake_leaves_is_found(
    workbench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = workbench()
    arrived = asyncio.Event()

    async def hang(new: NewEntry, **_: Any) -> None:
        arrived.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(bench.catalog, "add", hang)
    monkeypatch.setattr(bus, "WRITE_LIMIT_S", 0.01)
    task = asyncio.create_task(bench.drop(b"bytes"))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await bench.catalog.used_in_all() == (0, 0)
    assert len((await find_unreferenced(bench.store, bench.catalog)).digests) == 1


@pytest.mark.parametrize("at", ["commit", "inspect"])
async def test_who_cancels_before_the_row_leaves_nothing(
    workbench: Make, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    bench = workbench()
    arrived = asyncio.Event()
    commit = MemoryWriter.commit

    async def hang(*_: object) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async def commit_and_hang(writer: MemoryWriter) -> None:
        await commit(writer)
        await hang()

    if at == "commit":
        monkeypatch.setattr(MemoryWriter, "commit", commit_and_hang)
    else:
        monkeypatch.setattr(InspectorByName, "inspect", hang)
    task = asyncio.create_task(bench.drop(b"bytes"))
    await arrived.wait()
    assert bool(bench.store.blobs) == (at == "commit")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await bench.nothing_is_left()


# --- what does not get on -----------------------------------------------------------------------------


class Slow(FakeStreamOffer):
    """Sends its file in pieces of a size, with a pause before each."""

    piece_bytes = 1
    pause_s = 10.0
    left = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            for start in range(0, len(self.content), self.piece_bytes):
                await asyncio.sleep(self.pause_s)
                yield self.content[start : start + self.piece_bytes]
        finally:
            self.left = True


def slow(content: bytes) -> Slow:
    return Slow("alice@example.org", Offer(name="a.bin", size=len(content)), content)


def now() -> float:
    return asyncio.get_running_loop().time()


@in_virtual_time
async def test_what_only_trickles_is_given_up_by_whatever_method_it_comes(workbench: Make) -> None:
    bench, stream = workbench(), slow(bytes(1000))
    with pytest.raises(TransferError, match="bytes a second"):
        await bench.intake.take(stream, stream.offer, ALICE)
    assert now() == pytest.approx(3600, abs=1)
    assert stream.left
    assert await bench.nothing_is_left()
    assert [len(kept) for kept in bench.store.partials.values()] == [360]  # for the next try


@in_virtual_time
async def test_who_sends_nothing_of_the_file_is_given_up_as_well(workbench: Make) -> None:
    """A server can keep a connection busy without a byte of the file."""
    bench, stream = workbench(), slow(bytes(1000))
    stream.pause_s = 1_000_000.0
    with pytest.raises(TransferError, match="bytes a second"):
        await bench.intake.take(stream, stream.offer, ALICE)
    assert now() == pytest.approx(3600, abs=1)
    assert stream.left


@in_virtual_time
async def test_what_brings_enough_for_its_time_may_take_it(workbench: Make) -> None:
    size = 10_000_000
    bench = workbench(max_file_bytes=size, quota_per_user_bytes=2 * size, total_bytes=2 * size)
    stream = slow(bytes(size))
    stream.piece_bytes, stream.pause_s = 100_000, 120.0
    received = await bench.intake.take(stream, stream.offer, ALICE)
    assert received.entry.blob.size == size
    assert now() == pytest.approx(12_000)


@in_virtual_time
async def test_only_what_came_this_time_counts(workbench: Make) -> None:
    content = bytes(1_000_000)
    bench = workbench(max_file_bytes=len(content), quota_per_user_bytes=2_000_000, total_bytes=4_000_000)
    offer = Offer(name="a.bin", size=len(content), hashes={"sha-256": sha256(content)})
    broken = FakeStreamOffer("alice@example.org", offer, content, resumable=True, breaks_at=999_000)
    with pytest.raises(PeerGone):
        await bench.intake.take(broken, broken.offer, ALICE)
    stream = Slow("alice@example.org", offer, content, resumable=True)
    stream.pause_s = 1_000_000.0
    with pytest.raises(TransferError, match="bytes a second"):
        await bench.intake.take(stream, stream.offer, ALICE)
    assert stream.offsets == [999_000]
    assert now() == pytest.approx(3600, abs=1)
