"""The sums that triggers keep are those that adding everything up would give."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebot.catalog import open_catalog
from filebot.catalog.sqlite import engines
from filebot.errors import NoSuchEntry
from filebot.model import Attachment, BlobRef, NewEntry, Scope
from filebot.ports import Catalog
from tests.support.old_catalogs import make_catalog

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("a", "anna@example.org", None, "", BlobRef("0" * 64, 1), "text/plain", NOW)

people = st.sampled_from(["anna@example.org", "bert@example.org"])
rooms = st.sampled_from(["den@muc.example.org", "hall@muc.example.org"])
blobs = st.integers(1, 3).map(lambda number: BlobRef(f"{number:064x}", 10**number))

Change = Callable[[Catalog], Awaitable[object]]


def adding(owner: str, room: str | None, blob: BlobRef) -> Change:
    return lambda catalog: catalog.add(replace(NEW, owner=owner, room=room, blob=blob))


def removing(entry_id: int) -> Change:
    return lambda catalog: catalog.remove(entry_id)


def handing_over(owner: str, to: str, limit: int) -> Change:
    return lambda catalog: catalog.hand_over(owner, to, limit)


def releasing(room: str, limit: int) -> Change:
    return lambda catalog: catalog.release(room, limit)


def attaching(entry_id: int, name: str, blob: BlobRef) -> Change:
    async def attach(catalog: Catalog) -> None:
        with suppress(NoSuchEntry):
            await catalog.attachments.attach(Attachment(entry_id, "tags", name, blob, "image/png"))

    return attach


def detaching(entry_id: int, name: str) -> Change:
    return lambda catalog: catalog.attachments.detach(entry_id, "tags", name)


entry_ids = st.integers(1, 9)
attachment_names = st.sampled_from(["thumbnail", "text"])

changes = st.one_of(
    st.builds(adding, people, st.none() | rooms, blobs),
    st.builds(removing, st.integers(1, 9)),
    st.builds(handing_over, people, people, st.integers(1, 9)),
    st.builds(releasing, rooms, st.integers(1, 9)),
    st.builds(attaching, entry_ids, attachment_names, blobs),
    st.builds(detaching, entry_ids, attachment_names),
)


def kept(path: Path) -> list[tuple[str, str, int, int]]:
    """The sums as they are kept."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM sums ORDER BY kind, key").fetchall()


def added_up(path: Path) -> list[tuple[str, str, int, int]]:
    """Return the sums computed from the rows themselves."""
    sums = []
    with closing(sqlite3.connect(path)) as connection:
        for kind, column in (("all", "''"), ("owner", "owner"), ("scope", "scope")):
            attached = "(SELECT coalesce(sum(size), 0) FROM attachments WHERE entry_id = entries.id)"
            parts = (
                f"SELECT {column} AS part, count(*) AS n, size, sum({attached}) AS more"
                " FROM entries GROUP BY part, digest"
            )
            each = (
                f"SELECT '{kind}', part, sum(n), sum(size) + sum(more) FROM ({parts})"
                " GROUP BY part ORDER BY part"
            )
            sums += connection.execute(each).fetchall()
    return sums


def check(done: list[Change]) -> None:
    async def do(path: Path) -> None:
        async with open_catalog(path) as catalog:
            for change in done:
                await change(catalog)

    with TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.db"
        make_catalog(path)
        asyncio.run(do(path))
        assert kept(path) == added_up(path)


@settings(max_examples=15, deadline=None)
@given(st.lists(changes, max_size=25))
def test_the_sums_are_right_after_any_changes(done: list[Change]) -> None:
    check(done)


@pytest.mark.thorough
@settings(max_examples=100, deadline=None)
@given(st.lists(changes, max_size=25))
def test_the_sums_are_right_in_many_examples(done: list[Change]) -> None:
    check(done)


async def test_a_migration_adds_up_the_entries_of_an_older_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    make_catalog(path, "0006")
    with engines.migrating_engine(path).begin() as connection:
        for number, (owner, room, digest) in enumerate(
            [("anna", None, 1), ("anna", "den", 1), ("bert", "den", 1), ("bert", "den", 2)]
        ):
            scope = f"room:{room}" if room else f"owner:{owner}"
            connection.exec_driver_sql(
                "INSERT INTO entries (name, name_key, caption, caption_key, owner, room, scope, mark,"
                "  digest, size, media_type, created_at, modified_at)"
                " VALUES (?, '', '', '', ?, ?, ?, '', ?, ?, '', '2026-01-01', '2026-01-01')",
                (str(number), owner, room, scope, str(digest), 10 * digest),
            )
    async with open_catalog(path) as catalog:
        assert await catalog.used_in_all() == (4, 30)
        assert await catalog.used_by("bert") == (2, 30)
        assert await catalog.used_in("den") == (3, 30)
        assert await catalog.count(Scope(owner="anna")) == 1
    assert kept(path) == added_up(path)
