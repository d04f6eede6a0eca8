"""Contract of ``Entries``: words in names and captions."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebot.catalog import open_catalog
from filebot.ports import Catalog
from filebot.testing.catalog import MemoryCatalog
from tests.contract.catalog.samples import ALICE, a_file, put
from tests.support.old_catalogs import make_catalog


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


async def test_search_ignores_case_in_words_and_texts(catalog: Catalog) -> None:
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
async def test_special_characters_are_plain_text(catalog: Catalog, text: str) -> None:
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


async def test_search_takes_thousands_of_words(catalog: Catalog) -> None:
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
def test_search_of_any_words_equals_a_substring_search(
    tmp_path_factory: pytest.TempPathFactory,
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
        make_catalog(path)
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
