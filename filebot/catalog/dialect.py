"""Parts of statements that each database has its own way for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import sqlalchemy as sa

TRIGRAM: Final = 3
"""Characters of the shortest text that an index of names and captions finds."""


class FullText(Protocol):
    """Search in names and captions, which are folded."""

    def indexed(self, words: Collection[str]) -> list[str]:
        """Return the words, or parts of them, to look up in the index, longest first."""

    def found(
        self,
        columns: Sequence[Any],
        scope: str,
        phrases: Collection[str],
        *,
        names_only: bool = False,
        before: int | None = None,
    ) -> sa.Select[Any]:
        """Select ``columns`` of the entries of a scope that hold all the phrases, newest first."""

    def fits_pattern(self, pattern: str) -> sa.ColumnElement[bool]:
        """Compare the whole name with a pattern of ``*`` and ``?``."""

    def contains_all(self, words: Collection[str]) -> sa.ColumnElement[bool]:
        """Compare: every word is in the name or the caption."""


class Statements(Protocol):
    """Statements about what only this database has."""

    def tables_of_rooms(self) -> sa.Select[Any]:
        """Select the names of the tables of plugins that have a column ``room``."""

    def searches_without_index(self, digest: str) -> Sequence[sa.Select[Any]]:
        """Return searches for these bytes that do not trust the index of digests."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Way of one database; modules of its package are the parts."""

    full_text: FullText
    statements: Statements
