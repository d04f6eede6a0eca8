"""Case folding: one form for all spellings of a text that people take for the same."""

import re
import unicodedata
from typing import Final

# A database may not keep or compare these as they are: NUL, which ends a text in C; lone surrogates, which
# have no UTF-8; the non-characters that FTS5 reads as U+FFFD; and the last code point, which marks the
# end of a range of names (see ``queries.find_by_prefix``).
_UNFIT: Final = re.compile("[\0\ud800-\udfff\ufffe\uffff\U0010ffff]")


def fold(text: str) -> str:
    """Return ``text`` without case and in NFC, so that equal names are equal strings (Unicode 3.13, D145).

    Folding may lengthen (``ß`` becomes ``ss``): patterns and substrings are about the folded text.
    """
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
    return _UNFIT.sub("\ufffd", folded)
