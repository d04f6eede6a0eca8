"""Signs around words: widths, quotes, code marks, quotations and punctuation. Nothing here knows a word."""

import re
from typing import Final

MOST_LINES: Final = 10
"""Lines of one message that are read as commands."""

_WIDTHS: Final = {0x3000: " ", 0x00A0: " ", 0x3002: ".", 0xFF61: "."} | {
    code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)
}
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u200e\u200f\u202a\u202c"))
_QUOTATION: Final = re.compile(r"\s*[>＞]")
_FENCE: Final = re.compile(r"\s*(```|~~~)\w*\s*")
_LIST_MARK: Final = re.compile(r"\s*[-*•·]\s+(?=\S)")
_CODE: Final = re.compile(r"(`+)([^`]+)\1")
_SIGNS: Final = r"\s.!?,;:…~、。！？，；：～"
_EMOJI: Final = r"\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff\ufe0f\u200d"
# An emoji right after a Latin letter or a digit is part of a name.
_ENDING: Final = re.compile(rf"(?:[{_SIGNS}]+|(?<=[{_SIGNS}\u2e80-\u9fff{_EMOJI}])[{_EMOJI}]+)+\Z")
_BEGINNING: Final = re.compile(rf"[{_EMOJI}]+\s*(?=\S)")


def folded(text: str) -> str:
    """Return a text with signs of full width as usual ones; each character stays at its place."""
    return text.translate(_WIDTHS)


def lines_of(text: str) -> list[str]:
    """Return the lines that somebody says themselves: no quotations, and nothing that only marks code."""
    found = []
    for line in text.translate(_INVISIBLE).splitlines():
        if _QUOTATION.match(line) or _FENCE.fullmatch(line):
            continue
        said = without_code_marks(line).strip()
        if said:
            found.append(said)
    if len(found) > 1:
        found = [_LIST_MARK.sub("", line, count=1) for line in found]
    return found


def without_code_marks(line: str) -> str:
    """Return a line without the backticks around all of it; those around a part become quotes."""
    whole = line.strip()
    if (match := _CODE.fullmatch(whole)) is not None:
        return match[2].strip()
    return _CODE.sub(r'"\2"', line)


def without_ending(text: str) -> str:
    """Return a text without the punctuation and the emoji at its end."""
    return _ENDING.sub("", text)


def without_beginning(text: str) -> str:
    """Return a text without the emoji before its first word."""
    return _BEGINNING.sub("", text.lstrip(), count=1) if _BEGINNING.match(text.lstrip()) else text
