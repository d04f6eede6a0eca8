"""The file under the catalog: made, migrated, kept, and refused when it is no catalog."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from filebot.catalog import open_catalog
from filebot.catalog.schema import ADOPTED, metadata
from filebot.catalog.sqlite import engines
from filebot.catalog.sqlite.integrity import BUSY_TIMEOUT_S
from filebot.errors import CatalogUnavailable
from filebot.model import BlobRef, Link, NewEntry, Scope

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("report.pdf", "a@example.org", None, "", BlobRef("0" * 64, 1), "application/pdf", NOW)
SCOPE = Scope(owner="a@example.org")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.db"


async def make(path: Path) -> None:
    async with open_catalog(path):
        pass


async def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    link = Link("0" * 64, "report.pdf", "https://example.org/1", NOW)
    async with open_catalog(path) as catalog:
        entry = await catalog.add(NEW)
        await catalog.save_link(link)
        await catalog.set_language("a@example.org", "de")
    async with open_catalog(path) as catalog:
        assert await catalog.entry(entry.id) == entry
        assert await catalog.search(SCOPE, ["port"], limit=5) == [entry]
        assert await catalog.link(link.digest, link.name) == link
        assert await catalog.language("a@example.org") == "de"


async def test_an_answered_call_is_on_disk_before_the_catalog_closes(path: Path) -> None:
    async with open_catalog(path) as catalog:
        await catalog.add(NEW)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT name FROM entries").fetchall() == [("report.pdf",)]


async def test_ids_go_on_after_reopening_even_if_the_newest_entry_is_gone(path: Path) -> None:
    async with open_catalog(path) as catalog:
        first = await catalog.add(NEW)
        await catalog.remove(first.id)
    async with open_catalog(path) as catalog:
        assert (await catalog.add(NEW)).id > first.id


async def test_only_the_owner_may_read_the_files(path: Path) -> None:
    async with open_catalog(path) as catalog:
        await catalog.add(NEW)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("catalog.db", "catalog.db-wal", "catalog.db-shm"), 0o600)


async def test_writes_are_synced_and_readers_cannot_write(path: Path) -> None:
    await make(path)
    for engine, query_only in ((engines.writing_engine(path), 0), (engines.reading_engine(path), 1)):
        async with engine.connect() as connection:
            for pragma, value in {
                "journal_mode": "wal",
                "synchronous": 2,
                "foreign_keys": 1,
                "busy_timeout": 1000 * BUSY_TIMEOUT_S,
                "query_only": query_only,
            }.items():
                assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() == value
        await engine.dispose()


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    await asyncio.to_thread(path.write_bytes, content)
    with pytest.raises(CatalogUnavailable):
        await make(path)
    assert await asyncio.to_thread(path.read_bytes) == content


async def test_a_path_that_cannot_be_opened_is_refused(path: Path) -> None:
    for impossible in (path.parent, path / "under" / "nothing"):
        with pytest.raises(CatalogUnavailable):
            await make(impossible)


async def test_the_catalog_of_a_newer_filebot_is_refused(path: Path) -> None:
    await make(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CatalogUnavailable, match="newer"):
        await make(path)


async def test_damage_found_later_makes_the_catalog_unavailable(path: Path) -> None:
    async with open_catalog(path) as catalog:
        await catalog.add(NEW)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("DROP TABLE entries_fts_data")
    async with open_catalog(path) as catalog:
        with pytest.raises(CatalogUnavailable):
            await catalog.search(SCOPE, ["report"], limit=5)
        with pytest.raises(CatalogUnavailable):
            await catalog.add(NEW)
        assert await catalog.count(SCOPE) == 1


async def test_two_openings_of_a_new_file_at_once_both_succeed(path: Path) -> None:
    await asyncio.gather(make(path), make(path))


async def test_the_schema_is_what_the_migrations_make(path: Path) -> None:
    await make(path)

    def is_ours(name: str | None, kind: str, _: object) -> bool:
        # Tables that plugins have adopted are theirs to describe.
        return kind != "table" or not ((name or "").startswith("entries_fts") or name in ADOPTED)

    with engines.migrating_engine(path).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": is_ours, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
        options = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'entries'"
        ).scalar_one()
    assert "AUTOINCREMENT" in options


async def test_a_closed_catalog_answers_no_more(path: Path) -> None:
    async with open_catalog(path) as catalog:
        pass
    with pytest.raises(CatalogUnavailable):
        await catalog.entry(1)
    with pytest.raises(CatalogUnavailable):
        await catalog.add(NEW)


@pytest.mark.parametrize("engine", [engines.reading_engine, engines.writing_engine])
async def test_an_error_shows_no_values_of_its_statement(path: Path, engine: Any) -> None:
    await make(path)
    made = engine(path)
    with pytest.raises(DBAPIError) as caught:
        async with made.connect() as connection:
            await connection.execute(
                sa.text("SELECT no_such FROM entries WHERE name = :name"), {"name": "hunter2"}
            )
    await made.dispose()
    assert "hunter2" not in str(caught.value)
