"""Entries with their full-text index and their sum, links and people.

A migration says what was true on its day: it names its columns itself and never imports the schema.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None

# Both texts are folded already (``case_sensitive 1``), the content stays in ``entries``. Only with
# detail=full do phrases work on all words: SQLite 3.40.1 crashes on some with the other levels.
_INDEX: Final = """
CREATE VIRTUAL TABLE entries_fts USING fts5(
    mark, name_key, caption_key,
    content = 'entries', content_rowid = 'id',
    tokenize = 'trigram case_sensitive 1', detail = full
)
"""

_ADD_NEW: Final = """
    INSERT INTO entries_fts (rowid, mark, name_key, caption_key)
    VALUES (new.id, new.mark, new.name_key, new.caption_key);
"""

_DROP_OLD: Final = """
    INSERT INTO entries_fts (entries_fts, rowid, mark, name_key, caption_key)
    VALUES ('delete', old.id, old.mark, old.name_key, old.caption_key);
"""

_TRIGGERS: Final = (
    f"CREATE TRIGGER entries_fts_insert AFTER INSERT ON entries BEGIN {_ADD_NEW} END",
    f"CREATE TRIGGER entries_fts_delete AFTER DELETE ON entries BEGIN {_DROP_OLD} END",
    f"""CREATE TRIGGER entries_fts_update AFTER UPDATE OF mark, name_key, caption_key ON entries
    BEGIN {_DROP_OLD} {_ADD_NEW} END""",
)

# The same bytes count once: with the first entry that has them, until the last.
_COUNT_BYTES: Final = (
    """CREATE TRIGGER totals_insert AFTER INSERT ON entries
    WHEN NOT EXISTS (SELECT 1 FROM entries WHERE digest = new.digest AND id <> new.id)
    BEGIN UPDATE totals SET used_bytes = used_bytes + new.size; END""",
    """CREATE TRIGGER totals_delete AFTER DELETE ON entries
    WHEN NOT EXISTS (SELECT 1 FROM entries WHERE digest = old.digest)
    BEGIN UPDATE totals SET used_bytes = used_bytes - old.size; END""",
)


def upgrade() -> None:
    """Make everything."""
    _create_entries()
    op.create_table(
        "totals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for statement in (_INDEX, *_TRIGGERS, *_COUNT_BYTES, "INSERT INTO totals VALUES (1, 0)"):
        op.execute(statement)
    op.create_table(
        "links",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "name_key"),
    )
    op.create_table(
        "people",
        sa.Column("jid", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("jid"),
    )


def _create_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("caption_key", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("room", sa.Text()),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("modified_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entries_scope_id", "entries", ["scope", "id"])
    op.create_index("ix_entries_scope_name", "entries", ["scope", "name_key", "id"])
    op.create_index("ix_entries_digest", "entries", ["digest"])
    op.create_index("ix_entries_owner", "entries", ["owner", "digest", "size"])
