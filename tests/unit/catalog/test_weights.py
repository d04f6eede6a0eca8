"""Sums by weights hold whatever happens: the database against the fake, and against its own rows."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebot.catalog import open_catalog
from filebot.catalog.sqlite.inspection import inspected
from filebot.model import Attachment, BlobRef, Scope
from filebot.ports import Catalog
from filebot.testing.catalog import MemoryCatalog
from tests.contract.catalog.samples import a_file, digest
from tests.support.old_catalogs import make_catalog

OWNERS = ("anna@example.org", "bob@example.org", "tea@rooms.example.org/id")
ROOMS = ("tea@rooms.example.org", "den@rooms.example.org")
SIZES = (0, 1, 99, 101, 4097, 2**40 + 1)

owners, rooms, entries = st.sampled_from(OWNERS), st.sampled_from(ROOMS), st.integers(1, 9)
operations = st.one_of(
    st.tuples(st.just("add"), owners, st.none() | rooms, st.integers(0, len(SIZES) - 1)),
    st.tuples(st.just("remove"), entries),
    st.tuples(st.just("weigh"), entries, st.sampled_from((0, 1, 33, 50, 99, 100))),
    st.tuples(st.just("hand over"), owners, owners),
    st.tuples(st.just("release"), rooms),
    st.tuples(st.just("attach"), entries, st.sampled_from(("a", "b")), st.sampled_from((1, 7, 1001))),
    st.tuples(st.just("detach"), entries, st.sampled_from(("a", "b"))),
)


async def do(catalog: Catalog, operation: tuple[Any, ...]) -> None:
    match operation:
        case ("add", owner, room, number):
            new = a_file("a", blob=number, size=SIZES[number])
            await catalog.add(replace(new, owner=owner, room=room))
        case ("remove", entry):
            await catalog.remove(entry)
        case ("weigh", entry, percent):
            await catalog.set_weight(entry, percent)
        case ("hand over", owner, to) if owner != to:
            await catalog.hand_over(owner, to, 2)
        case ("release", room):
            await catalog.release(room, 2)
        case ("attach", entry, name, size) if await catalog.entry(entry) is not None:
            blob = BlobRef(digest(1000 + size), size)
            await catalog.attachments.attach(Attachment(entry, "tags", name, blob, "image/png"))
        case ("detach", entry, name):
            await catalog.attachments.detach(entry, "tags", name)


async def sums(catalog: Catalog) -> list[object]:
    return [
        *[await catalog.used_by(owner) for owner in OWNERS],
        *[await catalog.used_in(room) for room in ROOMS],
        *[await catalog.weight(entry) for entry in range(1, 10)],
        await catalog.used_in_all(),
    ]


@given(history=st.lists(operations, min_size=5, max_size=30))
@settings(deadline=None, max_examples=10)
def test_sums_hold_under_any_history(history: list[tuple[Any, ...]]) -> None:
    check(history)


@pytest.mark.thorough
@given(history=st.lists(operations, min_size=5, max_size=30))
@settings(deadline=None, max_examples=100)
def test_sums_hold_under_many_histories(history: list[tuple[Any, ...]]) -> None:
    check(history)


def check(history: list[tuple[Any, ...]]) -> None:
    async def play(path: Path) -> None:
        fake = MemoryCatalog()
        async with open_catalog(path) as catalog:
            for operation in history:
                await do(catalog, operation)
                await do(fake, operation)
                assert await sums(catalog) == await sums(fake), operation

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.sqlite"
        make_catalog(path)
        asyncio.run(play(path))
        with inspected(path, mend=True) as inspection:
            assert inspection.wrong_sums() == 0
            before = [*inspection.sums("owner"), *inspection.sums("scope")]
            inspection.count_anew()
            assert [*inspection.sums("owner"), *inspection.sums("scope")] == before


async def test_a_wrong_sum_is_found_and_mended(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    make_catalog(path)
    async with open_catalog(path) as catalog:
        entry = await catalog.add(a_file("a", size=1001))
        await catalog.set_weight(entry.id, 50)
        assert await catalog.used_by(entry.owner) == (1, 500)
        assert await catalog.count(Scope(owner=entry.owner)) == 1
        assert await catalog.used_in_all() == (1, 1001)
    with inspected(path, mend=True) as inspection:
        inspection._connection.execute("UPDATE sums SET used_bytes = 1001")
        assert inspection.wrong_sums() == 2
        inspection.count_anew()
        assert inspection.wrong_sums() == 0
