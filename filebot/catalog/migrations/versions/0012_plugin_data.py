"""Values that plugins keep by key, and with an entry, a person or a room.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "plugin_data",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Integer()),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "owner_kind", "owner", "key"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_plugin_data_size", "plugin_data", ["plugin", "size"])
    op.create_index("ix_plugin_data_key", "plugin_data", ["plugin", "owner_kind", "key", "owner"])
    op.create_index("ix_plugin_data_owner", "plugin_data", ["owner_kind", "owner"])
    op.create_index(
        "ix_plugin_data_entry_id",
        "plugin_data",
        ["entry_id"],
        sqlite_where=sa.text("entry_id IS NOT NULL"),
    )
