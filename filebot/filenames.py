"""Safe names: from a peer's name for a file to one to show, store and put into a URL's path.

The result is display data: nothing ever opens a path made of it. Rules: Unicode NFC; no path, only its
last part; no control, format (bidi) or surrogate characters; runs of white space become one blank; at most
``MAX_BYTES`` of UTF-8, the extension kept; never empty and never only dots (XEP-0234 "Application Format").
"""

import unicodedata
from typing import Final
from urllib.parse import unquote, urlsplit

MAX_BYTES: Final = 180
"""Below the 255 bytes of common file systems, so that a saving client may add to it."""

UNNAMED: Final = "unnamed"

# Cc control, Cf format (bidi overrides, zero width), Cs surrogates, Co private use, Cn unassigned,
# Zl/Zp line and paragraph separators.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain_text(text: str) -> str:
    """Return ``text`` on one line, in NFC, without characters that hide or reorder others."""
    spaced = "".join(" " if c.isspace() else c for c in text)
    kept = "".join(c for c in spaced if unicodedata.category(c) not in _HIDDEN)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def safe_name(offered: str | None) -> str:
    """Return the display name for a peer's name; ``UNNAMED`` if nothing of it can be kept."""
    # 16 KiB is far over any real name: do not spend time on more.
    last = (offered or "")[:16384].replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    name = plain_text(last)
    if not name.strip(". "):
        return UNNAMED
    return _shortened(name)


def name_from_url(url: str) -> str | None:
    """Return the percent-decoded last segment of a URL's path, raw; None if there is none."""
    try:
        segment = urlsplit(url).path.rstrip("/").rsplit("/", 1)[-1]
    except ValueError:
        return None
    return unquote(segment, errors="replace") or None


def extension(name: str) -> str:
    """Return the extension with its dot, in lower case; empty if there is none."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and stem and 0 < len(ending) <= 16 else ""


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    ending = name[len(name) - len(extension(name)) :] if extension(name) else ""
    room = MAX_BYTES - len(ending.encode())
    return name[: len(name) - len(ending)].encode()[:room].decode(errors="ignore").rstrip() + ending
