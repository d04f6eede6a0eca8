"""The questions of the port as SELECT statements, each served by an index."""

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from filebot.catalog import sqlite
from filebot.catalog.case_folding import fold
from filebot.catalog.rows import scope_key, scope_mark
from filebot.catalog.schema import (
    deliveries,
    entries,
    history_imports,
    links,
    opt_outs,
    people,
    positions,
    room_settings,
    rooms,
    subscriptions,
    sums,
    unwanted,
)
from filebot.model import Digest, Scope

_MAX_ID: Final = 2**63 - 1
_LAST_CHARACTER: Final = "\U0010ffff"
"""Greater than all that a folded text holds."""

UNINDEXED_ROWS: Final = 100_000
"""How far back a search goes for words that are too short for the full-text index."""


def one(entry_id: int) -> sa.ColumnElement[bool]:
    """The entry of this id. People write ids of any length; no entry has such."""
    return entries.c.id == _in_range(entry_id)


def by_id(entry_id: int) -> sa.Select[Any]:
    """The entry of this id."""
    return sa.select(entries).where(one(entry_id))


def page(scope: Scope, limit: int, before: int | None = None) -> sa.Select[Any]:
    """The newest entries of a scope, or those below an id."""
    statement = sa.select(entries).where(_in(scope)).order_by(entries.c.id.desc()).limit(limit)
    return statement if before is None else statement.where(entries.c.id < _in_range(before))


def find_by_digest(scope: Scope, owner: str, digest: Digest) -> sa.Select[Any]:
    """The newest entry with these bytes."""
    # Few rows share their bytes.
    return _few(scope, entries.c.owner == owner, entries.c.digest == digest).limit(1)


def find_by_source_message(scope: Scope, owner: str, message: str) -> sa.Select[Any]:
    """The newest entry of somebody's that this message made."""
    # That there are few of a message is what the index is for, not that an owner has few.
    mine = sqlite.unindexed(entries.c.owner) == owner
    return _few(scope, mine, entries.c.brought_by == message).limit(1)


def find_by_name(scope: Scope, name: str) -> sa.Select[Any]:
    """The newest entry of this name, in whatever case."""
    return page(scope, 1).where(entries.c.name_key == fold(name))


def spelled(scope: Scope, name: str) -> sa.Select[Any]:
    """The newest entry of this very name."""
    return find_by_name(scope, name).where(entries.c.name == name)


def find_by_prefix(scope: Scope, prefix: str, limit: int) -> sa.Select[Any]:
    """The newest entries whose names begin so."""
    key = fold(prefix)
    if not key:
        return page(scope, limit)
    # Many names may begin so: find the newest ids in the index alone, then read those rows only.
    newest = (
        sa.select(entries.c.id)
        .where(_in(scope), entries.c.name_key.between(key, key + _LAST_CHARACTER))
        .order_by(entries.c.id.desc())
        .limit(limit)
    )
    return sa.select(entries).where(entries.c.id.in_(newest)).order_by(entries.c.id.desc())


def find_by_glob(scope: Scope, pattern: str, limit: int) -> sa.Select[Any]:
    """The newest entries whose whole name fits a pattern of ``*`` and ``?``."""
    key = fold(pattern)
    phrases = sqlite.indexed(set(re.split(r"[*?]", key)))
    candidates = _found([entries], scope, phrases, names_only=True) if phrases else page(scope, limit)
    return candidates.where(sqlite.fits_pattern(key)).limit(limit)


def oldest(scope: Scope, limit: int) -> sa.Select[Any]:
    """The first entries of a scope."""
    return sa.select(entries).where(_in(scope)).order_by(entries.c.id).limit(limit)


def search(scope: Scope, words: Collection[str], limit: int, before: int | None) -> sa.Select[Any]:
    """``words`` are folded and not empty."""
    phrases = sqlite.indexed(words)
    unproved = set(words).difference(phrases)
    if not phrases:
        return _searched_row_by_row(scope, words, limit, before)
    below = None if before is None else _in_range(before)
    candidates = _found([entries], scope, phrases, before=below)
    return candidates.where(sqlite.contains_all(unproved)).limit(limit)


def newest_names(scope: Scope, limit: int) -> sa.Select[Any]:
    """The names of the newest entries, as often as they are there."""
    return page(scope, limit).with_only_columns(entries.c.name_key, entries.c.name)


def names_with(scope: Scope, part: str, limit: int) -> sa.Select[Any]:
    """Names that hold a folded ``part`` of three characters or more."""
    return _found([entries.c.name_key, entries.c.name], scope, [part], names_only=True).limit(limit)


def archived(room: str, owner: str, limit: int) -> sa.Select[Any]:
    """What a room kept of somebody unasked."""
    # Few people own many files: their own rows are fewer than the room's.
    return _few(Scope(room=room), entries.c.owner == owner, entries.c.archived).limit(limit)


def opt_out(room: str, person: str) -> sa.Select[Any]:
    """The row that says so, if there is one."""
    return sa.select(opt_outs).where(opt_outs.c.room == room, opt_outs.c.person == person)


def count_opt_outs(room: str) -> sa.Select[Any]:
    """How many rows of a room say so."""
    return sa.select(sa.func.count()).where(opt_outs.c.room == room).select_from(opt_outs)


def referenced_digests(digests: Sequence[Digest]) -> sa.Select[Any]:
    """Those of the digests that are used."""
    return sa.select(entries.c.digest).where(entries.c.digest.in_(digests)).distinct()


def digests(prefix: str) -> sa.Select[Any]:
    """The digests that begin so."""
    some = entries.c.digest.between(prefix, prefix + _LAST_CHARACTER)
    return sa.select(entries.c.digest).where(some).distinct()


def used_by(owner: str) -> sa.Select[Any]:
    """How many entries somebody has, and their bytes; no row if none."""
    return _sum("owner", owner)


def used_in(scope: Scope) -> sa.Select[Any]:
    """How many entries a scope has, and their bytes; no row if none."""
    return _sum("scope", scope_key(scope))


def used_in_all() -> sa.Select[Any]:
    """How many entries there are, and their bytes; no row if none."""
    return _sum("all", "")


def _sum(kind: str, key: str) -> sa.Select[Any]:
    return sa.select(sums.c.files, sums.c.used_bytes).where(sums.c.kind == kind, sums.c.key == key)


def link_at(urls: Sequence[str]) -> sa.Select[Any]:
    """An upload with one of these addresses."""
    return sa.select(links.c.digest).where(links.c.url.in_(urls)).limit(1)


def unwanted_in(room: str, digest: Digest) -> sa.Select[Any]:
    """The row that says so, if there is one."""
    return sa.select(unwanted).where(unwanted.c.room == room, unwanted.c.digest == digest).limit(1)


def link(digest: Digest, name: str) -> sa.Select[Any]:
    """The upload of these bytes under this name."""
    return sa.select(links).where(links.c.digest == digest, links.c.name_key == fold(name))


def language(jid: str) -> sa.Select[Any]:
    """What this person chose."""
    return sa.select(people.c.language).where(people.c.jid == jid)


def position(archive: str) -> sa.Select[Any]:
    """The mark of an archive."""
    return sa.select(positions).where(positions.c.archive == archive)


def all_subscriptions() -> sa.Select[Any]:
    """Every one, the oldest first."""
    return sa.select(subscriptions).order_by(subscriptions.c.id)


def all_parcels() -> sa.Select[Any]:
    """Every one."""
    return sa.select(deliveries).order_by(deliveries.c.number)


def all_room_settings() -> sa.Select[Any]:
    """Every room's."""
    return sa.select(room_settings)


def all_fillings() -> sa.Select[Any]:
    """Every one."""
    return sa.select(history_imports).order_by(history_imports.c.room)


def all_rooms() -> sa.Select[Any]:
    """Every one that is remembered."""
    return sa.select(rooms).order_by(rooms.c.jid)


def _few(scope: Scope, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The newest entries of a scope, of few in all: to sort those is cheaper than to read it in order."""
    here = sqlite.unindexed(entries.c.scope) == scope_key(scope)
    return sa.select(entries).where(*conditions, here).order_by(entries.c.id.desc())


def _searched_row_by_row(
    scope: Scope, words: Collection[str], limit: int, before: int | None
) -> sa.Select[Any]:
    candidates = page(scope, limit, before)
    # The first row out of reach; NULL in a smaller scope.
    end = page(scope, 1, before).with_only_columns(entries.c.id).offset(UNINDEXED_ROWS).scalar_subquery()
    return candidates.where(entries.c.id > sa.func.coalesce(end, 0), sqlite.contains_all(words))


def _found(
    columns: Sequence[Any],
    scope: Scope,
    phrases: Collection[str],
    *,
    names_only: bool = False,
    before: int | None = None,
) -> sa.Select[Any]:
    key = scope_key(scope)
    return sqlite.found(columns, key, scope_mark(key), phrases, names_only=names_only, before=before)


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return entries.c.scope == scope_key(scope)


def _in_range(entry_id: int) -> int:
    return max(0, min(entry_id, _MAX_ID))
