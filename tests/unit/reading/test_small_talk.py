"""Thanks, assent and emoji ask for nothing; greetings, questions and commands do."""

import pytest

from filebot.reading.small_talk import is_small_talk
from filebot.reading.tables import TABLES


@pytest.mark.parametrize(
    "text",
    [
        "thanks",
        "Thanks!",
        "thank you so much!!",
        "ok, thanks",
        "Great, thank you.",
        "thx :)",
        "ok",
        "OK.",
        "cooool",
        "👍",
        "👍🏽 👍",
        "❤️",
        "🙏🙏",
        ":)",
        ":-D",
        "<3",
        "好的",
        "好的，谢谢！",
        "谢谢你 🙏",
        "ｏｋ",
        "收到",
        "哈哈哈",
        "well done, good bot",
    ],
)
def test_what_asks_for_nothing_is_small_talk(text: str) -> None:
    assert is_small_talk(text, TABLES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "??",
        "hi",
        "hello",
        "你好",
        "ls",
        "report.pdf",
        "thanks for the report, send it again",
        "get ok",
        "删除",
        "3",
        "!",
        "#3",
    ],
)
def test_other_texts_are_not(text: str) -> None:
    assert not is_small_talk(text, TABLES)
