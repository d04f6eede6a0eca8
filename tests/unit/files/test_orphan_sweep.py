"""Blobs that no entry refers to: found by their names, set aside, brought back, and removed in the end."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from filebot.concurrency.locks import KeyedLocks
from filebot.files import orphan_sweep
from filebot.files.orphan_sweep import (
    Unreferenced,
    UnreferencedBlobs,
    bring_back_referenced,
    find_unreferenced,
)
from filebot.model import Attachment, BlobRef, Link, NewEntry
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.catalog import MemoryCatalog
from tests.support.virtual_time import in_virtual_time

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("a", "anna@example.org", None, "", BlobRef("0" * 64, 1), "text/plain", NOW)


class Damaged(MemoryCatalog):
    async def damage(self) -> str | None:
        return "row 7 missing from index"


def digest(number: int) -> str:
    return f"{number:02x}" * 32


async def filled(blobs: int, entries: int, catalog: MemoryCatalog) -> MemoryBlobs:
    """A store, and a catalog that knows the first of its blobs."""
    store = MemoryBlobs()
    store.blobs = {digest(number): bytes([number]) for number in range(blobs)}
    for number in range(entries):
        await catalog.add(replace(NEW, blob=BlobRef(digest(number), 1)))
    return store


def caring(store: MemoryBlobs, catalog: MemoryCatalog, keep_s: float = 3600.0) -> UnreferencedBlobs:
    return UnreferencedBlobs(store, catalog, catalog, KeyedLocks(asyncio.Lock), keep_s)


async def test_unreferenced_blobs_are_counted_among_all() -> None:
    catalog = MemoryCatalog()
    store = await filled(5, 3, catalog)
    assert await find_unreferenced(store, catalog) == Unreferenced((digest(3), digest(4)), 5)


@pytest.mark.parametrize(
    ("found", "blobs", "too_many"),
    [
        (0, 0, False),
        (20, 20, False),
        (21, 21, True),
        (21, 420, False),
        (21, 419, True),
        (600, 10_000, True),
    ],
)
def test_more_than_twenty_and_five_percent_are_too_many(found: int, blobs: int, too_many: bool) -> None:
    assert Unreferenced(("",) * found, blobs).are_too_many == too_many


async def test_nothing_is_deleted_when_unreferenced_blobs_are_set_aside() -> None:
    catalog = MemoryCatalog()
    store = await filled(5, 3, catalog)
    found = await find_unreferenced(store, catalog)
    await catalog.add(replace(NEW, blob=BlobRef(digest(4), 1)))  # somebody dropped it again
    assert await caring(store, catalog).set_aside(found.digests)
    assert set(store.unreferenced) == {digest(3)}
    assert set(store.blobs) == {digest(number) for number in (0, 1, 2, 4)}


async def test_a_damaged_catalog_moves_and_removes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    catalog = Damaged()
    store = await filled(5, 3, catalog)
    store.unreferenced = {digest(9): b""}
    found = await find_unreferenced(store, catalog)
    await caring(store, catalog, keep_s=0).run(found.digests)
    await caring(store, catalog, keep_s=0).run(())
    assert len(store.blobs) == 5
    assert set(store.unreferenced) == {digest(9)}
    assert "run: filebot fsck (row 7 missing from index)" in caplog.text


async def test_a_blob_comes_back_when_an_entry_refers_to_it() -> None:
    catalog = MemoryCatalog()
    store = await filled(1, 1, catalog)
    store.unreferenced, store.blobs = {**store.blobs, digest(7): b"7"}, {}
    assert await bring_back_referenced(store, catalog) == 1
    assert (store.blobs, store.unreferenced) == ({digest(0): b"\0"}, {digest(7): b"7"})


async def test_what_expired_is_removed_with_its_links_unless_an_entry_refers_to_it() -> None:
    catalog = MemoryCatalog()
    store = await filled(1, 1, catalog)
    store.unreferenced, store.blobs = {**store.blobs, digest(7): b"7"}, {}
    await catalog.save_link(Link(digest(7), "a", "https://example.org/a", NOW))
    assert await caring(store, catalog).remove_expired()
    assert len(store.unreferenced) == 2
    assert await caring(store, catalog, keep_s=0).remove_expired()
    assert (store.blobs, store.unreferenced) == ({digest(0): b"\0"}, {})
    assert await catalog.link(digest(7), "a") is None


@in_virtual_time
async def test_unreferenced_blobs_are_removed_every_hour() -> None:
    catalog = MemoryCatalog()
    store = await filled(1, 0, catalog)
    task = asyncio.create_task(caring(store, catalog, keep_s=0).run((digest(0),)))
    await asyncio.sleep(1)
    store.unreferenced = {digest(1): b""}
    await asyncio.sleep(orphan_sweep.PAUSE_S - 2)
    assert store.unreferenced
    await asyncio.sleep(2)
    assert not store.unreferenced
    task.cancel()


@pytest.mark.parametrize("is_certain", [True, False])
async def test_partial_files_stay_while_the_time_is_not_certain(is_certain: bool) -> None:
    store = MemoryBlobs()
    store.partials["half"] = bytearray(b"1")

    async def trusted_now() -> datetime | None:
        return NOW if is_certain else None

    assert await orphan_sweep.forget_partials(store, trusted_now, -1.0) is is_certain
    assert bool(store.partials) is not is_certain


async def test_bytes_of_an_attachment_are_neither_set_aside_nor_removed() -> None:
    catalog = MemoryCatalog()
    store = await filled(3, 1, catalog)
    await catalog.attachments.attach(Attachment(1, "thumbs", "small", BlobRef(digest(2), 1), "image/png"))
    assert await find_unreferenced(store, catalog) == Unreferenced((digest(1),), 3)
    assert await caring(store, catalog).set_aside((digest(1), digest(2)))
    assert set(store.unreferenced) == {digest(1)}
    store.unreferenced[digest(2)] = store.blobs.pop(digest(2))
    assert (await find_unreferenced(store, catalog)).missing == 1
    assert await bring_back_referenced(store, catalog) == 1
    store.unreferenced[digest(2)] = store.blobs.pop(digest(2))
    assert await caring(store, catalog, keep_s=0).remove_expired()
    assert (set(store.blobs), store.unreferenced) == ({digest(0), digest(2)}, {})
