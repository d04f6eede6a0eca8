"""Small talk: what people say to a bot that is no command.

A greeting is answered by the first words; thanks, an "ok" or an emoji alone need no answer.
"""

import re
import unicodedata
from enum import Enum, unique
from typing import Final

from filebot.reading.small_talk import is_small_talk
from filebot.reading.tables import TABLES

_LONGEST: Final = 40
"""Characters of the longest text that is looked at."""

_GREETINGS: Final = frozenset(
    (
        *("hi", "hello", "hey", "hiya", "start", "?", "good morning", "good evening", "good afternoon"),
        *("你好", "您好", "嗨", "哈喽", "早上好", "晚上好", "开始", "在吗"),
    )
)
_NO_ANSWER: Final = frozenset(
    (
        *(
            "thanks",
            "thank you",
            "thank you very much",
            "thanks a lot",
            "many thanks",
            "thx",
            "ty",
            "cheers",
        ),
        *("ok", "okay", "cool", "great", "nice", "perfect", "good", "got it", "i see", "alright", "lol"),
        *("bye", "goodbye", "see you", "good night"),
        *("谢谢", "谢谢你", "谢谢您", "多谢", "谢了", "感谢", "非常感谢"),
        *("好", "好的", "好吧", "好了", "收到", "知道了", "明白", "明白了", "嗯", "嗯嗯", "行", "不客气"),
        *("再见", "拜拜", "晚安"),
    )
)
_TO_WHOM: Final = re.compile(r"\s+(?:there|bot|filebot|all|everyone|everybody)$")
_EMOTICON: Final = re.compile(r"[:;=8xX]['^o-]?[)(\]\[dDpPoO3/\\|*]+|<3+|\^[_.]?\^|:'\(")
_AROUND: Final = re.compile(r"^[\s.,!?~。、…]+|[\s.,!?~。、…]+$")
"""Punctuation before and after words."""
_JOINERS: Final = frozenset("\ufe0f\ufe0e\u200d\u20e3")
"""Signs within an emoji: variation selectors, the joiner and the keycap."""


@unique
class SmallTalk(Enum):
    """Kind of small talk."""

    GREETING = "greeting"
    NO_ANSWER = "no answer"
    """Words or signs that need no answer."""


def small_talk(text: str) -> SmallTalk | None:
    """Return the kind of small talk in a text; None if it is something else."""
    if len(text) > _LONGEST:
        return None
    said = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).removeprefix("/")
    if said in _GREETINGS:
        return SmallTalk.GREETING
    said = _without_signs(said)
    if not said or _EMOTICON.fullmatch(text.strip()):
        return SmallTalk.NO_ANSWER if _is_sign(text) else None
    said = _TO_WHOM.sub("", said)
    if said in _GREETINGS:
        return SmallTalk.GREETING
    return SmallTalk.NO_ANSWER if said in _NO_ANSWER or is_small_talk(text, TABLES) else None


def _without_signs(text: str) -> str:
    """Return a text without emojis, and without punctuation around it."""
    kept = "".join(each for each in text if not _is_emoji(each))
    return _AROUND.sub("", kept)


def _is_sign(text: str) -> bool:
    """Tell whether a text is made of emojis, or is an emoticon."""
    return any(map(_is_emoji, text)) or _EMOTICON.fullmatch(text.strip()) is not None


def _is_emoji(sign: str) -> bool:
    return (
        sign in _JOINERS
        or unicodedata.category(sign) in {"So", "Sk"}
        or "\U000e0020" <= sign < "\U000e0080"
    )
