"""Arguments of commands: what an annotation makes of a text, and what is said of a mistake in one."""

import re
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from filebot.errors import PluginError
from filebot.plugin import (
    Between,
    Context,
    Duration,
    Entries,
    Entry,
    Jid,
    Plugin,
    Room,
    Size,
    When,
    Words,
    exact,
)
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room

if TYPE_CHECKING:
    from decimal import Decimal


SIZE = Size(5)


class Colour(Enum):
    RED = "red"
    DARK_BLUE = "dark blue"
    OTHER = 3


def plugin_with(handler: Any, *usage: str) -> tuple[Plugin[None], list[dict[str, Any]]]:
    """A plugin whose command ``x`` notes the arguments that it is given."""
    plugin, given = Plugin[None]("p", api=1, needs={"files.read", "rooms"}), list[dict[str, Any]]()

    async def x(ctx: Context[None], /, **arguments: Any) -> None:
        """Note it."""
        given.append(arguments)

    x.__wrapped__ = handler  # type: ignore[attr-defined]  # whose annotations count
    plugin.command("x", usage=usage)(x)
    return plugin, given


async def given_for(handler: Any, usage: str, text: str, sender: Any = ALICE) -> Any:
    plugin, given = plugin_with(handler, usage)
    async with FakeBot(plugin) as bot:
        await bot.drop("a.txt", b"a")
        await bot.drop("a b.txt", b"ab")
        said = await bot.say(f"x {text}", sender)
    return given[0] if given else said


async def number(ctx: Context[None], value: Annotated[int, Between(1, 6)]) -> None: ...
async def size(ctx: Context[None], value: Size) -> None: ...
async def duration(ctx: Context[None], value: Duration) -> None: ...
async def when(ctx: Context[None], value: When) -> None: ...
async def switch(ctx: Context[None], value: bool) -> None: ...
async def colour(ctx: Context[None], value: Colour) -> None: ...
async def jid(ctx: Context[None], value: Jid) -> None: ...
async def room(ctx: Context[None], value: Room) -> None: ...
async def words(ctx: Context[None], value: Words) -> None: ...
async def untyped(ctx, value): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
async def file(ctx: Context[None], value: Entry) -> None: ...
async def exact_file(ctx: Context[None], value: Annotated[Entry, exact]) -> None: ...
async def files(ctx: Context[None], value: "Entries") -> None: ...


@pytest.mark.parametrize(
    ("handler", "text", "value"),
    [
        (number, "6", 6),
        (size, "1.5 MB", 1_500_000),
        (duration, "1 h 30 min", timedelta(minutes=90)),
        (switch, "Yes", True),
        (colour, "RED", Colour.RED),
        (colour, "dark  blue", Colour.DARK_BLUE),
        (colour, "other", Colour.OTHER),
        (jid, "Bob@example.org/phone", BOB),
        (room, ROOM, ROOM),
        (words, 'one "two" three', 'one "two" three'),
        (untyped, "one  two", "one two"),
    ],
)
async def test_a_text_becomes_what_the_annotation_says(handler: Any, text: str, value: object) -> None:
    assert await given_for(handler, "x VALUE", text) == {"value": value}


async def test_a_moment_counts_from_the_clock_of_the_bot() -> None:
    plugin, given = plugin_with(when, "x VALUE")
    async with FakeBot(plugin) as bot:
        await bot.say("x in 2 hours")
        assert given[0]["value"] == bot.now + timedelta(hours=2)
        assert isinstance(given[0]["value"], datetime)


async def test_files_are_found_with_the_rights_of_the_asker() -> None:
    for handler, text in ((file, "A."), (file, "#1"), (exact_file, "a.TXT")):
        assert (await given_for(handler, "x VALUE", text))["value"].name == "a.txt"
    several = (await given_for(files, "x VALUE", 'a.txt "a b.txt"'))["value"]
    assert [each.name for each in several.entries] == ["a.txt", "a b.txt"]
    assert (await given_for(files, "x VALUE", "*.txt"))["value"].missing == ()
    [said] = await given_for(exact_file, "x VALUE", "a b")
    assert said.startswith('Did you mean: x "a b.txt"?')
    [said] = await given_for(file, "x VALUE", "a.txt", BOB)
    assert said.startswith('I have no file called "a.txt".')


@pytest.mark.parametrize(
    ("handler", "text", "said"),
    [
        (number, "7", '"7" does not work. For VALUE, type a number from 1 to 6.'),
        (number, "six", '"six" does not work. For VALUE, type a number from 1 to 6.'),
        (size, "large", '"large" is not a size. For VALUE, type a size, such as 20 MB.'),
        (duration, "long", '"long" is not a length of time. '),
        (when, "soon", '"soon" is not a time. For VALUE, type one such as tomorrow 08:00, '),
        (switch, "maybe", '"maybe" does not work. For VALUE, type on or off.'),
        (colour, "green", '"green" does not work. For VALUE, type red, dark blue, or other.'),
        (jid, "bob", '"bob" is not an address. For VALUE, type an address, such as "name@example.org".'),
        (room, "nowhere", 'I find no room called "nowhere".'),
        (number, "", 'Something is missing after "x". Type it like this:'),
    ],
)
async def test_a_wrong_value_is_answered_with_what_would_be_right(
    handler: Any, text: str, said: str
) -> None:
    [answer] = await given_for(handler, "x VALUE", text)
    assert answer.startswith(said)


async def test_the_answer_to_a_wrong_value_shows_the_usage_as_it_is_typed_there() -> None:
    [answer] = await given_for(number, "x VALUE", "7", in_room())
    assert answer.splitlines()[1:] == ["  !x VALUE", "To learn more, type: !help x"]


async def test_a_usage_fits_only_if_its_values_do() -> None:
    async def painted(ctx: Context[None], name: str, colour: Colour | None) -> None: ...

    plugin, given = plugin_with(painted, "x NAME in COLOUR", "x NAME")
    async with FakeBot(plugin) as bot:
        await bot.say("x box in red")
        await bot.say("x boy in blue")
    assert given == [
        {"name": "box", "colour": Colour.RED},
        {"name": "boy in blue", "colour": None},
    ]


async def test_a_value_that_is_left_out_is_its_default_or_none_or_empty() -> None:
    async def many(ctx: Context[None], a: int | None, b: str, c: Size | None = SIZE) -> None: ...

    plugin, given = plugin_with(many, "x A of B", "x C", "x")
    async with FakeBot(plugin) as bot:
        await bot.say("x")
        await bot.say("x 1 of two")
        await bot.say("x 3 kB")
    assert given == [{"a": None, "b": ""}, {"a": 1, "b": "two"}, {"a": None, "b": "", "c": 3000}]


async def wide(ctx: Context[None], value: float) -> None: ...
async def either(ctx: Context[None], value: int | str) -> None: ...
async def unimported(ctx: Context[None], value: "Decimal") -> None: ...
async def misspelt(ctx: Context[None], value: "Annotated[int, Between(1)]") -> None: ...
async def exact_text(ctx: Context[None], value: Annotated[str, exact]) -> None: ...
async def backwards(ctx: Context[None], value: Annotated[int, Between(6, 1)]) -> None: ...
async def two(ctx: Context[None], value: Words, other: str) -> None: ...
async def left_out(ctx: Context[None], value: bool) -> None: ...


class Twins(Enum):
    ONE = "a"
    OTHER = "A"


class Nothing(Enum):
    pass


async def twins(ctx: Context[None], value: Twins) -> None: ...
async def nothing(ctx: Context[None], value: Nothing) -> None: ...


@pytest.mark.parametrize(
    ("handler", "usage", "mistake"),
    [
        (
            wide,
            ("x VALUE",),
            "value: float is no type of an argument; use str, Words, int, bool, an Enum, ",
        ),
        (either, ("x VALUE",), "value: int | str is more than one type; name one, or one with "),
        (unimported, ("x VALUE",), "an annotation names something that is not there at run time (name "),
        (misspelt, ("x VALUE",), "an annotation cannot be read (TypeError: "),
        (exact_text, ("x VALUE",), "value: exact is for Entry and Entries alone"),
        (backwards, ("x VALUE",), "value: Between(lowest=6, highest=1) is for an int, with the lower "),
        (two, ("x VALUE to OTHER",), "value: Words take the rest of the text, so they must stand last"),
        (left_out, ("x [VALUE]",), "value: a usage leaves VALUE out; write `| None` behind its type"),
        (left_out, ("x VALUE", "x"), "value: a usage leaves VALUE out"),
        (file, ("x VALUE", "x"), "value: a usage leaves VALUE out"),
        (
            twins,
            ("x VALUE",),
            "value: nobody could choose Twins.OTHER; its value must be a word of its own",
        ),
        (nothing, ("x VALUE",), "value: Nothing has no members to choose from"),
    ],
)
def test_a_mistake_in_an_annotation_is_told_with_file_and_line(
    handler: Any, usage: tuple[str, ...], mistake: str
) -> None:
    with pytest.raises(PluginError) as caught:
        plugin_with(handler, *usage)
    assert str(caught.value).startswith(f"command 'x' of plugin 'p': {mistake}")
    assert re.search(
        rf"\({re.escape(__file__)}, line {handler.__code__.co_firstlineno}\)$", str(caught.value)
    )


def test_an_argument_that_is_a_file_or_a_room_needs_what_it_touches() -> None:
    from filebot.plugin.examine import examine

    for handler, need in ((file, "files.read"), (files, "files.read"), (room, "rooms")):
        plugin, _ = plugin_with(handler, "x VALUE")
        plugin.needs = frozenset()
        with pytest.raises(PluginError, match=f"command 'x': its argument 'value' needs \"{need}\""):
            examine(plugin)
