"""The finder of lines knows every key that the standard parser finds."""

import tomllib
from collections.abc import Iterator

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from filebot.config.toml_positions import KeyPath, Places, lines_of

TEXT = '''# a comment with [brackets] and = signs
top = 1
[a]
"quoted key" = """
two [lines] = "here" \\""" and a quote"""" # done
b.c = 'x'
b."d.e" = { f = [1, 2], g = { "h" = "}" } }

[ a . list ]
many = [
  "one, ]",   # a comment, with ]
  'two',

  [3, [4]], ]
last = 1979-05-27 07:32:00
[[tables]]
x = 1
[[tables]]
x = """""" '''


def test_every_form_of_key_has_its_line() -> None:
    assert lines_of(TEXT) == {
        ("top",): 2,
        ("a",): 3,
        ("a", "quoted key"): 4,
        ("a", "b"): 6,
        ("a", "b", "c"): 6,
        ("a", "b", "d.e"): 7,
        ("a", "b", "d.e", "f"): 7,
        ("a", "b", "d.e", "f", 0): 7,
        ("a", "b", "d.e", "f", 1): 7,
        ("a", "b", "d.e", "g"): 7,
        ("a", "b", "d.e", "g", "h"): 7,
        ("a", "list"): 9,
        ("a", "list", "many"): 10,
        ("a", "list", "many", 0): 11,
        ("a", "list", "many", 1): 12,
        ("a", "list", "many", 2): 14,
        ("a", "list", "many", 2, 0): 14,
        ("a", "list", "many", 2, 1): 14,
        ("a", "list", "many", 2, 1, 0): 14,
        ("a", "list", "last"): 15,
        ("tables",): 16,
        ("tables", "x"): 17,
    }


def test_what_has_no_line_has_that_of_the_table_around_it() -> None:
    places = Places("f.toml", lines_of(TEXT))
    assert places.of(("a", "missing", 3)) == "f.toml line 3"
    assert places.of(("missing",)) == "f.toml"
    assert places.of(()) == "f.toml"


KEY = st.sampled_from(["a", "b-c", '"q.k"', "'l t'", '"\\u00e9"', "1"])
SCALAR = st.sampled_from(
    [
        "1",
        "'a'",
        '"]"',
        '"\\\\"',
        '"\\""',
        "true",
        "07:32:00",
        '"""x\n"y""""',
        "'''\n]'''",
        '""',
        "'#'",
        "1e5",
    ]
)
GAP = st.sampled_from(["", " ", "\n", " # [c]\n\n", "\r\n"])


def arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(GAP, st.lists(inner, max_size=3), GAP).map(
        lambda t: f"[{t[0]}{(',' + t[2]).join(t[1])}{t[2]}]"
    )


def inline(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(KEY, inner).map(" = ".join)
    return st.lists(pair, max_size=2).map(lambda pairs: "{" + ", ".join(pairs) + "}")


VALUE = st.recursive(SCALAR, lambda inner: arrays(inner) | inline(inner), max_leaves=6)
DOTTED = st.lists(KEY, min_size=1, max_size=3).map(" . ".join)
LINE = st.one_of(
    st.tuples(DOTTED, VALUE).map(" = ".join),
    DOTTED.map(lambda key: f"[{key}]"),
    DOTTED.map(lambda key: f"[[{key}]]"),
    st.just("# comment"),
)


def keys_in(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all keys, without the indices of arrays, which are not always counted."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from keys_in(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from keys_in(inner, path)


@given(st.lists(LINE, max_size=6).map("\n".join))
@settings(deadline=None)
def test_every_key_that_the_parser_finds_has_a_line(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    lines = lines_of(text)
    without_indices = {tuple(part for part in path if isinstance(part, str)) for path in lines}
    assert set(keys_in(document)) <= without_indices
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.text())
@settings(deadline=None)
def test_the_finder_never_fails(text: str) -> None:
    lines_of(text)
