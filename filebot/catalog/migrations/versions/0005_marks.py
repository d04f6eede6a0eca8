"""Marks: how far message archives have been dealt with, and which message brought an entry.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Make the table and add the column."""
    op.create_table(
        "marks",
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("ahead", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("archive"),
    )
    op.add_column("entries", sa.Column("brought_by", sa.Text()))
    op.create_index(
        "ix_entries_brought_by", "entries", ["brought_by"], sqlite_where=sa.text("brought_by IS NOT NULL")
    )
