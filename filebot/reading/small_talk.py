"""Recognition of small talk: messages that ask for nothing."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from filebot.reading.signs import folded
from filebot.reading.tables import LanguageTable

LONGEST: Final = 60
"""Characters of the longest text that is looked at as small talk."""

_LETTERS: Final = re.compile(r"[^\W_]")
_OUTSIDE: Final = re.compile(r"^[^\w+]+|[^\w+]+$")
_SMILEY: Final = re.compile(r"[:;=8xX]['’]?-?[)(\]\[DPpOo3/\\|*]+|<3|\^_?\^|[xX]D+")
_REPEATED: Final = re.compile(r"(\w)\1{2,}")


def is_small_talk(text: str, tables: Sequence[LanguageTable]) -> bool:
    """Return whether a text asks for nothing: thanks, assent, praise, or emoji and smileys alone.

    A text of nothing but question marks is a question. Greetings are none of it: they want the help.
    """
    if len(text) > LONGEST:
        return False
    if is_emoji(text):
        return True
    plain = " ".join(folded(unicodedata.normalize("NFC", text)).casefold().split())
    if not _LETTERS.search(plain):
        return False
    said = _OUTSIDE.sub("", plain)
    words = frozenset[str]().union(*(table.small_talk for table in tables))
    spellings = (said, _REPEATED.sub(r"\1\1", said), _REPEATED.sub(r"\1", said))  # "cooool", "okkkk"
    return any(_is_known(each, words) for each in spellings)


def is_emoji(text: str) -> bool:
    """Return whether a text has emoji or smileys, and nothing else but blanks and exclamation marks."""
    plain = "".join(text.split())
    if _SMILEY.fullmatch(plain):
        return True
    signs = [each for each in plain if unicodedata.category(each) in {"So", "Sk"} or each in "♥️+👍"]
    others = [each for each in plain if each not in signs and not _joins(each) and each not in "!！.~"]
    return bool(signs) and not others and plain != "+"


def _joins(sign: str) -> bool:
    """Return whether a character only joins or varies emoji."""
    return sign in "\u200d\ufe0f\ufe0e\u20e3" or "\U0001f3fb" <= sign <= "\U0001f3ff"


def _is_known(said: str, words: frozenset[str]) -> bool:
    if said in words:
        return True
    parts = [part for part in re.split(r"[\s,.!~]+", said) if part]
    # "ok, thanks!", "thanks a lot, great"
    return bool(parts) and _all_known(parts, words)


def _all_known(parts: list[str], words: frozenset[str]) -> bool:
    """Return whether words are known ones, or phrases of up to four words, one after the other."""
    reached = {0}
    for start in range(len(parts)):
        if start in reached:
            reached |= {
                end
                for end in range(start + 1, min(start + 4, len(parts)) + 1)
                if " ".join(parts[start:end]) in words or "".join(parts[start:end]) in words
            }
    return len(parts) in reached
