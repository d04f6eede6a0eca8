"""SELECT statements of the catalog, each served by an index.

Those of each message are constants with parameters: to build one and to look it up among the compiled ones
takes SQLAlchemy as long as SQLite takes to answer.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from filebot.catalog.dialect import FullText
from filebot.catalog.filters import is_among, is_met
from filebot.catalog.mapping import fold, scope_key
from filebot.catalog.name_index import begins_alike
from filebot.catalog.schema import (
    attachments,
    deliveries,
    destroyed_rooms,
    entries,
    links,
    people,
    positions,
    room_settings,
    rooms,
    subscriptions,
    sums,
    unindexed,
)
from filebot.model import Digest, EntryFilter, Scope

Read = Callable[[sa.Select[Any]], Awaitable[Sequence[sa.Row[Any]]]]
"""Function that executes such a statement and returns its rows."""

_MAX_ID: Final = 2**63 - 1
_LAST_CHARACTER: Final = "\U0010ffff"
"""Greater than every character of a folded text."""

UNINDEXED_ROWS: Final = 100_000
"""Number of rows that a search reads for words too short for the full-text index."""


LANGUAGE: Final = sa.select(people.c.language).where(people.c.jid == sa.bindparam("jid"))
"""Language of a person, the ``jid``."""

SUM: Final = sa.select(sums.c.files, sums.c.used_bytes).where(
    sums.c.kind == sa.bindparam("kind"), sums.c.key == sa.bindparam("key")
)
"""Number and bytes of the entries of an owner or a scope (the ``kind``), or of all; no row for none."""


WITH_DIGEST: Final = (
    sa.select(entries)
    .where(
        # Few rows share their bytes: sorting these is cheaper than reading the scope in order.
        entries.c.owner == sa.bindparam("owner"),
        entries.c.digest == sa.bindparam("digest"),
        unindexed(entries.c.scope) == sa.bindparam("scope"),
    )
    .order_by(entries.c.id.desc())
    .limit(1)
)
"""Newest entry with these bytes."""

PAGE: Final = (
    sa.select(entries)
    .where(entries.c.scope == sa.bindparam("scope"))
    .order_by(entries.c.id.desc())
    .limit(sa.bindparam("limit"))
)
"""Newest entries of a scope."""

WITH_NAME: Final = (
    sa.select(entries)
    .where(
        entries.c.scope == sa.bindparam("scope"),
        entries.c.name_key == sa.bindparam("name_key"),
        begins_alike(sa.bindparam("name_key")),
    )
    .order_by(entries.c.id.desc())
    .limit(1)
)
"""Newest entry of a name, in any case."""

WITH_ID: Final = sa.select(entries).where(entries.c.id == sa.bindparam("id"))
"""Entry of an id, which is ``in_range``."""

LINK: Final = sa.select(links).where(
    links.c.digest == sa.bindparam("digest"), links.c.name_key == sa.bindparam("name_key")
)
"""Upload of these bytes under a name."""


def weight(entry_id: int) -> sa.Select[Any]:
    """Return the weight of an entry, and its bytes with those of its attachments."""
    size = (entries.c.size + entries.c.attached_bytes).label("bytes")
    return sa.select(entries.c.weight, size).where(one(entry_id))


def one(entry_id: int) -> sa.ColumnElement[bool]:
    """Select the entry of this id."""
    return entries.c.id == in_range(entry_id)


def page(scope: Scope, limit: int, before: int | None = None) -> sa.Select[Any]:
    """Select the newest entries of a scope, or the newest below an id."""
    statement = sa.select(entries).where(_in(scope)).order_by(entries.c.id.desc()).limit(limit)
    return statement if before is None else statement.where(entries.c.id < in_range(before))


def find_by_source_message(scope: Scope, owner: str, message: str) -> sa.Select[Any]:
    """Select the newest entry of an owner that came from this message."""
    # The planner has to start from the index of messages: an owner may have many entries.
    mine = unindexed(entries.c.owner) == owner
    return _few(scope, mine, entries.c.brought_by == message).limit(1)


def spelled(scope: Scope, name: str) -> sa.Select[Any]:
    """Select the newest entry of this name, in this case."""
    return page(scope, 1).where(
        entries.c.name_key == fold(name), begins_alike(fold(name)), entries.c.name == name
    )


def find_by_prefix(scope: Scope, prefix: str, limit: int) -> sa.Select[Any]:
    """Select the newest entries whose names begin with ``prefix``."""
    key = fold(prefix)
    if not key:
        return page(scope, limit)
    # There may be many: find the newest ids in the index alone, then read those rows only.
    newest = (
        sa.select(entries.c.id)
        .where(_in(scope), entries.c.name_key.between(key, key + _LAST_CHARACTER), begins_alike(key))
        .order_by(entries.c.id.desc())
        .limit(limit)
    )
    return sa.select(entries).where(entries.c.id.in_(newest)).order_by(entries.c.id.desc())


def find_by_glob(text: FullText, scope: Scope, pattern: str, limit: int) -> sa.Select[Any]:
    """Select the newest entries whose whole name fits a pattern of ``*`` and ``?``."""
    key = fold(pattern)
    phrases = text.indexed(set(re.split(r"[*?]", key)))
    candidates = (
        text.found([entries], scope_key(scope), phrases, names_only=True) if phrases else page(scope, limit)
    )
    return candidates.where(text.fits_pattern(key)).limit(limit)


def oldest(scope: Scope, limit: int) -> sa.Select[Any]:
    """Select the first entries of a scope."""
    return sa.select(entries).where(_in(scope)).order_by(entries.c.id).limit(limit)


def of_occupants(room: str, limit: int) -> sa.Select[Any]:
    """Select the first private entries of people whom only this room tells apart, by owner."""
    private = known_by(scope_key(Scope(owner=room)), entries.c.scope)
    return sa.select(entries).where(private).order_by(entries.c.scope, entries.c.id).limit(limit)


def search(
    text: FullText,
    scope: Scope,
    words: Collection[str],
    limit: int,
    before: int | None,
    filters: Collection[EntryFilter] = (),
) -> sa.Select[Any]:
    """Select entries with all the words, which are folded and not empty, and that meet all conditions."""
    found = _with_words(text, scope, words, limit, before) if words else page(scope, limit, before)
    return found.where(*map(is_met, filters))


def search_among(
    text: FullText,
    few: EntryFilter,
    scope: Scope,
    words: Collection[str],
    limit: int,
    before: int | None,
    filters: Collection[EntryFilter],
) -> sa.Select[Any]:
    """Select the same, also by a condition that few entries meet."""
    others = [is_met(each) for each in filters if each is not few]
    below = sa.true() if before is None else entries.c.id < in_range(before)
    return _few(scope, is_among(few), below, text.contains_all(words), *others).limit(limit)


def _with_words(
    text: FullText, scope: Scope, words: Collection[str], limit: int, before: int | None
) -> sa.Select[Any]:
    phrases = text.indexed(words)
    unproved = set(words).difference(phrases)
    if not phrases:
        return _searched_row_by_row(text, scope, words, limit, before)
    below = None if before is None else in_range(before)
    candidates = text.found([entries], scope_key(scope), phrases, before=below)
    return candidates.where(text.contains_all(unproved)).limit(limit)


def newest_names(scope: Scope, limit: int) -> sa.Select[Any]:
    """Select the names of the newest entries, with repeats."""
    return page(scope, limit).with_only_columns(entries.c.name_key, entries.c.name)


def names_with(text: FullText, scope: Scope, part: str, limit: int) -> sa.Select[Any]:
    """Select names that hold a folded ``part`` of three characters or more."""
    return text.found(
        [entries.c.name_key, entries.c.name], scope_key(scope), [part], names_only=True
    ).limit(limit)


def archived(room: str, owner: str, limit: int) -> sa.Select[Any]:
    """Select the auto-archived entries of an owner in a room."""
    # Few people own many files: their own rows are fewer than the room's.
    return _few(Scope(room=room), entries.c.owner == owner, entries.c.archived).limit(limit)


def referenced_digests(digests: Sequence[Digest]) -> sa.Select[Any]:
    """Select the digests among these that some entry or attachment refers to."""
    return _in_use(lambda digest: digest.in_(digests))


def digests(prefix: str) -> sa.Select[Any]:
    """Select the digests with this prefix that some entry or attachment refers to."""
    return _in_use(lambda digest: digest.between(prefix, prefix + _LAST_CHARACTER))


def _in_use(fits: Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]) -> sa.Select[Any]:
    columns = (entries.c.digest, attachments.c.digest)
    found = sa.union(*(sa.select(digest).where(fits(digest)) for digest in columns))
    return sa.select(found.subquery().c.digest)


def link_at(urls: Sequence[str]) -> sa.Select[Any]:
    """Select an upload with one of these URLs."""
    return sa.select(links.c.digest).where(links.c.url.in_(urls)).limit(1)


def position(archive: str) -> sa.Select[Any]:
    """Select the position of an archive."""
    return sa.select(positions).where(positions.c.archive == archive)


def all_subscriptions() -> sa.Select[Any]:
    """Select all subscriptions, the oldest first."""
    return sa.select(subscriptions).order_by(subscriptions.c.id)


def all_deliveries() -> sa.Select[Any]:
    """Select all deliveries, by number."""
    return sa.select(deliveries).order_by(deliveries.c.number)


def all_room_settings() -> sa.Select[Any]:
    """Select the settings of all rooms, by room, plugin and key."""
    return sa.select(room_settings).order_by(*room_settings.primary_key)


def all_destroyed_rooms() -> sa.Select[Any]:
    """Select all rooms that are noted as destroyed, by address."""
    return sa.select(destroyed_rooms).order_by(destroyed_rooms.c.room)


def all_rooms() -> sa.Select[Any]:
    """Select all remembered rooms, by address."""
    return sa.select(rooms).order_by(rooms.c.jid)


def _few(scope: Scope, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select entries of a scope, newest first, by conditions that few rows meet.

    Sorting these is cheaper than reading the scope in order.
    """
    here = unindexed(entries.c.scope) == scope_key(scope)
    return sa.select(entries).where(*conditions, here).order_by(entries.c.id.desc())


def _searched_row_by_row(
    text: FullText, scope: Scope, words: Collection[str], limit: int, before: int | None
) -> sa.Select[Any]:
    candidates = page(scope, limit, before)
    # The first row out of reach; NULL in a smaller scope.
    end = page(scope, 1, before).with_only_columns(entries.c.id).offset(UNINDEXED_ROWS).scalar_subquery()
    return candidates.where(entries.c.id > sa.func.coalesce(end, 0), text.contains_all(words))


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return entries.c.scope == scope_key(scope)


def known_by(room: str, person: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Compare: only this room tells the person apart (``room/...``)."""
    # Bytes are compared, and 0 comes next after the slash: a range, which an index serves.
    return sa.and_(person >= f"{room}/", person < f"{room}0")


def in_range(entry_id: int) -> int:
    """Return an id that the database can hold: people may write one longer than any that there is."""
    return max(0, min(entry_id, _MAX_ID))
