"""Statements that name what only SQLite has: its table of tables, and chosen indexes."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from filebot.catalog.schema import ADOPTED, plugin_tables


def tables_of_rooms() -> sa.Select[Any]:
    """Select the names of the tables of plugins that have a column ``room``."""
    table = sa.table("sqlite_master", sa.column("name", sa.Text), sa.column("type", sa.Text))
    columns = sa.func.pragma_table_info(table.c.name).table_valued("name").alias("columns")
    of_plugins = sa.or_(table.c.name.in_(ADOPTED), table.c.name.in_(sa.select(plugin_tables.c.name)))
    return (
        sa.select(table.c.name)
        .select_from(table.join(columns, sa.true()))
        .where(table.c.type == "table", of_plugins, columns.c.name == "room")
    )


def searches_without_index(digest: str) -> Sequence[sa.Select[Any]]:
    """Return searches for these bytes by other indexes than that of digests."""
    return used_by_another_index(digest), attached_by_any_index(digest)


def used_by_another_index(digest: str) -> sa.Select[Any]:
    """Search scope by scope for an entry with these bytes, without the index of digests.

    One step of an index for each scope. ``INDEXED BY`` is an error where another plan would be taken.
    """
    tables = sa.text("sums CROSS JOIN entries INDEXED BY ix_entries_scope")
    here = sa.text("kind = 'scope' AND scope = key AND digest = :digest").bindparams(digest=digest)
    return sa.select(sa.literal(1)).select_from(tables).where(here).limit(1)


def attached_by_any_index(digest: str) -> sa.Select[Any]:
    """Search for an attachment with these bytes in each of the two indexes that could tell."""
    here = sa.text("digest = :digest").bindparams(digest=digest)
    found = sa.union_all(
        *(
            sa.select(sa.literal(1)).select_from(sa.text(f"attachments INDEXED BY {index}")).where(here)
            for index in ("ix_attachments_digest", "ix_attachments_digest_size")
        )
    )
    return sa.select(found.subquery()).limit(1)
