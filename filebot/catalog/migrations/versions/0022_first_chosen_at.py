"""Time at which somebody first chose a language: of people known only by a room, the latest are kept.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0022"
down_revision: Final = "0021"


def upgrade() -> None:
    """Add the column; who chose before this was asked goes first."""
    long_ago = sa.text("'1970-01-01 00:00:00'")
    op.add_column(
        "people", sa.Column("first_chosen_at", sa.DateTime(), nullable=False, server_default=long_ago)
    )
