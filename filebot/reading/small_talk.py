"""Recognition of small talk: what people say to a bot that is no command.

A greeting is answered by the first words. Thanks, assent, praise and emoji need no answer.
"""

import re
import unicodedata
from enum import Enum, unique
from typing import Final

from filebot.reading.signs import folded
from filebot.reading.tables import TABLES

LONGEST: Final = 60
"""Characters of the longest text that is looked at as small talk."""
LONGEST_GREETING: Final = 40
"""Characters of the longest text that is looked at as a greeting with something around it."""

_GREETINGS: Final = frozenset[str]().union(*(table.greetings for table in TABLES))
_NO_ANSWER: Final = frozenset[str]().union(*(table.small_talk for table in TABLES))

_LETTERS: Final = re.compile(r"[^\W_]")
_OUTSIDE: Final = re.compile(r"^[^\w+]+|[^\w+]+$")
_SMILEY: Final = re.compile(r"[:;=8xX]['’]?-?[)(\]\[DPpOo3/\\|*]+|<3|\^_?\^|[xX]D+")
_AROUND: Final = re.compile(r"^[\s.,!~。、…]+|[\s.,!~。、…]+$")
"""Punctuation before and after a greeting."""
_TO_WHOM: Final = re.compile(r"\s+(?:there|bot|filebot|all|everyone|everybody)$")
_REPEATED: Final = re.compile(r"(\w)\1{2,}")


@unique
class SmallTalk(Enum):
    """Kind of small talk."""

    GREETING = "greeting"
    NO_ANSWER = "no answer"
    """Words or signs that need no answer."""


def small_talk(text: str) -> SmallTalk | None:
    """Return the kind of small talk in a text; None if it is something else."""
    if len(text) > LONGEST:
        return None
    if _is_greeting(text):
        return SmallTalk.GREETING
    return SmallTalk.NO_ANSWER if _asks_for_nothing(text) else None


def _is_greeting(text: str) -> bool:
    said = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).removeprefix("/")
    if said in _GREETINGS:
        return True
    if len(text) > LONGEST_GREETING:
        return False
    without_emoji = "".join(each for each in said if not _is_sign(each) and not _joins(each))
    said = _AROUND.sub("", without_emoji)
    return said in _GREETINGS or _TO_WHOM.sub("", said) in _GREETINGS


def _asks_for_nothing(text: str) -> bool:
    """Return whether a text is thanks, assent, praise, or emoji and smileys alone.

    A text of nothing but question marks is a question.
    """
    if _is_emoji(text):
        return True
    plain = " ".join(folded(unicodedata.normalize("NFC", text)).casefold().split())
    if not _LETTERS.search(plain):
        return False
    said = _OUTSIDE.sub("", plain)
    spellings = (said, _REPEATED.sub(r"\1\1", said), _REPEATED.sub(r"\1", said))  # "cooool", "okkkk"
    return any(map(_is_known, spellings))


def _is_emoji(text: str) -> bool:
    """Return whether a text has emoji or smileys, and nothing else but blanks and exclamation marks."""
    plain = "".join(text.split())
    if _SMILEY.fullmatch(plain):
        return True
    signs = [each for each in plain if _is_sign(each) or each == "+"]
    others = [each for each in plain if each not in signs and not _joins(each) and each not in "!！.~"]
    return bool(signs) and not others and plain != "+"


def _is_sign(sign: str) -> bool:
    return unicodedata.category(sign) in {"So", "Sk"}


def _joins(sign: str) -> bool:
    """Return whether a character only joins or varies emoji: also the tags within flags."""
    return sign in "\u200d\ufe0f\ufe0e\u20e3" or "\U000e0020" <= sign < "\U000e0080"


def _is_known(said: str) -> bool:
    if said in _NO_ANSWER:
        return True
    parts = [part for part in re.split(r"[\s,.!~]+", said) if part]
    # "ok, thanks!", "thanks a lot, great"
    return bool(parts) and _all_known(parts)


def _all_known(parts: list[str]) -> bool:
    """Return whether words are known ones, or phrases of up to four words, one after the other."""
    reached = {0}
    for start in range(len(parts)):
        if start in reached:
            reached |= {
                end
                for end in range(start + 1, min(start + 4, len(parts)) + 1)
                if " ".join(parts[start:end]) in _NO_ANSWER or "".join(parts[start:end]) in _NO_ANSWER
            }
    return len(parts) in reached
