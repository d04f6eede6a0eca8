"""Quotes of every keyboard: a value in quotes is one value, whatever words are in it."""

import re
from collections.abc import Sequence
from typing import Final

PAIRS: Final = (
    *(('"', '"'), ("“", "”"), ("„", "“"), ("„", "”"), ("”", "”"), ("“", "“"), ("＂", "＂"), ("〝", "〞")),
    *(
        ("«", "»"),
        ("»", "«"),
        ("‹", "›"),
        ("'", "'"),
        ("‘", "’"),
        ("‚", "‘"),
        ("‚", "’"),
        ("’", "’"),
        ("`", "`"),
    ),
    *(("「", "」"), ("『", "』"), ("《", "》"), ("〈", "〉"), ("﹁", "﹂")),
)
"""Opening and closing signs."""

QUOTED: Final = "|".join(f"{start}[^{end}]+{end}" for start, end in PAIRS)
"""Pattern of a value in quotes."""

_WHOLE: Final = re.compile(rf"(?<![0-9A-Za-z])(?:{QUOTED})(?![0-9A-Za-z])")
_PLACES: Final = tuple(map(chr, range(0xFDD1, 0xFDF0)))
"""Non-characters, which no text that people write has."""
_PLACE: Final = re.compile(f"[{_PLACES[0]}-{_PLACES[-1]}]")


def unquoted(value: str) -> str:
    """Return a value without the quotes around it, if there are any."""
    for start, end in PAIRS:
        inside = value[1:-1]
        if inside and value.startswith(start) and value.endswith(end) and end not in inside:
            return inside
    return value


def is_quoted(value: str) -> bool:
    """Return whether a value is in quotes as a whole."""
    return unquoted(value) != value


class Sealed:
    """Text in which each value in quotes is one sign, so that no word is found within."""

    def __init__(self, text: str) -> None:
        """Text with more such values than there are signs is left as it is."""
        self._values: Sequence[str] = _WHOLE.findall(text)
        self.text = text
        if _PLACE.search(text) or len(self._values) > len(_PLACES):
            self._values = ()
        else:
            places = iter(_PLACES)
            self.text = _WHOLE.sub(lambda _: next(places), text)

    def opened(self, part: str) -> str:
        """Return a part of the text as it was typed."""
        if not self._values:
            return part
        return _PLACE.sub(lambda found: self._values[_PLACES.index(found[0])], part)
