"""Search in names and captions, with LIKE, which pg_trgm serves."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from filebot.catalog.dialect import TRIGRAM
from filebot.catalog.schema import entries

_MAX_PHRASES: Final = 16
_MAX_PHRASE: Final = 64

_SIGNS: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_", "*": "%", "?": "_"})
"""Signs of our patterns, and those of LIKE's, by LIKE's."""


def indexed(words: Collection[str]) -> list[str]:
    """Return the words, or parts of them, to look up in the index, longest first."""
    long_enough = sorted((word for word in words if len(word) >= TRIGRAM), key=len, reverse=True)
    return [word[:_MAX_PHRASE] for word in long_enough[:_MAX_PHRASES]]


def found(
    columns: Sequence[Any],
    scope: str,
    phrases: Collection[str],
    *,
    names_only: bool = False,
    before: int | None = None,
) -> sa.Select[Any]:
    """Select ``columns`` of the entries of a scope that hold all the phrases, newest first."""
    fields = (entries.c.name_key,) if names_only else (entries.c.name_key, entries.c.caption_key)
    held = (sa.or_(*(each.contains(phrase, autoescape=True) for each in fields)) for phrase in phrases)
    statement = sa.select(*columns).where(entries.c.scope == scope, *held).order_by(entries.c.id.desc())
    return statement if before is None else statement.where(entries.c.id < before)


def fits_pattern(pattern: str) -> sa.ColumnElement[bool]:
    """Compare the whole folded name with a folded pattern of ``*`` and ``?``."""
    return entries.c.name_key.like(pattern.translate(_SIGNS), escape="\\")


def contains_all(words: Collection[str]) -> sa.ColumnElement[bool]:
    """Compare: every word is in the name or the caption. One parameter, as there may be many words."""
    if not words:
        return sa.true()
    wanted = sa.literal(list(words), ARRAY(sa.Text))
    word = sa.func.unnest(wanted).table_valued("value", name="word").render_derived()
    missing = sa.and_(
        sa.func.strpos(entries.c.name_key, word.c.value) == 0,
        sa.func.strpos(entries.c.caption_key, word.c.value) == 0,
    )
    return ~sa.exists(sa.select(sa.literal(1)).select_from(word).where(missing))
