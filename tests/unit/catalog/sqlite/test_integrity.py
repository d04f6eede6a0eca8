"""Damage in the catalog's file is found, and a file without anything in it is known as such."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.catalog.sqlite.integrity import IntegrityCheck, holds_nothing
from filebot.errors import CatalogUnavailable
from filebot.model import Attachment, BlobRef, NewEntry
from tests.support.old_catalogs import make_catalog
from tests.support.waiting import until

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("a", "anna@example.org", None, "", BlobRef("0" * 64, 1), "text/plain", NOW)


def empty_index(path: Path, name: str) -> None:
    """Let an index have lost all its rows, as a torn write can."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        [(page, sql)] = connection.execute(
            "SELECT rootpage, sql FROM sqlite_master WHERE name = ?", (name,)
        ).fetchall()
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
        assert sql
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        # An empty leaf of an index (https://sqlite.org/fileformat2.html, 1.6).
        file.write(bytes([10, 0, 0, 0, 0]) + (size % 65536).to_bytes(2, "big") + bytes(1))


async def make(path: Path, entries: int) -> None:
    make_catalog(path)
    async with open_catalog(path) as catalog:
        for number in range(entries):
            await catalog.add(replace(NEW, blob=BlobRef(f"{number:064x}", 1)))


async def test_an_index_that_lost_rows_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    await make(path, 3)
    empty_index(path, "ix_entries_digest")
    async with open_catalog(path) as catalog:
        assert await catalog.referenced_digests([f"{1:064x}"]) == set()
        assert "index ix_entries_digest" in str(await catalog.damage())


async def test_an_index_that_lost_rows_does_not_make_bytes_unused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "catalog.sqlite"
    await make(path, 3)
    empty_index(path, "ix_entries_digest")
    async with open_catalog(path) as catalog:
        assert await catalog.is_used(f"{1:064x}")
        assert "run: filebot fsck" in caplog.text
        assert not await catalog.is_used(f"{7:064x}")


@pytest.mark.parametrize("index", ["ix_attachments_digest", "ix_attachments_digest_size"])
async def test_an_index_of_attachments_that_lost_rows_does_not_make_bytes_unused(
    tmp_path: Path, index: str
) -> None:
    path = tmp_path / "catalog.sqlite"
    await make(path, 3)
    async with open_catalog(path) as catalog:
        await catalog.attachments.attach(Attachment(1, "tags", "a", BlobRef(f"{9:064x}", 1), "image/png"))
    empty_index(path, index)
    async with open_catalog(path) as catalog:
        assert await catalog.is_used(f"{9:064x}")
        assert not await catalog.is_used(f"{7:064x}")
        assert index in str(await catalog.damage())


async def test_an_overwritten_page_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    await make(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        [(page,)] = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'entries'"
        ).fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    assert IntegrityCheck(path).run() is not None


async def test_a_file_that_cannot_be_opened_is_unavailable_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    async with open_catalog(path) as catalog:
        path.rename(tmp_path / "away")
        with pytest.raises(CatalogUnavailable):
            await catalog.damage()


async def test_a_stop_does_not_wait_for_the_examination(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    async with open_catalog(path) as catalog:
        await catalog.add(NEW)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("CREATE TABLE filler (a TEXT UNIQUE)")
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
                " INSERT INTO filler SELECT 'filler ' || i FROM n"
            )
        examination = IntegrityCheck(path)
        running = asyncio.create_task(asyncio.to_thread(examination.run))
        await until(lambda: examination._connection is not None, 5)
        examination.stop()
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            await running
        assert await catalog.damage() is None


def test_missing_empty_and_tableless_files_hold_nothing(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    assert holds_nothing(path)
    path.touch()
    assert holds_nothing(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert path.stat().st_size
    assert holds_nothing(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE entries (id)")
    assert not holds_nothing(path)
    path.write_bytes(b"no database" * 500)
    assert not holds_nothing(path)
