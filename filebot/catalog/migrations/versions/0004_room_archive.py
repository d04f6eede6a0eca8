"""Settings of rooms: what they keep unasked, of whom nothing, and how far their history is gone through.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Add the column and make the tables."""
    op.add_column("entries", sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_entries_scope", "entries", ["scope", "digest", "size"])
    op.create_table(
        "opt_outs",
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("room", "person"),
    )
    op.create_table(
        "room_settings",
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("archive", sa.Boolean(), nullable=False),
        sa.Column("announce", sa.Boolean(), nullable=False),
        sa.Column("members_only", sa.Boolean(), nullable=False),
        sa.Column("max_size", sa.BigInteger()),
        sa.Column("retention_days", sa.Integer()),
        sa.PrimaryKeyConstraint("room"),
    )
    op.create_table(
        "fillings",
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_kind", sa.Text(), nullable=False),
        sa.Column("occupant", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("room"),
    )
