"""Conversion of a peer's file name to one that is safe to show."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.filenames import (
    MAX_BYTES,
    UNNAMED,
    comparison_key,
    extension,
    isolated,
    name_from_url,
    safe_name,
    without_isolates,
)


@pytest.mark.parametrize(
    ("offered", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("/", UNNAMED),
        ("", UNNAMED),
        (None, UNNAMED),
        (".", UNNAMED),
        ("....", UNNAMED),
        (" . . ", UNNAMED),
        ("a\0b.txt", "ab.txt"),
        ("line\nbreak\r.txt", "line break .txt"),
        ("tab\there.txt", "tab here.txt"),
        ("\x1b[31mred.txt", "[31mred.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("zero\u200bwidth.txt", "zerowidth.txt"),
        ("U\u0308ber.txt", "Über.txt"),
        ("  two   blanks .txt ", "two blanks .txt"),
        (".htaccess", ".htaccess"),
        ("報告.pdf", "報告.pdf"),
        ("😀.png", "😀.png"),
        ("می\u200cخواهم.pdf", "می\u200cخواهم.pdf"),  # ZWNJ is spelling in Persian
        ("क्\u200dष.png", "क्\u200dष.png"),
        ("ශ්\u200dරී.pdf", "ශ්\u200dරී.pdf"),
        ("👨\u200d👩\u200d👧\u200d👦 trip.mp4", "👨\u200d👩\u200d👧\u200d👦 trip.mp4"),
        ("\U0001fa77 card.jpg", "\U0001fa77 card.jpg"),  # newer than the Unicode tables of Python 3.11
        ("\U0001faea.jpg", "\U0001faea.jpg"),
        ("\U000323b0.txt", "\U000323b0.txt"),  # assigned in Unicode 17
        ("❤\ufe0f.png", "❤\ufe0f.png"),
        ("1\ufe0f\u20e3.png", "1\ufe0f\u20e3.png"),
        ("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f.png",) * 2,
        ("葛\U000e0100.txt", "葛\U000e0100.txt"),  # an ideographic variation
        ("\ue000.txt", "\ue000.txt"),  # private use, as in HKSCS
        ("a\u2066b\u2069c.txt", "abc.txt"),
        ("a\u200eb\u200fc\u061c.txt", "abc.txt"),
        ("a\ufeffb.txt", "ab.txt"),
        ("a\ufffeb\U0001ffffc.txt", "abc.txt"),
        ("a\ud800b.txt", "ab.txt"),
        ("a\u2028b\u2029c.txt", "a b c.txt"),
        ("\u200d\ufe0f", UNNAMED),
        ("\u3164", UNNAMED),
    ],
)
def test_a_name_is_made_safe(offered: str | None, name: str) -> None:
    assert safe_name(offered) == name


def test_a_name_of_4_kib_is_cut_and_keeps_its_extension() -> None:
    name = safe_name("ü" * 4096 + ".pdf")
    assert len(name.encode()) <= MAX_BYTES
    assert name.endswith("ü.pdf")


@pytest.mark.parametrize(
    "character",
    [
        "👨\u200d👩\u200d👧\u200d👦",
        "👍\U0001f3fd",
        "🇩🇪",
        "e\u0301\u0323\u0302",
        "क्\u200dष",
        "1\ufe0f\u20e3",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
)
def test_no_character_is_cut_in_half(character: str) -> None:
    whole = unicodedata.normalize("NFC", character)
    for before in range(8):
        name = safe_name("x" * before + whole * 60 + ".jpeg")
        assert MAX_BYTES - len(whole.encode()) - 8 < len(name.encode()) <= MAX_BYTES
        assert name == "x" * before + whole * name.count(whole) + ".jpeg"


def test_a_character_that_is_too_long_is_cut() -> None:
    name = safe_name("e" + "\u0324" * 4000 + ".pdf")
    assert len(name.encode()) <= MAX_BYTES
    assert name.endswith("\u0324.pdf")


@pytest.mark.parametrize("name", ["דוח 2024.pdf", "تقرير.pdf", "a תמונה.png", "𐤀.txt", "\U0001e900.txt"])
def test_what_runs_from_right_to_left_is_isolated(name: str) -> None:
    assert isolated(name) == f"\u2068{name}\u2069"
    assert without_isolates(f"get {isolated(name)}") == f"get {name}"
    assert safe_name(isolated(name)) == name


@pytest.mark.parametrize("name", ["report.pdf", "報告.pdf", "Łódź.txt", "👍.png"])
def test_other_names_need_no_isolation(name: str) -> None:
    assert isolated(name) == name == without_isolates(name)


@given(st.text())
def test_a_comparison_key_is_its_own(text: str) -> None:
    key = comparison_key(text)
    assert comparison_key(key) == key


@pytest.mark.conformance(22)
@given(st.text())
def test_every_name_is_short_visible_and_no_path(offered: str) -> None:
    name = safe_name(offered)
    assert name
    assert name.strip(". ")
    assert len(name.encode()) <= MAX_BYTES
    assert not set(name) & set("/\\\0\n\r")
    assert name == unicodedata.normalize("NFC", name)
    assert all(unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in name)
    assert not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", name)


@given(st.text())
def test_a_safe_name_stays_as_it_is(offered: str) -> None:
    name = safe_name(offered)
    assert safe_name(name) == name


@pytest.mark.conformance(22)
@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://upload.example.org/slot/report.pdf", "report.pdf"),
        ("https://upload.example.org/slot/a%20b%2Fc.pdf?x=1#y", "a b/c.pdf"),
        ("https://upload.example.org/", None),
        ("https://upload.example.org", None),
        ("https://[::1/a.pdf", None),
        ("https://upload.example.org/%ff%fe.txt", "\ufffd\ufffd.txt"),
    ],
)
def test_a_name_comes_from_the_last_segment_of_a_url(url: str, name: str | None) -> None:
    assert name_from_url(url) == name


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.PDF", ".pdf"), ("a.tar.gz", ".gz"), (".bashrc", ""), ("a", ""), ("a.", ""), ("a." + "x" * 17, "")],
)
def test_an_extension_is_what_stands_behind_the_last_dot(name: str, ending: str) -> None:
    assert extension(name) == ending
