"""Bytes of attachments that are gone."""

import asyncio
from datetime import UTC, datetime

import pytest

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import CatalogUnavailable
from filebot.files import freed_blobs
from filebot.files.freed_blobs import BATCH, FreedBlobs, set_freed_aside
from filebot.files.orphan_sweep import MOST
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import Attachment, BlobRef, NewEntry, Scope
from filebot.testing.attachments import MemoryAttachments
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.catalog import MemoryCatalog
from tests.support.waiting import loop_turns

NOW = datetime(2026, 2, 3, tzinfo=UTC)


def digest(number: int) -> str:
    return f"{number:064x}"


async def with_freed(count: int) -> tuple[MemoryCatalog, MemoryBlobs]:
    """A catalog in which attachments are gone, and a store that still has their bytes."""
    catalog, store = MemoryCatalog(), MemoryBlobs()
    for number in range(count + 1):
        new = NewEntry("a", "anna@example.org", None, "", BlobRef(digest(900), 1), "text/plain", NOW)
        entry = await catalog.add(new)
        attachment = Attachment(entry.id, "thumbs", "a", BlobRef(digest(number), 1), "image/png")
        await catalog.attachments.attach(attachment)
        store.blobs[digest(number)] = b"%d" % number
        if number < count:
            await catalog.remove(entry.id)
    return catalog, store


def freed_of(catalog: MemoryCatalog, store: MemoryBlobs) -> FreedBlobs:
    locks = KeyedLocks(asyncio.Lock)
    return FreedBlobs(catalog.attachments, UnusedBlobs(store, catalog, catalog), locks)


async def test_bytes_of_all_that_is_gone_are_deleted_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freed_blobs, "BATCH", 3)
    catalog, store = await with_freed(7)
    freed = freed_of(catalog, store)
    await asyncio.gather(freed.collect(), freed.collect())
    assert set(store.blobs) == {digest(7)}
    assert await catalog.attachments.freed(9) == []


async def test_what_a_crash_left_is_set_aside_at_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freed_blobs, "SETTLED_TOGETHER", 3)
    catalog, store = await with_freed(7)
    told = await catalog.attachments.freed(99)
    await set_freed_aside(store, catalog.attachments, told, [digest(1), digest(2)])
    await freed_of(catalog, store).collect()
    assert len(store.blobs) == 6
    assert sorted(await store.aside()) == [digest(1), digest(2)]


async def test_a_kill_leaves_fewer_unknown_bytes_than_what_stops_a_start() -> None:
    class Killed(Exception):
        pass

    class Killing(UnusedBlobs):
        async def forget(self, digest: str) -> None:
            raise Killed

    catalog, store = await with_freed(200)
    freed = FreedBlobs(catalog.attachments, Killing(store, catalog, catalog), KeyedLocks(asyncio.Lock))
    with pytest.raises(Killed):
        await freed.collect()
    assert len(await catalog.attachments.freed(999)) == 200 - BATCH > 200 - MOST


async def test_what_is_freed_while_bytes_are_deleted_is_deleted_as_well() -> None:
    catalog, store = await with_freed(1)
    freed, held = freed_of(catalog, store), asyncio.Lock()
    async with held:
        freed._locks = lambda _: held  # type: ignore[assignment]
        first = asyncio.create_task(freed.collect())
        await loop_turns(5)
        [last] = await catalog.page(Scope(owner="anna@example.org"), limit=9)
        await catalog.remove(last.id)
        async with asyncio.timeout(5):
            await freed.collect()
    await first
    assert store.blobs == {}


async def test_trouble_with_the_catalog_is_logged_and_does_no_harm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Unavailable(MemoryAttachments):
        async def freed(self, limit: int) -> list[str]:
            raise CatalogUnavailable("locked")

    catalog, store = await with_freed(1)
    catalog.attachments = Unavailable(lambda _: True)
    await freed_of(catalog, store).collect()
    assert "bytes of attachments stay for now: locked" in caplog.text
    assert len(store.blobs) == 2
