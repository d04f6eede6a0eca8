"""From a row to a link that works."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filebot.delivery import upload_links
from filebot.delivery.upload_links import UploadLinks
from filebot.delivery.upload_refusals import LONGEST_REST, REST
from filebot.errors import (
    ConnectionRefused,
    ForbiddenTarget,
    LinkDead,
    PeerGone,
    Refused,
    ServiceQuotaReached,
    ServiceRefused,
    TooLargeForService,
    TransferError,
    UploadServiceForbidden,
    UploadServiceNotReached,
)
from filebot.model import BlobRef, Entry, NewEntry, Slot
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.catalog import MemoryCatalog
from filebot.testing.http import MemoryWeb
from filebot.testing.xmpp import FakeUploadService


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class FailingWeb(MemoryWeb):
    """Fails the first uploads."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        if self.failures:
            self.failures -= 1
            raise PeerGone("cut")
        await super().put(slot, file, media_type, moved)


class FullService(FakeUploadService):
    """Says that its quota is reached."""

    def __init__(self, retry_at: datetime | None) -> None:
        super().__init__()
        self.retry_at = retry_at
        self.asked = 0

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        self.asked += 1
        raise ServiceQuotaReached(retry_at=self.retry_at)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_links, "PAUSE_S", 0)
    monkeypatch.setattr(upload_links, "SETTLE_S", 0.01)


async def stored(store: MemoryBlobs, catalog: MemoryCatalog, content: bytes) -> Entry:
    async with store.create() as writer:
        await writer.write(content)
        await writer.seal()
        blob: BlobRef = await writer.commit()
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return await catalog.add(NewEntry("a.txt", "alice@example.org", None, "", blob, "text/plain", created))


async def made(
    web: MemoryWeb, uploads: FakeUploadService, clock: Clock | None = None
) -> tuple[UploadLinks, Entry]:
    store, catalog = MemoryBlobs(), MemoryCatalog()
    entry = await stored(store, catalog, b"content")
    made = UploadLinks(
        store=store, entries=catalog, links=catalog, http=web, uploads=uploads, clock=clock or Clock()
    )
    return made, entry


async def test_a_failed_upload_is_tried_again_with_a_new_slot() -> None:
    uploads = FakeUploadService()
    web = FailingWeb(failures=2)
    out, entry = await made(web, uploads)
    url = await out.url(entry)
    assert len(uploads.slots) == 3
    assert web.hosted[url].content == b"content"


async def test_after_three_failures_the_last_one_is_told() -> None:
    uploads = FakeUploadService()
    out, entry = await made(FailingWeb(failures=9), uploads)
    with pytest.raises(PeerGone):
        await out.url(entry)
    assert len(uploads.slots) == 3


async def test_two_who_ask_at_once_share_one_upload() -> None:
    uploads = FakeUploadService()
    out, entry = await made(MemoryWeb(), uploads)
    first, second = await asyncio.gather(out.url(entry), out.url(entry))
    assert first == second
    assert len(uploads.slots) == 1


@pytest.mark.parametrize("named", [None, timedelta(minutes=10)])
async def test_a_full_service_is_left_alone_until_its_time(named: timedelta | None) -> None:
    clock = Clock()
    uploads = FullService(None if named is None else clock.now + named)
    out, entry = await made(MemoryWeb(), uploads, clock)
    for _ in range(3):
        with pytest.raises(ServiceQuotaReached) as caught:
            await out.url(entry)
        assert caught.value.retry_at == clock.now + (named or REST)
    assert uploads.asked == 1
    clock.now += timedelta(hours=2)
    with pytest.raises(TransferError):
        await out.url(entry)
    assert uploads.asked == 2


class RefusingWeb(MemoryWeb):
    """Answers uploads of at least so many bytes with a status."""

    def __init__(self, status: int, from_bytes: int = 0) -> None:
        super().__init__()
        self.status = status
        self.from_bytes = from_bytes
        self.tries = 0

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        self.tries += 1
        if file.stat().st_size >= self.from_bytes:
            raise Refused(status=self.status)
        await super().put(slot, file, media_type, moved)


class ServiceWithQuota(FakeUploadService):
    """Has so much room left, and names a time."""

    def __init__(self, room_bytes: int, retry_at: datetime | None = None) -> None:
        super().__init__()
        self.room_bytes = room_bytes
        self.retry_at = retry_at
        self.asked = 0

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        self.asked += 1
        if size > self.room_bytes:
            raise ServiceQuotaReached(retry_at=self.retry_at)
        self.room_bytes -= size
        return await super().slot(name, size, media_type)


async def with_sizes(
    web: MemoryWeb, uploads: FakeUploadService, *sizes: int, clock: Clock | None = None
) -> tuple[UploadLinks, list[Entry]]:
    store, catalog = MemoryBlobs(), MemoryCatalog()
    entries = [await stored(store, catalog, bytes([number]) * size) for number, size in enumerate(sizes)]
    made = UploadLinks(
        store=store, entries=catalog, links=catalog, http=web, uploads=uploads, clock=clock or Clock()
    )
    return made, entries


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 410, 415, 451])
async def test_a_final_refusal_costs_one_slot_and_one_upload(status: int) -> None:
    web, uploads = RefusingWeb(status), FakeUploadService()
    out, entry = await made(web, uploads)
    with pytest.raises(ServiceRefused):
        await out.url(entry)
    assert (web.tries, len(uploads.slots)) == (1, 1)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
async def test_a_refusal_that_may_pass_is_met_three_times(status: int) -> None:
    web, uploads = RefusingWeb(status), FakeUploadService()
    out, entry = await made(web, uploads)
    with pytest.raises(Refused):
        await out.url(entry)
    assert (web.tries, len(uploads.slots)) == (3, 3)


async def test_what_is_too_large_by_413_is_tried_once_and_smaller_files_still_go() -> None:
    clock, web, uploads = Clock(), RefusingWeb(413, from_bytes=1000), FakeUploadService()
    out, (large, larger, small) = await with_sizes(web, uploads, 1000, 2000, 999, clock=clock)
    for entry in (large, larger, large):
        with pytest.raises(TooLargeForService) as caught:
            await out.url(entry)
        assert caught.value.size_bytes == entry.blob.size
    assert (web.tries, len(uploads.slots)) == (1, 1)
    assert await out.url(small)
    clock.now += timedelta(days=2)
    with pytest.raises(TooLargeForService):
        await out.url(large)
    assert web.tries == 3


async def test_full_upload_service_raises_quota_error() -> None:
    web = RefusingWeb(507)
    out, entry = await made(web, FakeUploadService())
    with pytest.raises(ServiceQuotaReached):
        await out.url(entry)
    assert web.tries == 1


async def test_a_quota_without_room_for_a_file_may_have_room_for_a_smaller_one() -> None:
    uploads = ServiceWithQuota(3_000)
    out, (first, second, third) = await with_sizes(MemoryWeb(), uploads, 2_500, 1_000, 10)
    await out.url(first)
    for _ in range(2):
        with pytest.raises(ServiceQuotaReached):
            await out.url(second)
    assert await out.url(third)
    assert uploads.asked == 3
    assert out.refusals.full_until(1_000) is not None
    assert out.refusals.full_until(10) is None


@pytest.mark.parametrize("year", [2999, 9999])
async def test_a_time_far_away_is_not_waited_for(year: int) -> None:
    clock, uploads = Clock(), ServiceWithQuota(0, datetime(year, 12, 31, tzinfo=UTC))
    out, entry = await made(MemoryWeb(), uploads, clock)
    with pytest.raises(ServiceQuotaReached) as caught:
        await out.url(entry)
    assert caught.value.retry_at == clock.now + LONGEST_REST
    clock.now += LONGEST_REST
    uploads.room_bytes = 1000
    assert await out.url(entry)


class ForgetfulWeb(MemoryWeb):
    """Confirms uploads and loses the first ones, or has them only when it was asked so often."""

    def __init__(self, *, losses: int = 0, late: int = 0) -> None:
        super().__init__()
        self.losses = losses
        self.late = late
        self.looked = 0

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        await super().put(slot, file, media_type, moved)
        if self.losses:
            self.losses -= 1
            del self.hosted[slot.get_url]

    async def alive(self, url: str, size: int) -> bool | None:
        self.looked += 1
        return self.looked > self.late and await super().alive(url, size)


async def test_a_link_that_is_dead_at_once_is_uploaded_once_more() -> None:
    uploads, web = FakeUploadService(), ForgetfulWeb(losses=1)
    out, entry = await made(web, uploads)
    url = await out.url(entry)
    assert url in web.hosted
    assert len(uploads.slots) == 2


async def test_a_link_that_is_dead_twice_is_not_told() -> None:
    uploads = FakeUploadService()
    out, entry = await made(ForgetfulWeb(losses=9), uploads)
    with pytest.raises(LinkDead):
        await out.url(entry)
    assert len(uploads.slots) == 2


async def test_a_service_is_given_a_moment() -> None:
    uploads = FakeUploadService()
    out, entry = await made(ForgetfulWeb(late=1), uploads)
    await out.url(entry)
    assert len(uploads.slots) == 1


class SilentWeb(MemoryWeb):
    """Does not say whether a file is there: at once, or ever."""

    def __init__(self, *, hangs: bool) -> None:
        super().__init__()
        self.hangs = hangs

    async def alive(self, url: str, size: int) -> bool | None:
        if self.hangs:
            await asyncio.Event().wait()
        return None


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_link_that_cannot_be_looked_at_is_believed(
    monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    monkeypatch.setattr(upload_links, "CHECK_S", 0.05)
    uploads = FakeUploadService()
    out, entry = await made(SilentWeb(hangs=hangs), uploads)
    await out.url(entry)
    assert len(uploads.slots) == 1


class UnreachedWeb(MemoryWeb):
    """Raises this for every upload."""

    def __init__(self, error: TransferError) -> None:
        super().__init__()
        self.error = error

    async def put(
        self, slot: Slot, file: Path, media_type: str, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        raise self.error


async def test_an_upload_service_that_is_forbidden_is_no_link_of_anybody() -> None:
    uploads = FakeUploadService()
    out, entry = await made(UnreachedWeb(ForbiddenTarget(reason="private")), uploads)
    with pytest.raises(UploadServiceForbidden) as caught:
        await out.url(entry)
    assert caught.value.reason == "private"
    assert len(uploads.slots) == 1


async def test_an_upload_service_that_is_not_reached_is_told_with_its_cause() -> None:
    out, entry = await made(UnreachedWeb(ConnectionRefused("up.example.org")), FakeUploadService())
    with pytest.raises(UploadServiceNotReached) as caught:
        await out.url(entry)
    assert isinstance(caught.value.cause, ConnectionRefused)


async def test_after_a_quota_refusal_a_smaller_file_is_still_tried() -> None:
    uploads = DailyQuota(3_000_000)
    store, catalog, web = MemoryBlobs(), MemoryCatalog(), MemoryWeb()
    out = UploadLinks(store=store, entries=catalog, links=catalog, http=web, uploads=uploads, clock=Clock())
    large, medium, small = [
        await stored(store, catalog, bytes([number]) * size)
        for number, size in enumerate((2_500_000, 1_000_000, 1_000))
    ]
    assert await out.url(large)
    with pytest.raises(ServiceQuotaReached):
        await out.url(medium)
    assert out.refusals.full_until(medium.blob.size) is not None
    assert out.refusals.full_until(small.blob.size) is None
    assert await out.url(small)


class DailyQuota(FakeUploadService):
    """Takes so many bytes a day."""

    def __init__(self, left_bytes: int) -> None:
        super().__init__()
        self.left_bytes = left_bytes

    async def slot(self, name: str, size: int, media_type: str) -> Slot:
        if size > self.left_bytes:
            raise ServiceQuotaReached(retry_at=None)
        self.left_bytes -= size
        return await super().slot(name, size, media_type)
