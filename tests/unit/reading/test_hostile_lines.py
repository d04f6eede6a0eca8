"""Lines made to be read in very many ways: each is read in a moment."""

import time

import pytest

from filebot.reading.sentences import LONGEST, Grammar
from filebot.reading.slips import Slips
from filebot.reading.tables import TABLES

PHRASES = [
    ("get", "(send|give) me NAME"),
    ("get", "[把] NAME 发给我"),
    ("send", "send NAME to TARGET"),
    ("get", "NAME"),
]
UNITS = [
    "please ",
    "please  , ",
    "那个",
    "文件",
    "最新的",
    "the ",
    "latest ",
    "pictures",
    "请帮我",
    "     ",
    "/ ",
    "get ",
    '"get ',
    "(get",
    "a@b.c, ",
    "@a",
]


@pytest.mark.parametrize("unit", UNITS)
def test_a_line_of_repeated_words_takes_no_time(unit: str) -> None:
    grammar = Grammar(PHRASES, {"get", "send"}, TABLES)
    line = (unit * LONGEST)[:LONGEST].strip() + "x"
    began = time.process_time()

    for reading in grammar.readings(line[:LONGEST]):
        for text in (reading.rest, *reading.values.values()):
            list(grammar.references.read(text or ""))
    list(grammar.references.read(line))
    grammar.references.core(line)
    for text in (line, f"send {line}", f"get ({line}"):
        Slips({"get", "send"}, {"send"}).tidied(text[:LONGEST])

    assert time.process_time() - began < 2.0
