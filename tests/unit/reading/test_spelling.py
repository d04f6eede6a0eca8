"""Mistyped words are corrected where they are words of requests, and names are left alone."""

import pytest

from filebot.reading.spelling import Speller

WORDS = [
    "get",
    "send",
    "show",
    "delete",
    "rename",
    "download",
    "the",
    "ten",
    "files",
    "field",
    "report",
    "bot",
]
SPELLER = Speller(WORDS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("shwo teh fiels", "show the files"),
        ("gte teh report", "get the report"),
        ("delte it", "delete it"),
        ("DELTE it", "delete it"),
        ("donwlaod it", "download it"),  # two slips in a long word
        ("esnd it", "send it"),  # the first two letters changed places
        ("flies", "files"),  # letters that changed places come before a wrong one
    ],
)
def test_a_mistyped_word_is_the_nearest_one(typed: str, meant: str) -> None:
    assert SPELLER.corrected(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "show the files",
        "bob",  # a short word with a wrong letter is rather another word
        "fiels.pdf reprot2 #fiels fiels@example.org /fiels it's-fiels",  # names, numbers and addresses
        'get "fiels" “shwo”',  # what is in quotes is meant as it is
        "gt tn",
        "deleted reports renames sender",  # inflected words say something else
        "weather",
        "列表 文件",
        "",
    ],
)
def test_what_may_be_a_name_or_another_word_is_left_alone(typed: str) -> None:
    assert SPELLER.corrected(typed) == typed


def test_a_very_long_line_costs_little() -> None:
    assert SPELLER.corrected("fiels " * 10_000).count("files") == 40
