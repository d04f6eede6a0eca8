"""Search in names and captions, with FTS5 and GLOB."""

import json
from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from filebot.catalog.dialect import TRIGRAM
from filebot.catalog.mapping import scope_mark
from filebot.catalog.schema import entries, unindexed

_MAX_PHRASES: Final = 16
_MAX_PHRASE: Final = 64
_MAX_PATTERN_BYTES: Final = 50_000
"""SQLITE_MAX_LIKE_PATTERN_LENGTH; an error beyond."""

_fts: Final = sa.table("entries_fts", sa.column("rowid", sa.Integer), sa.column("entries_fts", sa.Text))


def fits_pattern(pattern: str) -> sa.ColumnElement[bool]:
    """Compare the whole folded name with a folded pattern of ``*`` and ``?``, without GLOB's sets."""
    glob = pattern.replace("[", "[[]")
    if len(glob.encode()) > _MAX_PATTERN_BYTES:
        return sa.false()  # no name is so long
    return entries.c.name_key.op("GLOB", is_comparison=True)(glob)


def contains_all(words: Collection[str]) -> sa.ColumnElement[bool]:
    """Compare: every word is in the name or the caption. One parameter, as there may be many words."""
    if not words:
        return sa.true()
    word = sa.func.json_each(json.dumps(list(words))).table_valued("value").alias("word")
    missing = sa.and_(
        sa.func.instr(entries.c.name_key, word.c.value) == 0,
        sa.func.instr(entries.c.caption_key, word.c.value) == 0,
    )
    return ~sa.exists(sa.select(sa.literal(1)).select_from(word).where(missing))


def indexed(words: Collection[str]) -> list[str]:
    """Return the words, or parts of them, to look up in the full-text index, longest first."""
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
    """Select ``columns`` of the entries of a scope that hold all the phrases, newest first.

    The scope's mark is part of the full-text query: FTS5 then skips from one row of the scope to the next
    and never reads rows of other scopes with the same words.
    """
    fields = "name_key" if names_only else "name_key caption_key"
    wanted = " AND ".join(_quoted(phrase) for phrase in phrases)
    question = f"{{{fields}}} : ({wanted}) AND mark : {_quoted(scope_mark(scope))}"
    statement = (
        sa.select(*columns)
        .join_from(_fts, entries, entries.c.id == _fts.c.rowid)
        .where(
            _fts.c.entries_fts.op("MATCH", is_comparison=True)(question),
            unindexed(entries.c.scope) == scope,
        )
        .order_by(_fts.c.rowid.desc())
    )
    return statement if before is None else statement.where(_fts.c.rowid < before)


def _quoted(phrase: str) -> str:
    """Quote a phrase of FTS5's query language (https://sqlite.org/fts5.html, 3.1)."""
    return '"' + phrase.replace('"', '""') + '"'
