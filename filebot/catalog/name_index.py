"""Condition by which PostgreSQL finds names: its indexes hold no long texts, only the beginnings."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

INDEXED: Final = 200
"""Characters of a name that are in the index; four bytes each are less than the 2,704 that it can hold."""

INDEX: Final = f"CREATE INDEX ix_entries_scope_name ON entries (scope, left(name_key, {INDEXED}), id)"


class begins_alike(GenericFunction[bool]):  # noqa: N801 - it is written as SQL functions are
    """Condition that a name begins as a text does, as far as the index knows both.

    It holds for each name that is the text or begins with it, and is said beside that. SQLite needs no such
    help.
    """

    type = sa.Boolean()
    inherit_cache = True


@compiles(begins_alike, "sqlite")
def _in_sqlite(element: begins_alike, compiler: SQLCompiler, **options: Any) -> str:
    return "1"


@compiles(begins_alike, "postgresql")
def _in_postgresql(element: begins_alike, compiler: SQLCompiler, **options: Any) -> str:
    start = f"left({compiler.process(element.clauses, **options)}, {INDEXED})"
    name = f"left(entries.name_key, {INDEXED})"
    return f"({name} >= {start} AND {name} <= {start} || chr(1114111))"
