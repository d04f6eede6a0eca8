"""From a row to a link that works."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filebot.errors import PeerGone, ServiceQuotaReached, TransferError
from filebot.model import BlobRef, Entry, NewEntry, Slot
from filebot.service import delivery
from filebot.service.delivery import Delivery
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
    monkeypatch.setattr(delivery, "PAUSE_S", 0)


async def stored(store: MemoryBlobs, catalog: MemoryCatalog, content: bytes) -> Entry:
    async with store.create() as writer:
        await writer.write(content)
        await writer.seal()
        blob: BlobRef = await writer.commit()
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return await catalog.add(NewEntry("a.txt", "alice@example.org", None, "", blob, "text/plain", created))


async def made(
    web: MemoryWeb, uploads: FakeUploadService, clock: Clock | None = None
) -> tuple[Delivery, Entry]:
    store, catalog = MemoryBlobs(), MemoryCatalog()
    entry = await stored(store, catalog, b"content")
    made = Delivery(store=store, catalog=catalog, http=web, uploads=uploads, clock=clock or Clock())
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
        assert caught.value.retry_at == clock.now + (named or delivery.REST)
    assert uploads.asked == 1
    clock.now += timedelta(hours=2)
    with pytest.raises(TransferError):
        await out.url(entry)
    assert uploads.asked == 2
