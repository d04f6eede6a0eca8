"""Keys by which names are compared: NFKC_Casefold, and ``_`` as a blank.

Rows are changed a bounded number at a time, and only those whose keys differ: most names are plain letters.
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from filebot.catalog.mapping import fold

revision: Final = "0019"
down_revision: Final = "0018"

_BATCH: Final = 1000

_ENTRIES: Final = sa.text(
    "UPDATE entries SET name_key = folded(name), caption_key = folded(caption)"
    " WHERE id > :after AND id <= :last"
    " AND (name_key IS NOT folded(name) OR caption_key IS NOT folded(caption))"
)

# The newest stays of links that have one key now.
_OLDER_LINKS: Final = sa.text(
    "DELETE FROM links WHERE rowid > :after AND rowid <= :last AND EXISTS (SELECT 1 FROM links AS newer"
    " WHERE newer.digest = links.digest AND newer.rowid <> links.rowid"
    " AND folded(newer.name) = folded(links.name)"
    " AND (newer.created_at, newer.rowid) > (links.created_at, links.rowid))"
)
# In two steps, since a new key may be the old one of a row that has not had its turn yet.
_LINKS_APART: Final = sa.text(
    "UPDATE links SET name_key = char(0) || rowid"
    " WHERE rowid > :after AND rowid <= :last AND name_key IS NOT folded(name)"
)
_LINKS: Final = sa.text(
    "UPDATE links SET name_key = folded(name)"
    " WHERE rowid > :after AND rowid <= :last AND name_key IS NOT folded(name)"
)


def upgrade() -> None:
    """Compute the keys of entries and links anew."""
    connection = op.get_bind()
    driver: Any = connection.connection.driver_connection
    # A later change of ``fold`` needs another migration, which changes these rows as well.
    driver.create_function("folded", 1, fold, deterministic=True)
    _in_batches(connection, "id", "entries", _ENTRIES)
    for statement in (_OLDER_LINKS, _LINKS_APART, _LINKS):
        _in_batches(connection, "rowid", "links", statement)


def _in_batches(connection: sa.Connection, key: str, table: str, statement: sa.TextClause) -> None:
    """Execute a statement for every row, so many keys at a time."""
    next_last = sa.text(
        f"SELECT max({key}) FROM (SELECT {key} FROM {table} WHERE {key} > :after"
        f" ORDER BY {key} LIMIT :batch)"
    )
    after = -1
    while (last := connection.execute(next_last, {"after": after, "batch": _BATCH}).scalar()) is not None:
        connection.execute(statement, {"after": after, "last": last})
        after = last
