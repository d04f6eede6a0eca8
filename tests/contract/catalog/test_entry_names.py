"""Contract of ``Entries``: names, prefixes, patterns and suggestions."""

import unicodedata

import pytest

from filebot.ports import Catalog
from tests.contract.catalog.samples import ALICE, names, put


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
        ("My_ejabberd_file.txt", "my ejabberd file.txt"),
        ("my ejabberd file.txt", "My_ejabberd__file.txt"),
        ("ＡＢＣ１.pdf", "abc1.pdf"),
        ("\ufb01le.txt", "FILE.TXT"),
        ("می\u200cخواهم.pdf", "میخواهم.pdf"),
        ("❤\ufe0f.png", "❤.png"),
    ],
)
async def test_names_are_compared_as_people_read_them(catalog: Catalog, stored: str, asked: str) -> None:
    (entry,) = await put(catalog, stored)
    assert await catalog.find_by_name(ALICE, asked) == entry
    assert await catalog.find_by_prefix(ALICE, asked, 5) == [entry]
    assert await catalog.find_by_glob(ALICE, asked, 5) == [entry]
    assert await catalog.search(ALICE, [asked], limit=5) == [entry]


async def test_of_equal_names_the_newest_is_found(catalog: Catalog) -> None:
    older, newer, newest = await put(catalog, "a.pdf", "a.pdf", "A.PDF")
    await put(catalog, "a.pdf.bak", "xa.pdf")
    assert older != newer == await catalog.find_by_name(ALICE, "a.pdf")
    assert (
        await catalog.find_by_name(ALICE, "A.PDF") == await catalog.find_by_name(ALICE, "a.PDF") == newest
    )
    assert await catalog.find_by_name(ALICE, "a.pd") is None
    assert await catalog.find_by_name(ALICE, "a*") is None


async def test_a_prefix_has_no_special_characters(catalog: Catalog) -> None:
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
async def test_a_glob_knows_only_star_and_question_mark(
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
async def test_a_mistyped_name_gets_the_right_suggestion(
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
