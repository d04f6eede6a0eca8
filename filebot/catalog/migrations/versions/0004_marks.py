"""Marks: how far the bot's message archives have been dealt with.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "marks",
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("ahead", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("archive"),
    )
