"""People who have shown which occupants of rooms they are.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0021"
down_revision: Final = "0020"


def upgrade() -> None:
    """Make the table; nobody is known yet."""
    op.create_table(
        "proven_occupants",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("occupant", sa.Text(), nullable=False),
        sa.Column("proven_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person", "room"),
    )
    op.create_index("ix_proven_occupants_room", "proven_occupants", ["room"])
    op.create_index("ix_proven_occupants_proven_at", "proven_occupants", ["proven_at"])
