"""Safe names: from a peer's name for a file to one to show, store and put into a URL's path.

The result is display data: nothing ever opens a path made of it. Rules: Unicode NFC; no path, only its
last part; no control, bidi control or surrogate, and no noncharacter; runs of white space become one blank;
at most ``MAX_BYTES`` of UTF-8, the extension kept and no character cut in half; never empty, invisible or
only dots (XEP-0234 "Application Format").

Whatever spells something stays: joiners, variation selectors, tags, private use, and what this Python's
tables do not know yet. Bidi marks (U+200E, U+200F, U+061C) spell nothing: they move the signs beside them,
and a name is isolated wherever it is shown (see :func:`isolated`).
"""

import re
import unicodedata
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_BYTES: Final = 180
"""Below the 255 bytes of common file systems, so that a saving client may add to it."""

UNNAMED: Final = "unnamed"

_BIDI_CONTROLS: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Unicode's property Bidi_Control."""

# Controls; surrogates; noncharacters; and of the format characters those that no script is written with:
# bidi controls, zero width spaces (a BOM is one), deprecated ones, and marks of annotations.
_HOSTILE: Final = re.compile(
    f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_BIDI_CONTROLS}\u200b\ufeff\u206a-\u206f\ufff9-\ufffb"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)

# Unicode's property Default_Ignorable_Code_Point: nothing is seen of these where they stand alone.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Blocks for scripts that run from right to left, and for their digits; also what is not assigned there yet
# (UAX 44, DerivedBidiClass.txt, "@missing").
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_ISOLATES: Final = re.compile("[\u2066-\u2069]")
_BLANKS: Final = re.compile("[ _]+")

# UAX 29, as far as names need it: what never begins a character as people see it ...
_ZWJ: Final = "\u200d"
_VIRAMA_CLASS: Final = 9
_EXTENDING: Final = re.compile("[\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
# ... and flags, which are pairs of these.
_REGIONAL: Final = re.compile("[\U0001f1e6-\U0001f1ff]+$")


_SCRIPTS: Final = frozenset({".asp", ".aspx", ".ashx", ".cgi", ".do", ".jsp", ".php", ".pl"})
_NAMING_FIELDS: Final = frozenset(
    {"attname", "dl", "download", "f", "file", "file_name", "filename", "fn", "name", "path", "title"}
)


def plain_text(text: str) -> str:
    """Return ``text`` on one line, in NFC, without characters that hide or reorder others."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    return " ".join(unicodedata.normalize("NFC", _HOSTILE.sub("", spaced)).split())


def safe_name(offered: str | None) -> str:
    """Return the display name for a peer's name; ``UNNAMED`` if nothing of it can be kept."""
    # 16 KiB is far over any real name: do not spend time on more.
    last = (offered or "")[:16384].replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    name = plain_text(last)
    if not _INVISIBLE.sub("", name).strip(". "):
        return UNNAMED
    return _shortened(name)


def isolated(text: str) -> str:
    """Return ``text`` so that its direction and that of the sentence around it do not mix.

    It stands between U+2068 and U+2069 (UAX 9) if any of it runs from right to left. All other text looks
    the same without them, in sentences that run from left to right as all of ours do.
    """
    return f"\u2068{text}\u2069" if _RIGHT_TO_LEFT.search(text) else text


def without_isolates(text: str) -> str:
    """Return what somebody typed without the signs that :func:`isolated` adds, and that are copied too."""
    return text if text.isascii() else _ISOLATES.sub("", text)


def comparison_key(text: str) -> str:
    """Return what two names have in common if people take them for one name.

    That is NFKC_Casefold (Unicode 3.13, D146 and D147), with ``_`` as a blank: upload services write it in
    place of what they do not like in a URL. Folding may lengthen (``ß`` becomes ``ss``): patterns and
    substrings are about the folded text.
    """
    if text.isascii():
        return _BLANKS.sub(" ", text.lower())
    seen = unicodedata.normalize("NFD", _INVISIBLE.sub("", text)).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return _BLANKS.sub(" ", folded)


def name_from_url(url: str) -> str | None:
    """Return the percent-decoded last segment of a URL's path, raw; None if there is none."""
    try:
        segment = urlsplit(url).path.rstrip("/").rsplit("/", 1)[-1]
    except ValueError:
        return None
    return unquote(segment, errors="replace") or None


def name_from_link(url: str, final_url: str) -> str | None:
    """Return the name of the file behind a link that led to another by redirects; None if neither has one.

    A name with an extension is best: ``/download?file=report.pdf`` is of a script, and short links have
    names that say nothing.
    """
    names = [name_from_url(url), name_from_url(final_url)]
    likely = (name for name in names if name and extension(name) and extension(name) not in _SCRIPTS)
    in_query = (name for each in (url, final_url) if "?" in each for name in _named_in_query(each))
    return next(likely, None) or next(in_query, None) or names[0] or names[1]


def _named_in_query(url: str) -> list[str]:
    try:
        fields = parse_qsl(urlsplit(url).query, max_num_fields=50, errors="replace")
    except ValueError:
        return []
    lasts = (value.rsplit("/", 1)[-1] for key, value in fields if key.lower() in _NAMING_FIELDS)
    return [name for name in lasts if extension(name)]


def extension(name: str) -> str:
    """Return the extension with its dot, in lower case; empty if there is none."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and stem and 0 < len(ending) <= 16 else ""


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    ending = name[len(name) - len(extension(name)) :] if extension(name) else ""
    room = MAX_BYTES - len(ending.encode())
    most = len(name[: len(name) - len(ending)].encode()[:room].decode(errors="ignore"))
    end = most
    while end and _is_within(name, end):
        end -= 1
    # If one character takes all of it, there is nothing but to cut that.
    return name[: end or most].rstrip() + ending


def _is_within(name: str, place: int) -> bool:
    """Whether a character as people see it goes on at this place (UAX 29, extended grapheme clusters)."""
    before, after = name[place - 1], name[place]
    if _EXTENDING.match(after) or unicodedata.category(after) in {"Mn", "Mc", "Me"} or before == _ZWJ:
        return True
    if unicodedata.combining(before) == _VIRAMA_CLASS and after.isalpha():
        return True  # a conjunct
    flags = _REGIONAL.search(name, 0, place)
    return bool(flags and len(flags[0]) % 2 and _REGIONAL.match(after))
