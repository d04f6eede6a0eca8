"""CommandUsage lines as patterns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebot.plugin.commands import CommandUsage


@pytest.mark.parametrize(
    ("line", "text", "values"),
    [
        ("ls", "", {}),
        ("ls", "  ", {}),
        ("ls", "what", None),
        ("get NAME", "report.pdf", {"name": "report.pdf"}),
        ("get NAME", "annual  report 2026.pdf", {"name": "annual report 2026.pdf"}),
        ("get NAME", '"annual report.pdf"', {"name": '"annual report.pdf"'}),
        ("get NAME", "“annual report.pdf”", {"name": "“annual report.pdf”"}),
        ("get NAME", "", None),
        (
            "send NAME to TARGET",
            "a b.pdf to bob@example.org",
            {"name": "a b.pdf", "target": "bob@example.org"},
        ),
        ("send NAME to TARGET", "a.pdf TO bob@example.org", {"name": "a.pdf", "target": "bob@example.org"}),
        (
            "send NAME to TARGET",
            '"from me to you.txt" to bob',
            {"name": '"from me to you.txt"', "target": "bob"},
        ),
        ("send NAME to TARGET", "a.pdf", None),
        ("rename OLD NEW", "a.txt b.txt", {"old": "a.txt", "new": "b.txt"}),
        ("rename OLD NEW", '"a b.txt" "c d.txt"', {"old": '"a b.txt"', "new": '"c d.txt"'}),
        ("rename OLD NEW", "a.txt", None),
        ("help [COMMAND]", "", {"command": ""}),
        ("help [COMMAND]", "get", {"command": "get"}),
    ],
)
def test_a_text_fits_its_usage_or_not(line: str, text: str, values: dict[str, str] | None) -> None:
    assert CommandUsage.parse(line).match(text) == values


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("get Name", "neither"),
        ("get [NAME] now", "only the last value"),
        ("copy NAME to NAME", "named twice"),
    ],
)
def test_a_line_that_is_no_pattern_is_refused(line: str, mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        CommandUsage.parse(line)


@given(st.text(max_size=300))
def test_any_text_is_matched_or_not_but_never_an_error(text: str) -> None:
    found = CommandUsage.parse("send NAME to TARGET").match(text)
    assert found is None or set(found) == {"name", "target"}


def test_a_long_hostile_text_is_matched_in_no_time() -> None:
    text = ("a to " * 800) + '"' * 800
    assert CommandUsage.parse("send NAME to TARGET").match(text) is not None
