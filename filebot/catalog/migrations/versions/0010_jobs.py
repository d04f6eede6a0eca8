"""Jobs of plugins, and how many each plugin has.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"

_TRIGGERS: Final = (
    """
    CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
        INSERT INTO job_sums VALUES (new.plugin, 1, length(CAST(new.payload AS BLOB)))
        ON CONFLICT (plugin) DO UPDATE
        SET jobs = jobs + 1, used_bytes = used_bytes + length(CAST(new.payload AS BLOB));
    END
    """,
    """
    CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
        UPDATE job_sums SET jobs = jobs - 1, used_bytes = used_bytes - length(CAST(old.payload AS BLOB))
        WHERE plugin = old.plugin;
        DELETE FROM job_sums WHERE plugin = old.plugin AND jobs = 0;
    END
    """,
)


def upgrade() -> None:
    """Make the tables, and the triggers that count."""
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_at", sa.DateTime(), nullable=False),
        sa.Column("job_key", sa.Text()),
        sa.Column("job_group", sa.Text()),
        sa.Column("deadline", sa.DateTime()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("claimed_until", sa.DateTime()),
        sa.Column("died_at", sa.DateTime()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_due", "jobs", ["state", "run_at", "number"])
    op.create_index("ix_jobs_group", "jobs", ["plugin", "job_group", "number"])
    living, claimed = sa.text("state <> 'dead'"), sa.text("claimed_until IS NOT NULL")
    op.create_index("ix_jobs_key", "jobs", ["plugin", "job_key"], unique=True, sqlite_where=living)
    op.create_index("ix_jobs_claimed", "jobs", ["claimed_until"], sqlite_where=claimed)
    op.create_table(
        "job_sums",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("plugin"),
        sqlite_with_rowid=False,
    )
    for trigger in _TRIGGERS:
        op.execute(trigger)
