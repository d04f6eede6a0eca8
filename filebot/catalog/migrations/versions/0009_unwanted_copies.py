"""Bytes that came from somebody who wants nothing kept in a room; links are found by their address.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"


def upgrade() -> None:
    """Make the table; links are looked up by their address from now on."""
    op.create_table(
        "unwanted",
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("room", "digest", "person"),
    )
    op.create_index("ix_links_url", "links", ["url"])
