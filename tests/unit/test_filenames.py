"""Conversion of a peer's file name to one that is safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.filenames import MAX_BYTES, UNNAMED, extension, name_from_url, safe_name


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
    ],
)
def test_a_name_is_made_safe(offered: str | None, name: str) -> None:
    assert safe_name(offered) == name


def test_a_name_of_4_kib_is_cut_and_keeps_its_extension() -> None:
    name = safe_name("ü" * 4096 + ".pdf")
    assert len(name.encode()) <= MAX_BYTES
    assert name.endswith("ü.pdf")


@pytest.mark.conformance(22)
@given(st.text())
def test_every_name_is_short_visible_and_no_path(offered: str) -> None:
    name = safe_name(offered)
    assert name
    assert name.strip(". ")
    assert len(name.encode()) <= MAX_BYTES
    assert not set(name) & set("/\\\0\n\r")
    assert name == unicodedata.normalize("NFC", name)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs"} for c in name)


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
