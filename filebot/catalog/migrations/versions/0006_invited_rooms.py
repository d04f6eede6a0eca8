"""Table of the rooms that the bot was invited into, and by whom.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Add the column. All rooms until now were named by those who run the bot."""
    op.add_column("rooms", sa.Column("invited_by", sa.Text()))
