"""Messages whose files were removed, and destroyed rooms whose files are not all released yet.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tombstones",
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("message"),
    )
    op.create_index("ix_tombstones_archive", "tombstones", ["archive", "at"])
    op.create_table(
        "destroyed_rooms",
        sa.Column("room", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("room"),
    )
