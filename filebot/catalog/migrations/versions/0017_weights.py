"""Weights of entries: the share of their bytes, in percent, that counts for their owner and their room.

The same bytes count once, with the largest weight that an entry gives them. What all entries take together
is as before: bytes on the disk have no weight.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0017"
down_revision: Final = "0016"

_SUMS: Final = {"owner": "owner", "scope": "scope"}
"""By kind: the column of ``entries`` that says to which sum a row counts."""


def upgrade() -> None:
    """Add the column, and let the triggers of these sums count by it."""
    op.add_column(
        "entries", sa.Column("weight", sa.Integer(), nullable=False, server_default=sa.text("100"))
    )
    for kind, column in _SUMS.items():
        # The largest weight of the other entries with the same bytes is found without reading them.
        op.drop_index(f"ix_entries_{column}", "entries")
        op.create_index(f"ix_entries_{column}", "entries", [column, "digest", "weight", "size"])
        for name in ("sums_{}_insert", "sums_{}_delete", "sums_{}_update"):
            op.execute(f"DROP TRIGGER {name.format(kind)}")
        for name in ("attached_{}_delete", "attached_{}_change", "attached_{}_move"):
            op.execute(f"DROP TRIGGER {name.format(kind)}")
        _keep_own_bytes(kind, column)
        _keep_attached_bytes(kind, column)
        _keep_weights(kind, column)


def _keep_own_bytes(kind: str, column: str) -> None:
    more = (
        f"INSERT INTO sums VALUES ('{kind}', new.{column}, 1, {_bytes('new', column)})"
        " ON CONFLICT (kind, key) DO UPDATE"
        " SET files = files + 1, used_bytes = used_bytes + excluded.used_bytes;"
    )
    this = f"WHERE kind = '{kind}' AND key = old.{column}"
    less = (
        f"UPDATE sums SET files = files - 1, used_bytes = used_bytes - {_bytes('old', column)} {this};"
        f" DELETE FROM sums {this} AND files = 0;"
    )
    name = f"CREATE TRIGGER sums_{kind}"
    op.execute(f"{name}_insert AFTER INSERT ON entries BEGIN {more} END")
    op.execute(f"{name}_delete AFTER DELETE ON entries BEGIN {less} END")
    op.execute(
        f"{name}_update AFTER UPDATE OF {column} ON entries"
        f" WHEN new.{column} <> old.{column} BEGIN {less} {more} END"
    )


def _keep_attached_bytes(kind: str, column: str) -> None:
    """Make the triggers; they may fire before or after those above, which make and remove the sum's row."""
    old, new = (f"{row}.attached_bytes * {row}.weight / 100" for row in ("old", "new"))
    less = f"UPDATE sums SET used_bytes = used_bytes - {old} WHERE kind = '{kind}' AND key = old.{column};"
    more = (
        f"INSERT INTO sums VALUES ('{kind}', new.{column}, 0, {new}) ON CONFLICT (kind, key)"
        " DO UPDATE SET used_bytes = used_bytes + excluded.used_bytes;"
    )
    name = f"CREATE TRIGGER attached_{kind}"
    op.execute(f"{name}_delete AFTER DELETE ON entries WHEN old.attached_bytes <> 0 BEGIN {less} END")
    op.execute(
        f"{name}_change AFTER UPDATE OF attached_bytes ON entries"
        f" WHEN new.attached_bytes <> old.attached_bytes BEGIN {less} {more} END"
    )
    op.execute(
        f"{name}_move AFTER UPDATE OF {column} ON entries"
        f" WHEN new.{column} <> old.{column} AND old.attached_bytes <> 0 BEGIN {less} {more} END"
    )


def _keep_weights(kind: str, column: str) -> None:
    """Make the trigger for statements that change the weight alone."""
    attached = "new.attached_bytes * new.weight / 100 - new.attached_bytes * old.weight / 100"
    own = f"{_bytes('new', column)} - {_bytes('new', column, 'old.weight')}"
    op.execute(
        f"CREATE TRIGGER weights_{kind} AFTER UPDATE OF weight ON entries WHEN new.weight <> old.weight"
        f" BEGIN UPDATE sums SET used_bytes = used_bytes + {own} + {attached}"
        f" WHERE kind = '{kind}' AND key = new.{column}; END"
    )


def _bytes(row: str, column: str, weight: str = "") -> str:
    """Return by how much a row makes the bytes that count more than the others with the same bytes do."""
    others = (
        f"coalesce((SELECT weight FROM entries WHERE {column} = {row}.{column} AND digest = {row}.digest"
        f" AND id <> {row}.id ORDER BY weight DESC LIMIT 1), 0)"
    )
    own = weight or f"{row}.weight"
    return f"({row}.size * max({own}, {others}) / 100 - {row}.size * {others} / 100)"
