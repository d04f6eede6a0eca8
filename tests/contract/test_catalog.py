"""The catalog port: one suite for the database and for the fake."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebot.catalog import open_catalog
from filebot.model import (
    Address,
    AddressKind,
    ArchivePosition,
    BlobRef,
    Entry,
    HistoryImport,
    Link,
    Method,
    NewEntry,
    QueuedDelivery,
    RememberedRoom,
    RoomSettings,
    Scope,
)
from filebot.ports import MOST_LANGUAGES_OF_ROOM, Catalog
from filebot.testing.catalog import MemoryCatalog

NOW = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
ALICE = Scope(owner="alice@example.org")
BOB = Scope(owner="bob@example.org")
ROOM = Scope(room="tea@rooms.example.org")


def digest(number: int) -> str:
    return f"{number:064x}"


def a_file(
    name: str, *, scope: Scope = ALICE, caption: str = "", blob: int = 1, size: int = 10
) -> NewEntry:
    owner = scope.owner or "carol@example.org"
    ref = BlobRef(digest(blob), size)
    return NewEntry(name, owner, scope.room, caption, ref, "application/pdf", NOW)


async def put(catalog: Catalog, *names: str, scope: Scope = ALICE) -> list[Entry]:
    """Add them in this order, in one go: the tasks begin in order."""
    return await asyncio.gather(*(catalog.add(a_file(name, scope=scope)) for name in names))


def names(entries: Sequence[Entry]) -> list[str]:
    return [entry.name for entry in entries]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once: to copy it is quicker than to make it anew for every test."""
    path = tmp_path_factory.mktemp("catalog") / "empty.db"

    async def make() -> None:
        async with open_catalog(path):
            pass

    asyncio.run(make())
    return path


@pytest.fixture(params=["database", "memory"])
async def catalog(
    request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path
) -> AsyncIterator[Catalog]:
    if request.param == "memory":
        yield MemoryCatalog()
        return
    path = tmp_path / "catalog.db"
    path.write_bytes(empty_database.read_bytes())
    async with open_catalog(path) as opened:
        yield opened


# --- one entry ----------------------------------------------------------------------------------


async def test_an_added_entry_is_found_by_its_id_as_it_was_returned(catalog: Catalog) -> None:
    new = replace(a_file("a.png", scope=ROOM, caption="Tea"), width=640, height=480)
    entry = await catalog.add(new)
    assert asdict(entry) == asdict(new) | {"id": entry.id, "modified_at": NOW}
    assert await catalog.entry(entry.id) == entry


async def test_moments_come_back_in_utc(catalog: Catalog) -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    entry = await catalog.add(replace(a_file("a"), created_at=berlin))
    for seen in (entry, await catalog.entry(entry.id)):
        assert seen is not None
        assert seen.created_at == seen.modified_at == NOW
        assert seen.created_at.utcoffset() == seen.modified_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("entry_id", [0, -1, 77, 2**63 - 1, 2**63, 10**40, -(10**40)])
async def test_an_unknown_id_of_any_size_is_no_entry(catalog: Catalog, entry_id: int) -> None:
    await put(catalog, "a")
    assert await catalog.entry(entry_id) is None
    assert await catalog.rename(entry_id, "b", NOW) is None
    assert await catalog.remove(entry_id) is None


async def test_an_id_is_never_used_twice(catalog: Catalog) -> None:
    first, second = await put(catalog, "a", "b")
    await catalog.remove(second.id)
    await catalog.remove(first.id)
    (third,) = await put(catalog, "c")
    assert third.id > second.id > first.id


async def test_a_removed_entry_is_returned_once_and_found_nowhere(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "report.pdf")
    assert await catalog.remove(entry.id) == entry
    assert await catalog.remove(entry.id) is None
    assert await catalog.entry(entry.id) is None
    assert await catalog.page(ALICE, limit=5) == []
    assert await catalog.find_by_name(ALICE, "report.pdf") is None
    assert await catalog.search(ALICE, ["report"], limit=5) == []
    assert await catalog.nearest(ALICE, "report.pdf", 5) == []


async def test_a_renamed_entry_is_found_under_its_new_name_only(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "draft.pdf")
    later = NOW + timedelta(days=1)
    renamed = await catalog.rename(entry.id, "Final.pdf", later)
    assert renamed == replace(entry, name="Final.pdf", modified_at=later)
    assert await catalog.entry(entry.id) == renamed
    assert await catalog.find_by_name(ALICE, "final.pdf") == renamed
    assert await catalog.find_by_name(ALICE, "draft.pdf") is None
    assert await catalog.search(ALICE, ["final"], limit=5) == [renamed]
    assert await catalog.search(ALICE, ["draft"], limit=5) == []
    assert await catalog.find_by_prefix(ALICE, "dr", 5) == []
    assert await catalog.find_by_glob(ALICE, "dr*", 5) == []


async def test_the_same_bytes_are_found_for_their_owner_in_the_scope(catalog: Catalog) -> None:
    in_room = a_file("a", scope=ROOM, blob=7)
    mine = await catalog.add(in_room)
    others = await catalog.add(replace(in_room, owner="dave@example.org"))
    newest = await catalog.add(replace(in_room, name="b"))
    assert await catalog.find_by_digest(ROOM, mine.owner, digest(7)) == newest
    assert await catalog.find_by_digest(ROOM, others.owner, digest(7)) == others
    assert await catalog.find_by_digest(ROOM, mine.owner, digest(8)) is None
    assert await catalog.find_by_digest(Scope(owner=mine.owner), mine.owner, digest(7)) is None


# --- scopes and pages ---------------------------------------------------------------------------


async def test_a_private_scope_has_no_files_of_rooms_and_a_room_has_all_owners(catalog: Catalog) -> None:
    (private,) = await put(catalog, "report-a.pdf")
    mine = await catalog.add(replace(a_file("report-b.pdf", scope=ROOM), owner="alice@example.org"))
    other = await catalog.add(replace(a_file("report-c.pdf", scope=ROOM), owner="bob@example.org"))
    for scope, expected in ((ALICE, [private]), (ROOM, [other, mine]), (BOB, [])):
        assert await catalog.page(scope, limit=9) == expected
        assert await catalog.count(scope) == len(expected)
        assert await catalog.search(scope, ["report"], limit=9) == expected
        assert await catalog.search(scope, ["re"], limit=9) == expected
        assert await catalog.find_by_prefix(scope, "rep", 9) == expected
        assert await catalog.find_by_glob(scope, "*port*.pdf", 9) == expected
        assert await catalog.find_by_glob(scope, "r*", 9) == expected
        assert set(await catalog.nearest(scope, "report.pdf", 9)) == set(names(expected))
    assert await catalog.find_by_name(BOB, "report-c.pdf") is None


async def test_a_room_and_a_person_of_one_address_are_two_scopes(catalog: Catalog) -> None:
    (private,) = await put(catalog, "report", scope=Scope(owner="x@example.org"))
    (shared,) = await put(catalog, "report", scope=Scope(room="x@example.org"))
    assert await catalog.page(Scope(owner="x@example.org"), limit=9) == [private]
    assert await catalog.search(Scope(room="x@example.org"), ["report"], limit=9) == [shared]


@pytest.mark.parametrize("words", [None, ["file"], ["fi"]])
async def test_pages_have_no_gaps_and_no_repeats(catalog: Catalog, words: list[str] | None) -> None:
    numbered = [f"file {number}" for number in range(23)]
    added, _ = await asyncio.gather(put(catalog, *numbered), put(catalog, *numbered, scope=BOB))

    async def page(before: int | None) -> list[Entry]:
        if words is None:
            return await catalog.page(ALICE, limit=5, before=before)
        return await catalog.search(ALICE, words, limit=5, before=before)

    seen: list[Entry] = []
    while rows := await page(seen[-1].id if seen else None):
        assert len(rows) <= 5
        seen += rows
        await put(catalog, "file that comes between two pages")
    assert seen == added[::-1]


async def test_a_page_may_begin_below_any_number(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "file")
    for before, expected in ((10**40, [entry]), (0, []), (-(10**40), []), (entry.id, [])):
        assert await catalog.page(ALICE, limit=5, before=before) == expected
        assert await catalog.search(ALICE, ["file"], limit=5, before=before) == expected
        assert await catalog.search(ALICE, ["fi"], limit=5, before=before) == expected


async def test_every_list_is_newest_first_and_no_longer_than_its_limit(catalog: Catalog) -> None:
    newest_first = (await put(catalog, *(f"file {number}.txt" for number in (3, 1, 2))))[::-1]
    for limit in (0, 1, 2, 9):
        expected = newest_first[:limit]
        assert await catalog.page(ALICE, limit=limit) == expected
        assert await catalog.find_by_prefix(ALICE, "file", limit) == expected
        assert await catalog.find_by_glob(ALICE, "*.txt", limit) == expected
        assert await catalog.search(ALICE, ["file"], limit=limit) == expected
        assert await catalog.search(ALICE, ["fi"], limit=limit) == expected
        assert len(await catalog.nearest(ALICE, "file", limit)) == min(limit, 3)


async def test_fifty_tasks_add_at_once_and_each_gets_its_own_entry(catalog: Catalog) -> None:
    added = await asyncio.gather(*(catalog.add(a_file(f"{number}")) for number in range(50)))
    assert names(added) == [f"{number}" for number in range(50)]
    assert len({entry.id for entry in added}) == 50
    for entry in added:
        assert await catalog.entry(entry.id) == entry
    assert await catalog.count(ALICE) == 50


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("Report.PDF", "rEPORT.pdf"),
        ("ÄRGER.txt", "ärger.TXT"),
        ("STRASSE", "straße"),
        ("ΟΔΟΣ", "οδος"),
        ("ПРИВЕТ", "привет"),
        ("İstanbul", "i\u0307stanbul"),
        ("café", unicodedata.normalize("NFD", "CAFÉ")),
        (unicodedata.normalize("NFD", "naïve"), "NAÏVE"),
        ("ᾳ", "\u03b1\u0345"),
        ("🦊 Fox", "🦊 fox"),
    ],
)
async def test_names_are_compared_without_case_and_in_nfc(
    catalog: Catalog, stored: str, asked: str
) -> None:
    (entry,) = await put(catalog, stored)
    assert await catalog.find_by_name(ALICE, asked) == entry
    assert await catalog.find_by_prefix(ALICE, asked, 5) == [entry]
    assert await catalog.find_by_glob(ALICE, asked, 5) == [entry]
    assert await catalog.search(ALICE, [asked], limit=5) == [entry]


async def test_the_newest_of_equal_names_is_the_named_one(catalog: Catalog) -> None:
    older, newer, newest = await put(catalog, "a.pdf", "a.pdf", "A.PDF")
    await put(catalog, "a.pdf.bak", "xa.pdf")
    assert older != newer == await catalog.find_by_name(ALICE, "a.pdf")
    assert (
        await catalog.find_by_name(ALICE, "A.PDF") == await catalog.find_by_name(ALICE, "a.PDF") == newest
    )
    assert await catalog.find_by_name(ALICE, "a.pd") is None
    assert await catalog.find_by_name(ALICE, "a*") is None


async def test_a_prefix_is_plain_text(catalog: Catalog) -> None:
    await put(catalog, "100% sure", "100 things", "a_b", "axb", "[x] done", "x", "\U0010fffd last")
    for prefix, expected in {
        "100%": ["100% sure"],
        "a_": ["a_b"],
        "[x": ["[x] done"],
        "*": [],
        "?": [],
        "zz": [],
        "\U0010fffd": ["\U0010fffd last"],
    }.items():
        assert names(await catalog.find_by_prefix(ALICE, prefix, 9)) == expected
    assert len(await catalog.find_by_prefix(ALICE, "", 9)) == 7


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["ab.txt", "a[b].txt", "a%c.txt", "a\\d.txt", "A_E.TXT", "Ünï.pdf"]),
        ("*.txt", ["ab.txt", "a[b].txt", "a%c.txt", "a\\d.txt", "A_E.TXT"]),
        ("A?.TXT", ["ab.txt"]),
        ("a?e.txt", ["A_E.TXT"]),
        ("a_*", ["A_E.TXT"]),
        ("a%*", ["a%c.txt"]),
        ("a[b]*", ["a[b].txt"]),
        ("a[*", ["a[b].txt"]),
        ("*]*", ["a[b].txt"]),
        ("[a]*", []),
        ("[^b]*", []),
        ("a\\*", ["a\\d.txt"]),
        ("?n?.*", ["Ünï.pdf"]),
        ("ab", []),
        ("b.txt", []),
        ("", []),
        ("?" * 40_000, []),
        ("[" * 40_000, []),
        ("x" * 60_000 + "*", []),
        ("*a" * 5_000, []),
    ],
)
async def test_a_pattern_has_stars_and_question_marks_and_nothing_else(
    catalog: Catalog, pattern: str, expected: list[str]
) -> None:
    await put(catalog, *reversed(("ab.txt", "a[b].txt", "a%c.txt", "a\\d.txt", "A_E.TXT", "Ünï.pdf")))
    assert names(await catalog.find_by_glob(ALICE, pattern, 9)) == expected


@pytest.mark.parametrize(
    ("typed", "likeliest"),
    [
        ("reprot.pdf", "report.pdf"),
        ("report.dpf", "report.pdf"),
        ("report", "report.pdf"),
        ("REPORTS.PDF", "report.pdf"),
        ("holday-pictures", "holiday-pictures-2024.zip"),
        ("pictures", "holiday-pictures-2024.zip"),
        ("invoce", "Invoice.pdf"),
        ("xyz", None),
        ("xyz.pdf", None),
        ("", None),
        (".pdf", None),
        ("🦊", None),
    ],
)
async def test_a_mistyped_name_finds_what_was_meant(
    catalog: Catalog, typed: str, likeliest: str | None
) -> None:
    await put(
        catalog, "report.pdf", "Invoice.pdf", "holiday-pictures-2024.zip", "a.txt", "notes.md", "b.pdf"
    )
    found = await catalog.nearest(ALICE, typed, 3)
    assert found[:1] == ([likeliest] if likeliest else [])


async def test_no_name_is_suggested_twice(catalog: Catalog) -> None:
    await put(catalog, "report.pdf", "Report.pdf", "report.pdf", "reports.pdf")
    found = await catalog.nearest(ALICE, "reprot.pdf", 9)
    assert sorted(found) == ["report.pdf", "reports.pdf"]


# --- search -------------------------------------------------------------------------------------


async def test_every_word_is_somewhere_in_the_name_or_the_caption(catalog: Catalog) -> None:
    both = await catalog.add(a_file("Budget-2026.ods", caption="for the Tea house"))
    name = await catalog.add(a_file("tea-budget.ods"))
    await put(catalog, "tea.txt", "budget.txt")
    for words in (["budget", "tea"], ["TEA", "udge"], ["bu", "te"], ["get", "te"], ["", "tea", "budget"]):
        assert await catalog.search(ALICE, words, limit=9) == [name, both]
    assert await catalog.search(ALICE, ["budget", "tea", "house"], limit=9) == [both]
    assert await catalog.search(ALICE, ["budget", "coffee"], limit=9) == []
    assert await catalog.search(ALICE, ["budget tea"], limit=9) == []
    assert await catalog.search(ALICE, ["odsfor"], limit=9) == []  # not across name and caption


@pytest.mark.parametrize("words", [[], [""], ["", ""]])
async def test_no_words_find_nothing(catalog: Catalog, words: list[str]) -> None:
    await put(catalog, "a")
    assert await catalog.search(ALICE, words, limit=9) == []


async def test_letters_fold_in_searched_words_and_texts(catalog: Catalog) -> None:
    entry = await catalog.add(a_file("ÄRGER.txt", caption="große Straße, ΟΔΟΣ"))
    for word in ("Ärger", "ärger", "är", "ä", "STRASSE", "Straße", "GROSS", "οδοσ", "a\u0308rger"):
        assert await catalog.search(ALICE, [word], limit=9) == [entry], word
    assert await catalog.search(ALICE, ["arger"], limit=9) == []


HOSTILE = [
    'a "quoted" word',
    "it's",
    "'; DROP TABLE entries; --",
    "NEAR(a b)",
    "alpha AND beta OR NOT gamma",
    "name_key:x",
    "mark : abc",
    "^start",
    "star*",
    "(paren)",
    "{brace}",
    "a+b-c",
    "back\\slash",
    "100%",
    "under_score",
    "[set]",
    "tab\tnew\nline\x01\x1f\x7f",
    "🦊🦊🦊",
    "👩\u200d👩\u200d👧\u200d👦 family",
    "\u202eevil\u202c",
    "日本語テキスト",
    "\ufffd\ufffc\ufdd0",
    "x" * 5_000,
    "ab" * 3_000,
    "\U0010fffd\ue000\uf8ff",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_only_text(catalog: Catalog, text: str) -> None:
    decoys = ("start", "a quoted word", "alpha", "100", "set", "x" * 4_999, "f" * 10)
    *_, named = await put(catalog, *decoys, text)
    captioned = await catalog.add(a_file("other", caption=f"before {text} after"))
    assert await catalog.entry(named.id) == named
    assert await catalog.find_by_name(ALICE, text) == named
    assert await catalog.find_by_prefix(ALICE, text, 9) == [named]
    assert await catalog.search(ALICE, [text], limit=9) == [captioned, named]
    assert await catalog.search(ALICE, [text, text[:2]], limit=9) == [captioned, named]
    assert named in await catalog.search(ALICE, [text[:2]], limit=9)
    assert named in await catalog.find_by_glob(ALICE, f"*{text[-3:]}", 9)
    assert text in await catalog.nearest(ALICE, text, 9)
    assert await catalog.count(ALICE) == len(decoys) + 2


@pytest.mark.parametrize("word", ["nul\0", "\0", "\0\0\0\0", "lone \ud800", "\udfff", "\uffff\ufffe"])
async def test_text_that_no_name_holds_finds_nothing(catalog: Catalog, word: str) -> None:
    await put(catalog, "nul", "lone ", "x")
    assert await catalog.search(ALICE, [word], limit=9) == []
    assert await catalog.find_by_name(ALICE, word) is None
    assert await catalog.find_by_prefix(ALICE, word, 9) == []
    assert await catalog.find_by_glob(ALICE, word, 9) == []


async def test_thousands_of_words_are_no_problem(catalog: Catalog) -> None:
    (entry,) = await put(catalog, " ".join(f"w{number}" for number in range(2_000)))
    words = [f"w{number}" for number in range(2_000)]
    assert await catalog.search(ALICE, words, limit=9) == [entry]
    assert await catalog.search(ALICE, [*words, "w2000"], limit=9) == []


ALPHABET = st.one_of(
    st.sampled_from("aAbBäÄßſ \"'*%_[]\\:^(){}+-\0\x01\u0301🦊"), st.characters(exclude_categories=["Cs"])
)


@given(
    texts=st.lists(st.tuples(st.text(ALPHABET), st.text(ALPHABET)), max_size=6),
    words=st.lists(st.text(ALPHABET), max_size=4),
    cuts=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(1, 9)), max_size=3),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_find_what_plain_substrings_find(
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    texts: list[tuple[str, str]],
    words: list[str],
    cuts: list[tuple[int, int, int]],
) -> None:
    # Words cut from the texts themselves, so that something is found.
    pieces = [
        texts[which % len(texts)][which % 2][start : start + length]
        for which, start, length in cuts
        if texts
    ]

    async def both() -> None:
        fake = MemoryCatalog()
        path = tmp_path_factory.mktemp("any") / "catalog.db"
        path.write_bytes(empty_database.read_bytes())
        async with open_catalog(path) as real:
            for name, caption in texts:
                await asyncio.gather(*(c.add(a_file(name, caption=caption)) for c in (real, fake)))
            for asked in (words, pieces, *([piece] for piece in pieces)):
                expected = await fake.search(ALICE, asked, limit=9)
                assert await real.search(ALICE, asked, limit=9) == expected
            for text in words[:1] + pieces:
                assert await real.find_by_prefix(ALICE, text, 9) == await fake.find_by_prefix(
                    ALICE, text, 9
                )
                assert await real.find_by_glob(ALICE, text, 9) == await fake.find_by_glob(ALICE, text, 9)

    asyncio.run(both())


# --- bytes, links, people -----------------------------------------------------------------------


async def test_used_bytes_count_the_same_bytes_once(catalog: Catalog) -> None:
    assert await catalog.used_by("alice@example.org") == (0, 0)
    assert await catalog.used_in_all() == (0, 0)
    await catalog.add(a_file("a", blob=1, size=10))
    second = await catalog.add(a_file("b", blob=1, size=10))
    await catalog.add(replace(a_file("c", scope=ROOM, blob=2, size=5), owner="alice@example.org"))
    await catalog.add(a_file("d", scope=BOB, blob=1, size=10))
    last = await catalog.add(a_file("e", scope=BOB, blob=3, size=2**40))
    assert await catalog.used_by("alice@example.org") == (3, 15)
    assert await catalog.used_by("bob@example.org") == (2, 2**40 + 10)
    assert await catalog.used_by("nobody@example.org") == (0, 0)
    assert await catalog.used_in_all() == (5, 2**40 + 15)
    await catalog.remove(second.id)
    await catalog.remove(last.id)
    assert await catalog.used_by("alice@example.org") == (2, 15)
    assert await catalog.used_by("bob@example.org") == (1, 10)
    assert await catalog.used_in_all() == (3, 15)


async def test_what_a_room_has_counts_the_same_bytes_once(catalog: Catalog) -> None:
    room = ROOM.room or ""
    assert await catalog.used_in(room) == (0, 0)
    await catalog.add(a_file("private", blob=3, size=99))
    await catalog.add(a_file("a", scope=ROOM, blob=1, size=10))
    await catalog.add(replace(a_file("b", scope=ROOM, blob=1, size=10), owner="bob@example.org"))
    await catalog.add(a_file("c", scope=ROOM, blob=2, size=5))
    assert await catalog.used_in(room) == (3, 15)


async def test_the_oldest_come_first_for_once(catalog: Catalog) -> None:
    await put(catalog, "private")
    await put(catalog, "a", "b", "c", scope=ROOM)
    assert names(await catalog.oldest(ROOM, 2)) == ["a", "b"]
    assert names(await catalog.oldest(ROOM, 9)) == ["a", "b", "c"]


async def test_entries_of_one_owner_become_anothers(catalog: Catalog) -> None:
    hidden = f"{ROOM.room}/1d"
    await catalog.add(replace(a_file("a", scope=ROOM, blob=1, size=10), owner=hidden))
    await catalog.add(replace(a_file("b", scope=ROOM, blob=2, size=10), owner=f"{hidden}2"))
    mine = await catalog.add(a_file("c", blob=1, size=10))
    (handed,) = await catalog.hand_over(hidden, mine.owner, 9)
    assert await catalog.used_by(hidden) == (0, 0)
    assert await catalog.used_by(f"{hidden}2") == (1, 10)
    assert await catalog.used_by(mine.owner) == (2, 10)
    assert await catalog.find_by_name(ROOM, "a") == handed
    assert (handed.owner, handed.room) == (mine.owner, ROOM.room)
    assert await catalog.hand_over("nobody@example.org", mine.owner, 9) == []


async def test_the_oldest_entries_of_an_owner_are_handed_over_first(catalog: Catalog) -> None:
    hidden = f"{ROOM.room}/1d"
    for name in "abcde":
        await catalog.add(replace(a_file(name, scope=ROOM), owner=hidden))
    batches = [await catalog.hand_over(hidden, "alice@example.org", 2) for _ in range(4)]
    assert [[each.name for each in batch] for batch in batches] == [["a", "b"], ["c", "d"], ["e"], []]


async def test_the_entries_of_a_room_that_is_no_more_are_their_owners(catalog: Catalog) -> None:
    assert ROOM.room is not None
    mine = await catalog.add(a_file("both.txt", blob=1, size=10))
    for shared in (a_file("both.txt", scope=ROOM, blob=1, size=10), a_file("only.txt", scope=ROOM, blob=2)):
        await catalog.add(replace(shared, owner=mine.owner, auto_archived=True))
    await catalog.add(replace(a_file("theirs.txt", scope=ROOM, blob=1), owner="bob@example.org"))
    await catalog.add(a_file("elsewhere.txt", scope=Scope(room="other@muc.example.org"), blob=3))
    here = await catalog.oldest(ROOM, 9)
    released = await catalog.release(ROOM.room, 9)
    assert [before for before, _ in released] == here
    assert [after for _, after in released] == [await catalog.entry(each.id) for each in here]
    assert [after and (after.room, after.auto_archived) for _, after in released] == [
        None,
        (None, False),
        (None, False),
    ]
    assert await catalog.count(ROOM) == 0
    private = Scope(owner=mine.owner)
    assert names(await catalog.page(private, limit=9)) == ["only.txt", "both.txt"]
    assert [each.id for each in await catalog.search(private, ["both"], limit=9)] == [mine.id]
    assert len(await catalog.search(private, ["only"], limit=9)) == 1
    assert names(await catalog.page(Scope(owner="bob@example.org"), limit=9)) == ["theirs.txt"]
    assert await catalog.search(ROOM, ["only"], limit=9) == []
    assert await catalog.count(Scope(room="other@muc.example.org")) == 1
    assert await catalog.release(ROOM.room, 9) == []


async def test_a_room_is_released_some_entries_at_a_time(catalog: Catalog) -> None:
    room, owner = ROOM.room or "", "alice@example.org"
    mine = await catalog.add(replace(a_file("c", blob=9), owner=owner))
    for name in "abcde":
        blob = 9 if name == "c" else 1
        await catalog.add(replace(a_file(name, scope=ROOM, blob=blob), owner=owner))
    batches = [await catalog.release(room, 2) for _ in range(4)]
    gone = [[(before.name, after is None) for before, after in batch] for batch in batches]
    assert gone == [[("a", False), ("b", False)], [("c", True), ("d", False)], [("e", False)], []]
    assert await catalog.find_by_name(Scope(owner=owner), "c") == mine


async def test_a_cleared_room_has_its_entries_and_nothing_else(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "kept.txt", scope=ROOM)
    for room in (entry.room or "", "other@muc.example.org"):
        await catalog.save_room_settings(room, RoomSettings(archive=True))
        await catalog.set_opted_out(room, entry.owner, out=True)
    await catalog.clear_room(entry.room or "")
    assert set(await catalog.room_settings()) == {"other@muc.example.org"}
    assert not await catalog.has_opted_out(entry.room or "", entry.owner)
    assert await catalog.has_opted_out("other@muc.example.org", entry.owner)
    assert await catalog.page(ROOM, limit=9) == [entry]


# --- rooms --------------------------------------------------------------------------------------


async def test_what_was_kept_unasked_is_told_from_what_was_asked_for(catalog: Catalog) -> None:
    await catalog.add(replace(a_file("asked", scope=ROOM), owner="alice@example.org"))
    first, second, _, _ = [
        await catalog.add(replace(a_file(name, scope=scope), owner=owner, auto_archived=True))
        for name, scope, owner in (
            ("first", ROOM, "alice@example.org"),
            ("second", ROOM, "alice@example.org"),
            ("bobs", ROOM, "bob@example.org"),
            ("elsewhere", Scope(room="other@muc.example.org"), "alice@example.org"),
        )
    ]
    assert first.auto_archived
    room = ROOM.room or ""
    assert await catalog.archived(room, "alice@example.org", 9) == [second, first]
    assert await catalog.archived(room, "alice@example.org", 1) == [second]
    await catalog.adopt(second.id)
    await catalog.adopt(999)
    assert await catalog.archived(room, "alice@example.org", 9) == [first]


async def test_who_wants_nothing_kept_in_a_room_is_remembered(catalog: Catalog) -> None:
    for _ in range(2):
        await catalog.set_opted_out("a@muc.example.org", "alice@example.org", out=True)
    assert await catalog.has_opted_out("a@muc.example.org", "alice@example.org")
    assert not await catalog.has_opted_out("b@muc.example.org", "alice@example.org")
    assert not await catalog.has_opted_out("a@muc.example.org", "bob@example.org")
    assert await catalog.count_opted_out("a@muc.example.org") == 1
    assert await catalog.count_opted_out("b@muc.example.org") == 0
    for _ in range(2):
        await catalog.set_opted_out("a@muc.example.org", "alice@example.org", out=False)
    assert not await catalog.has_opted_out("a@muc.example.org", "alice@example.org")


async def test_unwanted_bytes_are_remembered_for_each_room_and_person(catalog: Catalog) -> None:
    room, digest = "a@muc.example.org", "ab" * 32
    assert not await catalog.is_unwanted(room, digest)
    for who in ("alice@example.org", "bob@example.org", "bob@example.org"):
        await catalog.add_unwanted(room, digest, who)
    assert await catalog.is_unwanted(room, digest)
    assert not await catalog.is_unwanted("b@muc.example.org", digest)
    assert not await catalog.is_unwanted(room, "cd" * 32)
    await catalog.forget_unwanted(room, "bob@example.org")
    assert await catalog.is_unwanted(room, digest)
    await catalog.forget_unwanted(room, "alice@example.org")
    assert not await catalog.is_unwanted(room, digest)
    await catalog.add_unwanted(room, digest, "alice@example.org")
    await catalog.clear_room(room)
    assert not await catalog.is_unwanted(room, digest)


async def test_of_each_room_the_latest_unwanted_bytes_are_remembered(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("filebot.catalog.writes", "filebot.testing.catalog"):
        monkeypatch.setattr(f"{module}.MOST_UNWANTED_OF_ROOM", 2)
    digests = [f"{number:064}" for number in range(3)]
    for room in ("a@muc.example.org", "b@muc.example.org"):
        for digest in digests[: 3 if room[0] == "a" else 1]:
            await catalog.add_unwanted(room, digest, "alice@example.org")
    assert [await catalog.is_unwanted("a@muc.example.org", each) for each in digests] == [False, True, True]
    assert await catalog.is_unwanted("b@muc.example.org", digests[0])


async def test_settings_of_a_room_are_replaced_as_a_whole(catalog: Catalog) -> None:
    assert await catalog.room_settings() == {}
    await catalog.save_room_settings("a@muc.example.org", RoomSettings(archive=True))
    await catalog.save_room_settings("b@muc.example.org", RoomSettings(archive=True))
    given = RoomSettings(announce=True, members_only=True, max_size=2**40, retention_days=90)
    await catalog.save_room_settings("b@muc.example.org", given)
    assert await catalog.room_settings() == {
        "a@muc.example.org": RoomSettings(archive=True),
        "b@muc.example.org": given,
    }


async def test_how_far_a_rooms_past_is_gone_through_is_remembered(catalog: Catalog) -> None:
    address = Address("a@muc.example.org/anna", AddressKind.ROOM_PRIVATE, "a@muc.example.org/1d")
    first = HistoryImport(
        "b@muc.example.org",
        "alice@example.org",
        address,
        "de",
        NOW,
        NOW + timedelta(days=1),
        "id",
        50,
        2,
        1,
    )
    second = HistoryImport("a@muc.example.org", "", Address("alice@example.org"), None, NOW, NOW)
    for history_import in (replace(first, last_id="", messages=0), first, second):
        await catalog.save_history_import(history_import)
    assert await catalog.history_imports() == [second, first]
    await catalog.forget_history_import(second.room)
    await catalog.forget_history_import("nobody@muc.example.org")
    assert await catalog.history_imports() == [first]


async def test_digests_in_use_are_those_that_some_entry_refers_to(catalog: Catalog) -> None:
    first = await catalog.add(a_file("a", blob=1))
    await catalog.add(a_file("b", scope=ROOM, blob=2))
    asked = [digest(number) for number in range(500)]
    assert await catalog.referenced_digests(asked) == {digest(1), digest(2)}
    assert await catalog.referenced_digests([]) == set()
    await catalog.remove(first.id)
    assert await catalog.referenced_digests(asked) == {digest(2)}


async def test_bytes_are_used_until_the_last_entry_of_any_scope_is_gone(catalog: Catalog) -> None:
    added = [await catalog.add(a_file("a", scope=scope, blob=1)) for scope in (ALICE, BOB, ROOM, ROOM)]
    await catalog.add(a_file("b", scope=BOB, blob=2))
    for entry in added:
        assert await catalog.is_used(digest(1))
        await catalog.remove(entry.id)
    assert not await catalog.is_used(digest(1))


async def test_digests_are_listed_by_their_beginning_each_once(catalog: Catalog) -> None:
    for number, scope in ((1, ALICE), (1, BOB), (0xAB << 248, ROOM), ((0xAB << 248) + 1, ROOM), (2, ROOM)):
        await catalog.add(a_file("a", scope=scope, blob=number))
    assert await catalog.digests("00") == {digest(1), digest(2)}
    assert await catalog.digests("ab") == {digest(0xAB << 248), digest((0xAB << 248) + 1)}
    assert await catalog.digests("ac") == set()


async def test_a_whole_catalog_has_no_damage(catalog: Catalog) -> None:
    await catalog.add(a_file("a"))
    assert await catalog.damage() is None


async def test_the_newest_upload_of_a_name_is_its_link(catalog: Catalog) -> None:
    old = Link(digest(1), "a.pdf", "https://example.org/1", NOW)
    new = Link(digest(1), "a.pdf", "https://example.org/2", NOW + timedelta(hours=1))
    other = Link(digest(1), "b.pdf", "https://example.org/3", NOW)
    for link in (other, new, old):
        await catalog.save_link(link)
    assert await catalog.link(digest(1), "a.pdf") == new
    assert await catalog.link(digest(1), "A.PDF") == new
    assert await catalog.link(digest(1), "b.pdf") == other
    assert await catalog.link(digest(1), "c.pdf") is None
    assert await catalog.link(digest(2), "a.pdf") is None


async def test_an_upload_is_known_by_its_address(catalog: Catalog) -> None:
    url = "https://up.example.org/1/a.png"
    await catalog.save_link(Link("ab" * 32, "a.png", url, datetime(2026, 11, 24, tzinfo=UTC)))
    assert await catalog.has_uploaded(["https://else.example.org/a.png", url])
    assert not await catalog.has_uploaded([f"{url}?"])
    assert not await catalog.has_uploaded([])


async def test_forgotten_links_are_those_of_one_blob(catalog: Catalog) -> None:
    kept = Link(digest(2), "a.pdf", "https://example.org/2", NOW)
    for link in (Link(digest(1), "a.pdf", "u", NOW), Link(digest(1), "b.pdf", "u", NOW), kept):
        await catalog.save_link(link)
    await catalog.forget_links(digest(1))
    await catalog.forget_links(digest(3))
    assert await catalog.link(digest(1), "a.pdf") is None
    assert await catalog.link(digest(1), "b.pdf") is None
    assert await catalog.link(digest(2), "a.pdf") == kept


async def test_a_chosen_language_stays_until_another_or_none_is_chosen(catalog: Catalog) -> None:
    assert await catalog.language("alice@example.org") is None
    await catalog.set_language("alice@example.org", "de")
    await catalog.set_language("bob@example.org", "fr")
    await catalog.set_language("alice@example.org", "en")
    assert await catalog.language("alice@example.org") == "en"
    await catalog.set_language("alice@example.org", None)
    await catalog.set_language("alice@example.org", None)
    assert await catalog.language("alice@example.org") is None
    assert await catalog.language("bob@example.org") == "fr"


async def test_a_room_pushes_out_the_oldest_languages_of_its_own_people_alone(catalog: Catalog) -> None:
    room, others = (
        "tea@muc.example.org",
        ("tea@muc.example.org0", "tea@muc.example/1", "tea@muc.example.org"),
    )
    for other in others:
        await catalog.set_language(other, "de")
    people = [f"{room}/{number}" for number in range(MOST_LANGUAGES_OF_ROOM + 2)]
    await asyncio.gather(*(catalog.set_language(each, "fr") for each in people[:-2]))
    await catalog.set_language(people[0], "en")  # is no younger by that
    assert await catalog.language(people[0]) == "en"
    for each in people[-2:]:
        await catalog.set_language(each, "fr")
    languages = [await catalog.language(each) for each in (*people[:4], people[-1], *others)]
    assert languages == [None, None, "fr", "fr", "fr", "de", "de", "de"]
    await catalog.clear_room(room)
    languages = [await catalog.language(each) for each in (*people[:4], people[-1], *others)]
    assert languages == [None] * 5 + ["de"] * 3


# --- parcels ------------------------------------------------------------------------------------


def a_parcel(number: int, entry: Entry, **other: Any) -> QueuedDelivery:
    delivery = QueuedDelivery(number, entry.id, "alice@example.org", "bob@example.org", None, None, NOW)
    return replace(delivery, **other)


async def test_parcels_come_back_as_they_were_kept_by_number(catalog: Catalog) -> None:
    first, second = await put(catalog, "a", "b")
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    plain = a_parcel(7, second, created_at=berlin)
    full = a_parcel(3, first, language="zh-CN", method=Method.SOCKS5, tries=2)
    assert await catalog.deliveries() == []
    assert all(await asyncio.gather(catalog.add_delivery(plain), catalog.add_delivery(full)))
    assert await catalog.deliveries() == [full, replace(plain, created_at=NOW)]
    assert [each.created_at.utcoffset() for each in await catalog.deliveries()] == [timedelta(0)] * 2


async def test_tries_are_counted_of_parcels_that_are_there(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "a")
    await catalog.add_delivery(a_parcel(1, entry))
    await catalog.count_tries(1, 4)
    await catalog.count_tries(2, 4)
    assert await catalog.deliveries() == [a_parcel(1, entry, tries=4)]


async def test_a_parcel_is_removed_once(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "a")
    for number in (1, 2):
        await catalog.add_delivery(a_parcel(number, entry))
    assert await catalog.remove_delivery(1)
    assert not await catalog.remove_delivery(1)
    assert not await catalog.remove_delivery(10**12)
    assert await catalog.deliveries() == [a_parcel(2, entry)]


async def test_a_removed_entry_takes_its_parcels_with_it_and_gets_no_more(catalog: Catalog) -> None:
    entry, other = await put(catalog, "a", "b")
    for number, of in enumerate((entry, other, entry)):
        assert await catalog.add_delivery(a_parcel(number, of))
    await catalog.remove(entry.id)
    assert await catalog.deliveries() == [a_parcel(1, other)]
    assert not await catalog.add_delivery(a_parcel(4, entry))
    await catalog.count_tries(0, 1)
    assert await catalog.deliveries() == [a_parcel(1, other)]


# --- rooms --------------------------------------------------------------------------------------


async def test_rooms_are_remembered_once_each_until_they_are_forgotten(catalog: Catalog) -> None:
    den = RememberedRoom("den@muc.example.org", "open sesame", "anna@example.org")
    team = RememberedRoom("team@muc.example.org")
    assert await catalog.rooms() == []
    await catalog.remember_room(team)
    await catalog.remember_room(RememberedRoom(den.jid, "old"))
    await catalog.remember_room(den)
    assert await catalog.rooms() == [den, team]
    await catalog.forget_room(team.jid)
    await catalog.forget_room("nobody@muc.example.org")
    assert await catalog.rooms() == [den]


async def test_an_entry_is_found_by_the_message_that_brought_it(catalog: Catalog) -> None:
    tea, own, nobody = "tea@rooms.example.org", Scope(owner=a_file("a.txt").owner), "nobody@example.org"
    made = await catalog.add(replace(a_file("a.txt"), source_message="7/0"))
    await catalog.add(a_file("b.txt"))
    assert made.source_message == "7/0"
    assert await catalog.find_by_source_message(own, made.owner, "7/0") == made
    assert await catalog.find_by_source_message(own, made.owner, "7/1") is None
    assert await catalog.find_by_source_message(Scope(owner=nobody), nobody, "7/0") is None
    assert await catalog.find_by_source_message(Scope(room=tea), made.owner, "7/0") is None
    await catalog.remove(made.id)
    assert await catalog.find_by_source_message(own, made.owner, "7/0") is None
    made = await catalog.add(replace(a_file("a.txt"), room=tea, source_message="7/0"))
    assert await catalog.find_by_source_message(Scope(room=tea), made.owner, "7/0") == made
    assert await catalog.find_by_source_message(Scope(room=tea), nobody, "7/0") is None


async def test_a_mark_takes_the_place_of_the_one_before(catalog: Catalog) -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    later = ArchivePosition("bot@example.org", "7", NOW + timedelta(hours=1), frozenset({"9", "'; --"}))
    assert await catalog.position("bot@example.org") is None
    await catalog.save_position(ArchivePosition("bot@example.org", "", berlin))
    assert await catalog.position("bot@example.org") == ArchivePosition("bot@example.org", "", NOW)
    await catalog.save_position(ArchivePosition("tea@rooms.example.org", "x", NOW))
    await catalog.save_position(later)
    assert await catalog.position("bot@example.org") == later
    assert await catalog.position("tea@rooms.example.org") == ArchivePosition(
        "tea@rooms.example.org", "x", NOW
    )
    await catalog.forget_position("tea@rooms.example.org")
    await catalog.forget_position("nobody@rooms.example.org")
    assert await catalog.position("tea@rooms.example.org") is None
    assert await catalog.position("bot@example.org") == later


async def test_who_sees_the_bot_is_known_in_the_order_of_coming(catalog: Catalog) -> None:
    pairs = [("bob@example.org", "files.example.org"), ("anna@example.org", "files.example.org")]
    pairs.append(("bob@example.org", "drop@files.example.org"))
    assert list(await catalog.subscriptions()) == []
    for pair in [*pairs, pairs[0]]:
        await catalog.keep_subscription(*pair)
    assert list(await catalog.subscriptions()) == pairs
    await catalog.forget_subscription(*pairs[1])
    await catalog.forget_subscription("nobody@example.org", "files.example.org")
    assert list(await catalog.subscriptions()) == [pairs[0], pairs[2]]
