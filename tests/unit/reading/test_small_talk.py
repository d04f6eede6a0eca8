"""Thanks, assent and emoji ask for nothing; greetings, questions and commands do."""

import pytest

from filebot.reading.small_talk import SmallTalk, small_talk


@pytest.mark.parametrize(
    "text",
    [
        *("hi", "Hello", "hello", "HELLO!", "hey there", "hi filebot", "?", "？", "/start", "start"),
        *("Good morning.", "你好", "您好！", "你好。", "嗨", "hello 👋"),
    ],
)
def test_a_greeting(text: str) -> None:
    assert small_talk(text) is SmallTalk.GREETING


@pytest.mark.parametrize(
    "text",
    [
        *("thanks", "Thanks!", "thank you", "thank you so much!!", "ok, thanks", "Great, thank you."),
        *("thx", "thx :)", "ok", "OK.", "okay", "cooool", "thank you 🙏", "ＯＫ", "ｏｋ"),
        *(
            "well done, good bot",
            "谢谢",
            "谢谢！",
            "谢谢你 🙏",
            "好的",
            "好的。",
            "好的，谢谢！",
            "收到",
            "哈哈哈",
        ),
        *("👍", "👍🏽", "👍🏽 👍", "❤️", "👩‍👩‍👧", "🇫🇷", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🙂🙂", "🙏🙏", ":)", ":-D", "<3"),
    ],
)
def test_what_needs_no_answer(text: str) -> None:
    assert small_talk(text) is SmallTalk.NO_ANSWER


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "??",
            "!",
            "...",
            "3",
            "12",
            "#3",
            "ls",
            "get",
            "get ok",
            "help",
            "yes",
            "no",
            "删除",
            "帮助",
        ),
        *("hi.txt", "thanks.pdf", "report.pdf", "hello world.txt", "ok computer.mp3", "好的.txt"),
        *("delete 👍.png", "thanks, now rm a.txt", "thanks for the report, send it again", "hi " * 40),
    ],
)
def test_everything_else_is_no_small_talk(text: str) -> None:
    assert small_talk(text) is None
