"""Bytes of attachments that are gone."""

import asyncio
from datetime import UTC, datetime

import pytest

from filebot.concurrency.locks import KeyedLocks
from filebot.errors import CatalogUnavailable
from filebot.files import freed_blobs
from filebot.files.freed_blobs import FreedBlobs, leave_to_sweep
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import Attachment, BlobRef, NewEntry
from filebot.testing.attachments import MemoryAttachments
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.catalog import MemoryCatalog

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


async def test_what_a_crash_left_is_not_deleted_at_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freed_blobs, "BATCH", 3)
    catalog, store = await with_freed(7)
    await leave_to_sweep(catalog.attachments)
    await freed_of(catalog, store).collect()
    assert len(store.blobs) == 8


async def test_trouble_with_the_catalog_is_logged_and_does_no_harm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Unavailable(MemoryAttachments):
        async def freed(self, limit: int) -> list[str]:
            raise CatalogUnavailable("locked")

    catalog, store = await with_freed(1)
    catalog.attachments = Unavailable(lambda _: True)
    await freed_of(catalog, store).collect()
    await leave_to_sweep(catalog.attachments)
    assert "bytes of attachments stay for now: locked" in caplog.text
    assert len(store.blobs) == 2
