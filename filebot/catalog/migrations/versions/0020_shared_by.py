"""Nicks of the people who shared files in rooms, and messages with files that may come back.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0020"
down_revision: Final = "0019"


def upgrade() -> None:
    """Make the table, and add the column; files that are there already have no nick."""
    op.add_column(
        "entries", sa.Column("shared_by", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    op.create_table(
        "sent_files",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("is_room", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("sent_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("ix_sent_files_entry_id", "sent_files", ["entry_id"])
    op.create_index("ix_sent_files_recipient", "sent_files", ["recipient", "sent_at"])
    op.create_index("ix_sent_files_sent_at", "sent_files", ["sent_at"])
