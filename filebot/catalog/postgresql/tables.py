"""Tables of a new catalog, with PostgreSQL's own indexes, triggers and order of texts."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import DDLCompiler

from filebot.catalog import name_index
from filebot.catalog.postgresql import triggers
from filebot.catalog.schema import metadata

_SEARCHED: Final = ("name_key", "caption_key")

_ADOPTED: Final = sa.MetaData()
"""Tables that were the core's when plugins took them over: the migrations of those expect them."""

sa.Table(
    "opt_outs",
    _ADOPTED,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
)
sa.Table(
    "unwanted",
    _ADOPTED,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
)
sa.Table(
    "fillings",
    _ADOPTED,
    sa.Column("room", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("asker", "address", "address_kind")),
    *(sa.Column(name, sa.Text) for name in ("occupant", "language")),
    *(sa.Column(name, sa.DateTime, nullable=False) for name in ("since", "until")),
    sa.Column("last_id", sa.Text, nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("messages", "kept", "failed")),
)


def create(connection: sa.Connection) -> None:
    """Make everything, as all migrations together have made it in SQLite."""
    connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for each in (metadata, _ADOPTED):
        each.create_all(connection)
    connection.exec_driver_sql(name_index.INDEX)
    for column in _SEARCHED:
        index = f"CREATE INDEX ix_entries_{column} ON entries USING gin ({column} gin_trgm_ops)"
        connection.exec_driver_sql(index)
    for statement in triggers.statements():
        connection.exec_driver_sql(statement)


@compiles(CreateColumn, "postgresql")
def _create_column(element: CreateColumn, compiler: DDLCompiler, **options: Any) -> str:
    """Compare and order texts byte by byte, whatever the language of the database."""
    text: str = compiler.visit_create_column(element, **options)  # type: ignore[no-untyped-call]
    if isinstance(element.element.type, sa.Text) and "COLLATE" not in text:
        return text.replace(" TEXT", ' TEXT COLLATE "C"', 1)
    return text
