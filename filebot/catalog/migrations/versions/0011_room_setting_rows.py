"""Room settings as rows, so that each plugin has its own.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"

_ROWS: Final = (
    ("archive", "archive", "'true'", "1", "archive"),
    ("announce", "announce", "'true'", "0", "announce"),
    ("", "who-may-get", "'\"members\"'", "0", "members_only"),
    ("", "max-size", "CAST(max_size AS TEXT)", "0", "max_size IS NOT NULL"),
    ("retention", "retention", "CAST(retention_days AS TEXT)", "0", "retention_days IS NOT NULL"),
)
"""Plugin and key of each setting, its value in JSON, whether it needs consent, and where it is set."""


def upgrade() -> None:
    """Make a row of each value that was not the default."""
    op.rename_table("room_settings", "room_settings_by_column")
    op.create_table(
        "room_settings",
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("room", "plugin", "key"),
    )
    for plugin, key, value, consent, is_set in _ROWS:
        op.execute(
            f"INSERT INTO room_settings SELECT room, '{plugin}', '{key}', {value}, {consent}"
            f" FROM room_settings_by_column WHERE {is_set}"
        )
    op.drop_table("room_settings_by_column")
