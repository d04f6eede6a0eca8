"""Messages that brought or showed files, for replies to them and for retractions.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0018"
down_revision: Final = "0017"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "file_messages",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("key", "entry_id"),
    )
    op.create_index("ix_file_messages_place", "file_messages", ["place", "number"])
    op.create_index("ix_file_messages_entry_id", "file_messages", ["entry_id"])
