"""In a room the bot answers only to what is said to it."""

import pytest

from filebot.xmpp.messages.addressing import addressed, in_private


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("!get x", "get x"),
        ("  ! get x", "get x"),
        ("!get", "get"),
        ("!帮助", "帮助"),
        ("filebot: get x", "get x"),
        ("FileBot, get x", "get x"),
        ("@filebot get x", "get x"),
        ("@filebot: get x", "get x"),
        ("filebot:", ""),
        ("@filebot", ""),
    ],
)
def test_a_prefix_or_the_nick_addresses_the_bot(line: str, said: str) -> None:
    assert addressed(line, prefix="!", nick="filebot") == said


@pytest.mark.parametrize(
    "line",
    [
        "get x",
        "!",
        "!!!",
        "!?",
        "filebot get x",
        "filebots: get x",
        "@filebotty get",
        "ask filebot: x",
        "",
        "@",
    ],
)
def test_everything_else_is_for_others(line: str) -> None:
    assert addressed(line, prefix="!", nick="filebot") is None


def test_without_prefix_and_nick_nothing_addresses_the_bot() -> None:
    assert addressed("!get x", prefix="", nick="") is None


def test_a_nick_with_signs_of_patterns_is_taken_literally() -> None:
    assert addressed("[b.t]: ls", prefix="", nick="[b.t]") == "ls"
    assert addressed("bat: ls", prefix="", nick="b.t") is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%get x", "get x"),
        ("/ get x", "get x"),
        (" filebot, get x", "get x"),
        ("/帮助", "帮助"),
        ("get /x", "get /x"),
        ("filebot:", "filebot:"),
        ("%", "%"),
        ("//", "//"),
        ("?", "?"),
    ],
)
def test_what_is_said_in_private_is_never_empty(line: str, said: str) -> None:
    assert in_private(line, prefix="%", nick="filebot") == said
