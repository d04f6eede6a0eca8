"""Usages and values of forms, read from declarations alone."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated

import pytest

from filebot.chat.forms.reading import (
    USAGE,
    Misfit,
    always_needed,
    given,
    has_form,
    match_of,
    needs_choice,
    usages_of,
)
from filebot.errors import BadValue
from filebot.plugin import Between, Context, Duration, Entries, Entry, Plugin, Words
from filebot.plugin.commands import Command

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class Colour(Enum):
    RED = "red"
    GREEN = "green"


def command(*usage: str) -> Command:
    plugin = Plugin[None]("test", api=1)

    @plugin.command("do", usage=usage)
    async def do(ctx: Context[None], /, **values: str) -> None:
        """Do it."""

    return plugin.commands[0]


def lines(declared: Command) -> list[str]:
    return [each.line for each in usages_of(declared)]


def read(declared: Command, **values: str | tuple[str, ...]) -> tuple[str, dict[str, object]]:
    submitted = {name: (value,) if isinstance(value, str) else value for name, value in values.items()}
    match = match_of(declared, given(declared, submitted), NOW)
    return match.usage, dict(match.values)


@pytest.mark.parametrize(
    ("usage", "choice"),
    [
        (("do",), False),
        (("do A to B",), False),
        (("do A to B", "do A B"), False),
        (("do A by B", "do A"), False),
        (("do [A]",), False),
        (("do set A", "do B set A", "do B", "do"), False),
        (("do on", "do off"), True),
        (("do add A", "do remove A"), True),
        (("do A on", "do A off"), True),
        (("do all", "do [A]"), True),
        (("do days of A", "do off"), False),
        (("do for A", "do off", "do on"), True),
    ],
)
def test_a_choice_is_needed_where_values_do_not_tell_usages_apart(
    usage: tuple[str, ...], choice: bool
) -> None:
    assert needs_choice(command(*usage)) is choice


def test_usages_that_differ_in_words_between_values_are_one() -> None:
    assert lines(command("do A to B", "do A B")) == ["do A B"]
    assert lines(command("do add A", "do A")) == ["do A", "do add A"]
    assert lines(command("do B A", "do A B")) == ["do A B"]


def test_a_parameter_is_needed_if_no_usage_leaves_it_out() -> None:
    assert always_needed(command("do A by B", "do A")) == {"a"}
    assert always_needed(command("do A [B]")) == {"a"}
    assert always_needed(command("do A", "do")) == frozenset()
    assert has_form(command("do A"))
    assert has_form(command("do on", "do off"))
    assert not has_form(command("do me"))


def test_the_usage_that_fits_the_values_is_meant() -> None:
    room = command("do set A", "do B set A", "do B", "do")
    assert read(room) == ("do", {})
    assert read(room, a="x") == ("do set A", {"a": "x"})
    assert read(room, b="y") == ("do B", {"b": "y"})
    assert read(room, a="x", b="y") == ("do B set A", {"a": "x", "b": "y"})
    assert read(command("do [A]"), a=" ") == ("do [A]", {})


def test_the_chosen_usage_is_meant() -> None:
    marks = command("do add A", "do remove A", "do")
    assert read(marks, _usage="do add A", a="x") == ("do add A", {"a": "x"})
    for values, missing, superfluous in (
        ({"a": "x"}, (USAGE,), ()),
        ({"_usage": "do it", "a": "x"}, (USAGE,), ()),
        ({"_usage": "do remove A"}, ("a",), ()),
        ({"_usage": "do", "a": "x"}, (), ("a",)),
    ):
        with pytest.raises(Misfit) as caught:
            read(marks, **values)
        assert (caught.value.missing, caught.value.superfluous) == (missing, superfluous)


def test_what_is_missing_is_of_the_nearest_usage() -> None:
    with pytest.raises(Misfit) as caught:
        read(command("do A to B with C", "do A to B"), a="x")
    assert caught.value.missing == ("b",)
    with pytest.raises(Misfit) as caught:
        read(command("do A with B", "do C"), a="x", b="y", c="z")
    assert caught.value.superfluous == ("c",)


def test_values_are_read_as_typed_ones() -> None:
    plugin = Plugin[None]("test", api=1)

    @plugin.command("do", usage="do NUMBER COLOUR SPAN STATE TEXT REST")
    async def do(
        ctx: Context[None],
        number: Annotated[int, Between(1, 6)],
        colour: Colour,
        span: Duration,
        state: bool,
        text: str,
        rest: Words,
    ) -> None:
        """Do it."""

    values: dict[str, str | tuple[str, ...]] = {
        "number": "#3",
        "colour": "Red",
        "span": "90 s",
        "state": "1",
        "text": ' "a  b" ',
        "rest": ("one", " ", "two  three"),
    }
    declared = plugin.commands[0]
    assert read(declared, **values)[1] == {
        "number": 3,
        "colour": Colour.RED,
        "span": timedelta(seconds=90),
        "state": True,
        "text": "a b",
        "rest": "one two three",
    }
    for name, wrong in (("number", "7"), ("colour", "blue"), ("span", "long"), ("state", "2")):
        with pytest.raises(BadValue):
            read(declared, **(values | {name: wrong}))
    assert read(declared, **(values | {"state": "0"}))[1]["state"] is False


def test_files_are_meant_by_id_or_as_typed() -> None:
    plugin = Plugin[None]("test", api=1, needs={"files.read"})

    @plugin.command("do", usage="do ONE MANY")
    async def do(ctx: Context[None], one: Entry, many: Entries) -> None:
        """Do it."""

    found = read(plugin.commands[0], one="#12", many=("#3", "a b", "*.pdf", "12"))[1]
    assert found == {"one": 12, "many": (3, "a b", "*.pdf", "12")}
    assert read(plugin.commands[0], one="#" + "9" * 20, many="x")[1]["one"] == "#" + "9" * 20


def test_fields_that_the_command_does_not_have_are_left_out() -> None:
    assert given(command("do A"), {"a": ("x", ""), "b": ("y",), USAGE: (" ",)}) == {"a": ("x",)}
