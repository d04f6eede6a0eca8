"""Sums for each owner, each scope and in total, kept up to date as rows come and go.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"

_ALL: Final = "''"
_SUMS: Final = {"owner": "owner", "scope": "scope", "all": _ALL}
"""By kind: the column of ``entries`` that says to which sum a row counts."""


def upgrade() -> None:
    """Make the table, fill it, and let triggers keep it; the sum of all had a table of its own."""
    op.create_table(
        "sums",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
        sqlite_with_rowid=False,
    )
    for kind, column in _SUMS.items():
        op.execute(
            f"INSERT INTO sums SELECT '{kind}', part, sum(files), sum(size) FROM"
            f" (SELECT {column} AS part, count(*) AS files, max(size) AS size FROM entries"
            f" GROUP BY part, digest) GROUP BY part"
        )
    for kind, column in _SUMS.items():
        more, less = _more(kind, column), _less(kind, column)
        op.execute(f"CREATE TRIGGER sums_{kind}_insert AFTER INSERT ON entries BEGIN {more} END")
        op.execute(f"CREATE TRIGGER sums_{kind}_delete AFTER DELETE ON entries BEGIN {less} END")
        if column != _ALL:
            op.execute(
                f"CREATE TRIGGER sums_{kind}_update AFTER UPDATE OF {column} ON entries"
                f" WHEN new.{column} <> old.{column} BEGIN {less} {more} END"
            )
    op.execute("DROP TRIGGER totals_insert")
    op.execute("DROP TRIGGER totals_delete")
    op.drop_table("totals")


def _more(kind: str, column: str) -> str:
    return (
        f"INSERT INTO sums VALUES ('{kind}', {_part('new', column)}, 1, {_bytes('new', column)})"
        f" ON CONFLICT (kind, key) DO UPDATE"
        f" SET files = files + 1, used_bytes = used_bytes + excluded.used_bytes;"
    )


def _less(kind: str, column: str) -> str:
    this = f"WHERE kind = '{kind}' AND key = {_part('old', column)}"
    return (
        f"UPDATE sums SET files = files - 1, used_bytes = used_bytes - {_bytes('old', column)} {this};"
        f" DELETE FROM sums {this} AND files = 0;"
    )


def _bytes(row: str, column: str) -> str:
    """The same bytes count once: with the first entry that has them, until the last."""
    others = f"digest = {row}.digest AND id <> {row}.id"
    if column != _ALL:
        others = f"{column} = {row}.{column} AND {others}"
    return f"CASE WHEN EXISTS (SELECT 1 FROM entries WHERE {others}) THEN 0 ELSE {row}.size END"


def _part(row: str, column: str) -> str:
    return column if column == _ALL else f"{row}.{column}"
