"""Files that plugins derive from an entry, which go with it and count for its owner, room and all.

Their bytes are added up in a column of the entry: so they move with it from owner to owner, and are known
when it is gone. What a removed attachment referred to is noted, for its bytes to be looked after.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"

_ALL: Final = "''"
_SUMS: Final = {"owner": "owner", "scope": "scope", "all": _ALL}
"""By kind: the column of ``entries`` that says to which sum a row counts."""

_ADD: Final = "UPDATE entries SET attached_bytes = attached_bytes + {} WHERE id = {}.entry_id;"
_OF_ATTACHMENTS: Final = {
    "insert AFTER INSERT": _ADD.format("new.size", "new"),
    "update AFTER UPDATE OF size": _ADD.format("new.size - old.size", "new"),
    "delete AFTER DELETE": _ADD.format("-old.size", "old")
    + " INSERT INTO freed_blobs VALUES (old.digest) ON CONFLICT DO NOTHING;",
}


def upgrade() -> None:
    """Make the tables, and let triggers keep the sums."""
    op.add_column(
        "entries", sa.Column("attached_bytes", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        "attachments",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "plugin", "name"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_attachments_digest", "attachments", ["digest"])
    op.create_index("ix_attachments_digest_size", "attachments", ["digest", "size"])
    op.create_table(
        "freed_blobs", sa.Column("digest", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("digest")
    )
    for when, then in _OF_ATTACHMENTS.items():
        op.execute(f"CREATE TRIGGER attachments_{when} ON attachments BEGIN {then} END")
    for kind, column in _SUMS.items():
        _keep_sum(kind, column)


def _keep_sum(kind: str, column: str) -> None:
    """Make the triggers for one kind of sum.

    They may fire before or after those for the entries' own bytes, which make and remove the row of a sum.
    """
    old, new = (column if column == _ALL else f"{row}.{column}" for row in ("old", "new"))
    less = (
        "UPDATE sums SET used_bytes = used_bytes - old.attached_bytes"
        f" WHERE kind = '{kind}' AND key = {old};"
    )
    more = (
        f"INSERT INTO sums VALUES ('{kind}', {new}, 0, new.attached_bytes) ON CONFLICT (kind, key)"
        " DO UPDATE SET used_bytes = used_bytes + excluded.used_bytes;"
    )
    name = f"CREATE TRIGGER attached_{kind}"
    op.execute(f"{name}_delete AFTER DELETE ON entries WHEN old.attached_bytes <> 0 BEGIN {less} END")
    op.execute(
        f"{name}_change AFTER UPDATE OF attached_bytes ON entries"
        f" WHEN new.attached_bytes <> old.attached_bytes BEGIN {less} {more} END"
    )
    if column != _ALL:
        op.execute(
            f"{name}_move AFTER UPDATE OF {column} ON entries"
            f" WHEN {new} <> {old} AND old.attached_bytes <> 0 BEGIN {less} {more} END"
        )
