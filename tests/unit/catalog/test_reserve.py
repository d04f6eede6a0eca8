"""The catalog on a full disk: what removes something goes on, by what was held in reserve for it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from filebot.catalog import open_catalog
from filebot.catalog.reserve import DiskReserve
from filebot.errors import StorageFull
from filebot.model import BlobRef, Entry, Link, Method, NewEntry, QueuedDelivery, Scope
from filebot.ports import Catalog
from plugins import archive
from tests.support.full_disk import Filler, small_disk

MIB = 1024 * 1024
RESERVE = 2 * MIB
NOW = datetime(2026, 2, 3, tzinfo=UTC)
OWNER = "a@example.org"
SCOPE = Scope(owner=OWNER)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 16) as folder:
        yield folder


@pytest.fixture
async def catalog(disk: Path) -> AsyncIterator[Catalog]:
    async with open_catalog(disk / "catalog.sqlite", RESERVE) as opened:
        yield opened


def reserved(disk: Path) -> int:
    return (disk / "catalog.reserve").stat().st_size


async def filled(catalog: Catalog, disk: Path, count: int = 20) -> list[Entry]:
    """The entries of a catalog on a disk without a free byte."""
    entries = [
        await catalog.add(
            NewEntry(f"{n}.pdf", OWNER, None, "a caption", BlobRef(f"{n:064x}", 9), "text/plain", NOW)
        )
        for n in range(count)
    ]
    Filler(disk).fill()
    return entries


async def test_on_a_full_disk_additions_fail_and_removals_succeed(catalog: Catalog, disk: Path) -> None:
    first, *others = await filled(catalog, disk)
    with pytest.raises(StorageFull):
        await catalog.rename(first.id, "other.pdf", NOW)
    with pytest.raises(StorageFull):
        await catalog.set_language(OWNER, "zh")
    with pytest.raises(StorageFull):
        await catalog.save_link(Link(first.blob.digest, first.name, "https://example.org/1", NOW))
    for entry in others:
        assert await catalog.remove(entry.id) == entry
        await catalog.forget_links(entry.blob.digest)
        Filler(disk).fill()
    assert await catalog.page(SCOPE, limit=50) == [first]


def test_a_symbolic_link_is_not_used_as_reserve(tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "catalog.reserve"
    other.write_bytes(b"somebody's")
    link.symlink_to(other)
    reserve = DiskReserve(link, RESERVE)
    reserve.fill()
    assert not reserve.give_up(5)
    assert reserve.missing_bytes == RESERVE
    assert other.read_bytes() == b"somebody's"


async def test_on_a_full_disk_the_rows_of_a_delivery_are_written(catalog: Catalog, disk: Path) -> None:
    first, *_ = await filled(catalog, disk)
    assert await catalog.add_delivery(QueuedDelivery(1, first.id, OWNER, OWNER, None, Method.IBB, NOW))
    await catalog.count_tries(1, 2)
    assert await catalog.remove_delivery(1)


async def test_on_a_full_disk_an_urgent_row_of_a_plugin_is_kept(catalog: Catalog, disk: Path) -> None:
    await catalog.plugin_tables.prepare("archive", Path(archive.__file__).with_name("migrations"))
    await filled(catalog, disk)
    opt_outs = sa.table("opt_outs", sa.column("room", sa.Text), sa.column("person", sa.Text))
    for number in range(20):
        row = sa.insert(opt_outs).values(room="room@example.org", person=f"{number:064x}@example.org")
        insert = partial(_insert, row)
        await catalog.plugin_tables.write("archive", insert, urgent=True)
        Filler(disk).fill()
    count = sa.select(sa.func.count()).select_from(opt_outs)
    assert await catalog.plugin_tables.read("archive", lambda db: db.scalar(count)) == 20


async def test_on_a_full_disk_a_room_is_released(catalog: Catalog, disk: Path) -> None:
    room = "room@example.org"
    for n in range(300):
        await catalog.add(NewEntry(f"{n}", OWNER, room, "x" * 500, BlobRef(f"{n:064x}", 9), "a/b", NOW))
    Filler(disk).fill()
    assert len(await catalog.release(room, 300)) == 300
    assert await catalog.count(SCOPE) == 300


async def test_on_a_full_disk_each_caller_gets_its_own_result(catalog: Catalog, disk: Path) -> None:
    entries = await filled(catalog, disk)
    outcomes = await asyncio.gather(
        *(
            catalog.remove(entry.id) if entry.id % 2 else catalog.rename(entry.id, "x" * 200, NOW)
            for entry in entries
        ),
        return_exceptions=True,
    )
    removed = [outcome for outcome in outcomes[::2] if isinstance(outcome, Entry)]
    assert len(removed) == 10
    left = {entry.id: entry.name for entry in await catalog.page(SCOPE, limit=50)}
    for entry, outcome in zip(entries[1::2], outcomes[1::2], strict=True):
        assert left[entry.id] == (entry.name if isinstance(outcome, StorageFull) else "x" * 200)


async def test_a_catalog_opens_on_a_full_disk(disk: Path) -> None:
    path = disk / "catalog.sqlite"
    async with open_catalog(path, RESERVE) as catalog:
        entries = await filled(catalog, disk)
    Filler(disk).fill()
    async with open_catalog(path, RESERVE) as catalog:
        for entry in entries:
            assert await catalog.remove(entry.id) == entry
            Filler(disk).fill()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_the_reserve_is_made_again_when_there_is_room(catalog: Catalog, disk: Path) -> None:
    assert reserved(disk) == RESERVE
    first, second, *_ = await filled(catalog, disk)
    await catalog.remove(first.id)
    assert reserved(disk) < RESERVE
    Filler(disk).remove()
    await catalog.remove(second.id)
    await catalog.set_language(OWNER, "zh")  # after all that came before is done with
    assert reserved(disk) == RESERVE


async def test_a_reserve_takes_what_there_is(disk: Path) -> None:
    Filler(disk).fill()
    reserve = DiskReserve(disk / "reserve", MIB)
    assert not reserve.give_up(1)
    reserve.fill()
    assert reserve.missing_bytes == MIB
    Filler(disk).remove()
    (disk / "other").write_bytes(bytes(16 * MIB - 300_000))
    reserve.fill()
    assert 0 < MIB - reserve.missing_bytes < 300_000
    assert not reserve.has_space()
    (disk / "other").unlink()
    assert reserve.has_space()
    reserve.fill()
    assert reserve.missing_bytes == 0
    assert reserve.give_up(MIB // 2)
    assert reserve.missing_bytes == MIB // 2


async def test_only_the_owner_may_read_it(catalog: Catalog, disk: Path) -> None:
    assert (disk / "catalog.reserve").stat().st_mode & 0o077 == 0


def _insert(row: sa.Insert, db: Any) -> None:
    db.execute(row)
