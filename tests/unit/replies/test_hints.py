"""Hints at commands that are not there are left out of replies."""

import pytest

from filebot.replies import Replies
from filebot.replies.hints import MARK, MarkedPrefix, commands_in, with_known_hints


def known(word: str) -> bool:
    return word == "ls"


def shown(template: str, prefix: str = "") -> str:
    return with_known_hints(template.replace("<", MarkedPrefix(prefix)), prefix, known)


@pytest.mark.parametrize("prefix", ["", "!", "bot, "])
def test_hints_at_commands_that_are_there_are_shown(prefix: str) -> None:
    assert shown("Nothing. To see all, type: <ls", prefix) == f"Nothing. To see all, type: {prefix}ls"
    assert shown("Begin with < or my name.", prefix) == f"Begin with {prefix} or my name."
    assert shown("Nothing.", prefix) == "Nothing."


@pytest.mark.parametrize("prefix", ["", "!", "bot, "])
def test_hints_at_other_commands_are_left_out(prefix: str) -> None:
    assert shown('Stored "a. b.pdf" (1.5 MB). To get it, type: <get a. b.pdf', prefix) == (
        'Stored "a. b.pdf" (1.5 MB).'
    )
    assert shown("One.\nTo get it, type: <get a\nTo see it, type: <ls", prefix) == (
        f"One.\nTo see it, type: {prefix}ls"
    )
    assert shown("已保存。要取回，请输入：<get a", prefix) == "已保存。"


def test_a_reply_that_is_nothing_but_a_hint_is_shown() -> None:
    assert shown("To get it, type: <get a") == "To get it, type: get a"


def test_the_prefix_is_as_true_as_it_was() -> None:
    assert MarkedPrefix("!")
    assert not MarkedPrefix("")
    assert str(MarkedPrefix("")) == MARK


def test_the_commands_that_templates_hint_at_are_known_beforehand() -> None:
    assert commands_in(
        "{% trans %}To see all, type: {{ prefix }}ls{% endtrans %}\n{{prefix}}get {{ a }}"
    ) == {
        "ls",
        "get",
    }
    assert commands_in("Begin with {{ prefix }} or my name.\n{{ prefix }}{{ line }}") == set()
    assert {"get", "ls", "rm"} <= Replies().hinted_commands()
