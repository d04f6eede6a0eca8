"""Languages that the bot speaks, their catalogues, and language negotiation.

English is the language of the templates themselves; every other one is a gettext catalogue in
``filebot/locale``, checked in as text and compiled in memory, so that there is no build step.
"""

import gettext
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE: Final = "en"
LANGUAGES: Final = (SOURCE, "zh_CN")
"""Locale identifiers of the languages; in ``xml:lang`` the underscore is a hyphen."""

CATALOGUES: Final = Path(__file__).parent.parent / "locale"

_LONGEST_TAG: Final = 35
"""RFC 5646 4.4.1: no sensible language tag is longer."""

# One catalogue serves all Chinese: CLDR's language matching also prefers simplified characters to English
# for readers of traditional ones.
_RANGES: Final = {name.lower(): name for name in LANGUAGES} | {"zh": "zh_CN"}

_AS_TYPED: Final = {
    "english": "en",
    "英文": "en",
    "英语": "en",
    "英語": "en",
    "chinese": "zh_CN",
    "simplified chinese": "zh_CN",
    "mandarin": "zh_CN",
    "中文": "zh_CN",
    "简体": "zh_CN",
    "简体中文": "zh_CN",
    "汉语": "zh_CN",
    "漢語": "zh_CN",
}


def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of one of ``LANGUAGES``; that of the source language changes nothing."""
    if language == SOURCE:
        return gettext.NullTranslations()
    with (CATALOGUES / language / "LC_MESSAGES" / "filebot.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def negotiated(wanted: tuple[str | None, ...], default: str) -> str:
    """Return the first of ``wanted`` (BCP 47 tags, locale identifiers) that is spoken, else ``default``."""
    ranges = (part for tag in wanted if tag for part in _ever_shorter(tag))
    return next((_RANGES[part] for part in ranges if part in _RANGES), default)


def as_typed(text: str) -> str | None:
    """Return the language that a person names by a tag or a word, or None."""
    word = " ".join(text.casefold().split())
    return _AS_TYPED.get(word) or negotiated((word,), "") or None


def _ever_shorter(tag: str) -> list[str]:
    """Return the tag and its prefixes, longest first (RFC 4647 3.4, lookup)."""
    parts = tag[:_LONGEST_TAG].strip().replace("-", "_").split("_")
    return ["_".join(parts[:count]).lower() for count in range(len(parts), 0, -1)]
