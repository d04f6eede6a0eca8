"""The tables `opt_outs`, `unwanted` and `fillings`, which were the core's: each import has jobs now."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """Add the number of the job that goes on with an import."""
    op.add_column("fillings", sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
