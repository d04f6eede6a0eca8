"""Thanks, assent and emoji ask for nothing; greetings, questions and commands do."""

import pytest

from filebot.reading.small_talk import SmallTalk, small_talk


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
    assert small_talk(text) is SmallTalk.NO_ANSWER


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
def test_other_texts_ask_for_something(text: str) -> None:
    assert small_talk(text) is not SmallTalk.NO_ANSWER


@pytest.mark.parametrize(
    "text",
    [
        *(
            "hi",
            "Hello",
            "HELLO!",
            "hey there",
            "hi filebot",
            "?",
            "？",
            "/start",
            "start",
            "Good morning.",
        ),
        *("你好", "您好！", "你好。", "嗨", "hello 👋"),
    ],
)
def test_a_greeting(text: str) -> None:
    assert small_talk(text) is SmallTalk.GREETING


@pytest.mark.parametrize(
    "text",
    [
        *("thanks", "Thanks!", "thank you", "thx", "ok", "OK.", "okay", "thank you 🙏", "ＯＫ"),
        *("谢谢", "谢谢！", "好的", "好的。", "收到"),
        *("👍", "👍🏽", "❤️", "👩‍👩‍👧", "🇫🇷", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🙂🙂", ":)", ":-D", "<3"),
    ],
)
def test_what_needs_no_answer(text: str) -> None:
    assert small_talk(text) is SmallTalk.NO_ANSWER


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ls",
            "get",
            "hi.txt",
            "thanks.pdf",
            "help",
            "hello world.txt",
            "ok computer.mp3",
            "",
            "12",
            "#3",
        ),
        *("delete 👍.png", "帮助", "好的.txt", "...", "thanks, now rm a.txt", "hi " * 40, "yes", "no"),
    ],
)
def test_everything_else_is_no_small_talk(text: str) -> None:
    assert small_talk(text) is None
