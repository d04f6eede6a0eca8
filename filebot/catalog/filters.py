"""Conditions of plugins on entries, as SQL.

A condition that few entries meet is where a search starts. One that many meet is asked of one entry after
the other, newest first, until the page is full. A million entries are searched in time by either way.
"""

from typing import Any, Final

import sqlalchemy as sa

from filebot.catalog.schema import entries, plugin_data
from filebot.model import EntryFilter, OwnerKind

FEW: Final = 10_000
"""Entries that are read one by one."""


def is_met_by_many(wanted: EntryFilter) -> sa.Select[Any]:
    """Select a row if more than ``FEW`` entries meet a condition."""
    return sa.select(sa.literal(1)).select_from(_ids(wanted)).offset(FEW).limit(1)


def is_among(wanted: EntryFilter) -> sa.ColumnElement[bool]:
    """Compare an entry with all that meet a condition, which are few."""
    ids = _ids(wanted)
    return entries.c.id.in_(sa.select(*ids.c))


def is_met(wanted: EntryFilter) -> sa.ColumnElement[bool]:
    """Compare one entry after the other, each by an index of the plugin's."""
    ids = _ids(wanted)
    [entry_id] = ids.c
    return sa.exists(sa.select(sa.literal(1)).select_from(ids).where(entry_id == entries.c.id))


def _ids(wanted: EntryFilter) -> sa.Subquery:
    """Select the entries that meet a condition, by what a plugin keeps of them."""
    if wanted.statement is not None:
        found: sa.Subquery = wanted.statement.subquery()
        return found
    table = plugin_data.c
    here = sa.and_(
        table.plugin == wanted.plugin,
        table.owner_kind == OwnerKind.ENTRY.value,
        table.key == wanted.key,
        sa.true() if wanted.value is None else table.value == wanted.value,
    )
    return sa.select(table.entry_id).where(here).subquery()
