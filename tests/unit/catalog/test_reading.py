"""Questions: none waits for the writer, all use an index, and a cancelled one leaves no mess."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect

from filebot.catalog import catalog as sql
from filebot.catalog import open_catalog, queries, writes
from filebot.catalog.mapping import scope_key
from filebot.catalog.sqlite import full_text, statements
from filebot.catalog.writer import Change
from filebot.model import BlobRef, EntryFilter, NewEntry, Scope
from filebot.ports import Catalog
from tests.support.old_catalogs import make_catalog

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("report.pdf", "a@example.org", None, "", BlobRef("0" * 64, 1), "application/pdf", NOW)
SCOPE = Scope(owner="a@example.org")
ROOM = Scope(room="r@example.org")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.db"
    make_catalog(path)
    return path


@pytest.fixture
async def catalog(path: Path) -> AsyncIterator[Catalog]:
    async with open_catalog(path) as opened:
        yield opened


async def test_readers_do_not_wait_for_a_writer(catalog: Catalog, path: Path) -> None:
    entry = await catalog.add(NEW)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM entries")
        async with asyncio.timeout(1):
            assert await catalog.entry(entry.id) == entry
            assert await catalog.search(SCOPE, ["report"], limit=5) == [entry]
        other.execute("ROLLBACK")


async def test_a_reader_sees_what_was_answered_a_moment_ago(catalog: Catalog) -> None:
    for number in range(20):
        entry = await catalog.add(replace(NEW, name=f"{number}"))
        assert await catalog.page(SCOPE, limit=1) == [entry]


async def test_cancelled_questions_leave_the_readers_usable(catalog: Catalog) -> None:
    entry = await catalog.add(NEW)
    for turn in range(40):
        task = asyncio.create_task(catalog.entry(entry.id))
        await asyncio.sleep(turn * 0.000_05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    found = await asyncio.gather(*(catalog.entry(entry.id) for _ in range(20)))
    assert found == [entry] * 20


async def test_cancelled_question_costs_no_connection(catalog: Catalog) -> None:
    assert isinstance(catalog, sql.SqlCatalog)
    opened: list[object] = []
    sa.event.listen(catalog._readers.sync_engine, "connect", lambda *both: opened.append(both))
    for turn in range(20):
        task = asyncio.create_task(catalog.entry(1))
        await asyncio.sleep(turn * 0.000_05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert opened == []


def plan(path: Path, statement: sa.Select[Any] | Change) -> str:
    compiled = statement.compile(
        dialect=dialect(paramstyle="named"), compile_kwargs={"render_postcompile": True}
    )
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {compiled}", compiled.params)
        return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize("scope", [SCOPE, ROOM])
@pytest.mark.parametrize("before", [None, 50])
@pytest.mark.usefixtures("catalog")
def test_a_page_is_read_from_its_index_in_order(path: Path, scope: Scope, before: int | None) -> None:
    first = queries.PAGE.params(scope=scope_key(scope), limit=20)
    text = plan(path, first if before is None else queries.page(scope, 20, before))
    assert "INDEX ix_entries_scope_id (scope=?" in text
    assert ("id<?" in text) == (before is not None)
    assert_no_sort_or_scan(text)


@pytest.mark.usefixtures("catalog")
def test_a_name_is_read_from_its_index_in_order(path: Path) -> None:
    text = plan(path, queries.WITH_NAME.params(scope=scope_key(SCOPE), name_key="report.pdf"))
    assert "INDEX ix_entries_scope_name (scope=? AND name_key=?)" in text
    assert_no_sort_or_scan(text)


@pytest.mark.usefixtures("catalog")
def test_other_questions_about_entries_use_an_index(path: Path) -> None:
    for statement, index in (
        (queries.WITH_ID.params(id=1), "PRIMARY KEY"),
        (
            queries.WITH_DIGEST.params(scope=scope_key(SCOPE), owner="a@example.org", digest="0" * 64),
            "digest=?)",
        ),
        (queries.referenced_digests(["0" * 64, "1" * 64]), "COVERING INDEX ix_entries_digest"),
        (
            statements.used_by_another_index("0" * 64),
            "COVERING INDEX ix_entries_scope (scope=? AND digest=?)",
        ),
        (queries.SUM.params(kind="owner", key="a@example.org"), "sums USING PRIMARY KEY"),
        (queries.SUM.params(kind="scope", key=scope_key(SCOPE)), "sums USING PRIMARY KEY"),
        (queries.find_by_prefix(SCOPE, "rep", 5), "COVERING INDEX ix_entries_scope_name"),
        (writes.remove(1), "PRIMARY KEY"),
    ):
        text = plan(path, statement)
        assert index in text, text
        assert "SCAN entries" not in text, text


@pytest.mark.parametrize("before", [None, 50])
@pytest.mark.usefixtures("catalog")
def test_a_search_starts_at_the_full_text_index_and_needs_no_sort(path: Path, before: int | None) -> None:
    for statement in (
        queries.search(full_text, SCOPE, {"report", "ab"}, 5, before),
        queries.find_by_glob(full_text, SCOPE, "*.pdf", 5),
        queries.names_with(full_text, SCOPE, "rep", 5),
    ):
        text = plan(path, statement)
        assert text.startswith("SCAN entries_fts VIRTUAL TABLE"), text
        assert "SEARCH entries USING INTEGER PRIMARY KEY" in text, text
        assert "TEMP B-TREE" not in text, text


@pytest.mark.parametrize("words", [set[str](), {"report"}])
@pytest.mark.usefixtures("catalog")
def test_a_condition_of_a_plugin_is_where_a_search_starts_or_is_asked_by_an_index(
    path: Path, words: set[str]
) -> None:
    wanted = EntryFilter("tags", "red")
    text = plan(path, queries.search_among(full_text, wanted, SCOPE, words, 5, None, [wanted]))
    assert "SEARCH entries USING INTEGER PRIMARY KEY (rowid=?)" in text, text
    assert "SEARCH plugin_data USING INDEX ix_plugin_data_key" in text, text
    text = plan(path, queries.search(full_text, SCOPE, words, 5, 50, [wanted]))
    assert "CORRELATED" in text, text
    assert "SEARCH plugin_data USING INDEX ix_plugin_data_entry_id (entry_id=?)" in text, text
    assert "TEMP B-TREE" not in text, text
    assert "SCAN plugin_data" not in text, text


async def test_short_words_are_looked_for_among_the_newest_rows(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "UNINDEXED_ROWS", 3)
    added = [await catalog.add(replace(NEW, name=name)) for name in ("xy", "a", "xy", "b", "xy")]
    assert await catalog.search(SCOPE, ["xy"], limit=9) == [added[4], added[2]]
    assert await catalog.search(SCOPE, ["xy"], limit=9, before=added[2].id) == [added[0]]


async def test_a_mistyped_old_name_is_found_in_a_large_scope(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "NEAREST_NAMES", 3)
    for name in ("Annual-Report.pdf", "a.txt", "b.txt", "c.txt"):
        await catalog.add(replace(NEW, name=name))
    await catalog.add(replace(NEW, name="anual-report.pdf", owner="b@example.org"))
    assert await catalog.nearest(SCOPE, "anual-report.pdf", 5) == ["Annual-Report.pdf"]
    assert await catalog.nearest(SCOPE, "zz", 5) == []


def assert_no_sort_or_scan(text: str) -> None:
    assert "SCAN" not in text, text
    assert "TEMP B-TREE" not in text, text
