"""Statements that name what only PostgreSQL has: its table of columns."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from filebot.catalog.schema import ADOPTED, plugin_tables


def tables_of_rooms() -> sa.Select[Any]:
    """Select the names of the tables of plugins that have a column ``room``."""
    columns = sa.table(
        "columns",
        *(sa.column(name, sa.Text) for name in ("table_schema", "table_name", "column_name")),
        schema="information_schema",
    )
    name = columns.c.table_name
    of_plugins = sa.or_(name.in_(ADOPTED), name.in_(sa.select(plugin_tables.c.name)))
    here = columns.c.table_schema == sa.func.current_schema()
    return sa.select(name).where(here, of_plugins, columns.c.column_name == "room")


def searches_without_index(digest: str) -> Sequence[sa.Select[Any]]:
    """Return no search: PostgreSQL is not told by which index to go."""
    return ()
