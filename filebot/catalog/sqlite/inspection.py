"""Examination and repair of a whole catalog: for ``fsck``, without asyncio.

A catalog that is opened read-only may be in use by a bot: every answer is of one moment.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal

from filebot.catalog.database import known_migrations
from filebot.catalog.mapping import fold, scope_mark
from filebot.catalog.sqlite.integrity import BUSY_TIMEOUT_S, damage, reading
from filebot.model import Digest

Version = Literal["current", "older", "newer", "none"]
"""``none`` is for the database of another program."""

_SUMS: Final = {"owner": "owner", "scope": "scope", "all": "''"}
"""Column of ``entries`` by kind of sum: rows with the same value are added up."""

_WEIGHTS: Final = {"owner": "weight", "scope": "weight", "all": "100"}
"""By kind of sum: the percentage of an entry's bytes that counts."""

_COUNTED: Final = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, part AS key, sum(n) AS files, sum(size) + sum(attached) AS used_bytes FROM"  # noqa: S608 - ours
    f" (SELECT {column} AS part, count(*) AS n, max(size) * max({_WEIGHTS[kind]}) / 100 AS size,"
    f" sum(attached_bytes * {_WEIGHTS[kind]} / 100) AS attached FROM entries GROUP BY part, digest)"
    " GROUP BY part"
    for kind, column in _SUMS.items()
)

_SCOPE: Final = "CASE WHEN room IS NULL THEN 'owner:' || owner ELSE 'room:' || room END"
_DERIVED: Final = {
    "scope": _SCOPE,
    "mark": f"scope_mark({_SCOPE})",
    "name_key": "fold(name)",
    "caption_key": "fold(caption)",
}
"""Columns of ``entries`` that follow from others; see ``rows``."""
_ATTACHED: Final = "(SELECT coalesce(sum(size), 0) FROM attachments WHERE entry_id = entries.id)"
_WRONG: Final = " OR ".join(f"{column} IS NOT {value}" for column, value in _DERIVED.items())


class CatalogInspection:
    """Catalog opened by :func:`inspected`. All methods may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.create_function("fold", 1, fold, deterministic=True)
        connection.create_function("scope_mark", 1, scope_mark, deterministic=True)

    def version(self) -> Version:
        """Tell whether the tables are those of this filebot."""
        script = known_migrations()
        table = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
        if self._connection.execute(table).fetchone() is None:
            return "none"
        found = self._connection.execute("SELECT version_num FROM alembic_version").fetchall()
        if len(found) != 1:
            return "none"
        [(revision,)] = found
        if revision == script.get_current_head():
            return "current"
        known = {each.revision for each in script.walk_revisions()}
        return "older" if revision in known else "newer"

    def damage(self, most: int) -> list[str]:
        """Return what SQLite finds wrong, at most so many faults. Takes minutes if the catalog is large."""
        return damage(self._connection, most)

    def make_indexes_anew(self) -> None:
        """Make every index anew from the rows of its table."""
        self._connection.execute("REINDEX")

    def orphaned_deliveries(self) -> int:
        """Count deliveries without an entry."""
        return self._count("SELECT count(*) FROM parcels WHERE entry_id NOT IN (SELECT id FROM entries)")

    def remove_orphaned_deliveries(self) -> None:
        """Remove deliveries without an entry."""
        self._connection.execute("DELETE FROM parcels WHERE entry_id NOT IN (SELECT id FROM entries)")

    def orphaned_plugin_rows(self) -> int:
        """Count rows of plugins whose entry, or another row that they need, is gone."""
        return len(self._broken_references())

    def remove_orphaned_plugin_rows(self) -> None:
        """Remove rows of plugins whose entry, or another row that they need, is gone."""
        with self._transaction():
            for table, row in self._broken_references():
                quoted = table.replace('"', '""')
                self._connection.execute(f'DELETE FROM "{quoted}" WHERE rowid = ?', (row,))  # noqa: S608

    def _broken_references(self) -> list[tuple[str, int]]:
        """Return table and row of each reference to nothing, but those of deliveries."""
        found = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        # Tables without rowid are left alone: their rows cannot be named.
        return [(table, row) for table, row, *_ in found if table != "parcels" and row is not None]

    def misplaced_entries(self) -> int:
        """Count entries whose derived columns are wrong: they are not listed or found."""
        return self._count(f"SELECT count(*) FROM entries WHERE {_WRONG}")  # noqa: S608 - ours

    def place_entries(self) -> None:
        """Derive the columns of misplaced entries anew."""
        values = ", ".join(f"{column} = {value}" for column, value in _DERIVED.items())
        # Its triggers would take out of the search index what is not in there.
        self.make_search_index_anew()
        self._connection.execute(f"UPDATE entries SET {values} WHERE {_WRONG}")  # noqa: S608 - ours

    def unsearchable_entries(self, *, thoroughly: bool) -> int:
        """Count entries that the search index lacks, and those that it has too many.

        ``thoroughly`` compares the words as well, for which the database must be open to write; words that
        differ count as one entry.
        """
        one_way = "SELECT {} FROM {} EXCEPT SELECT {} FROM {}"
        entries, indexed = ("id", "entries"), ("id", "entries_fts_docsize")
        wrong = sum(
            self._count(f"SELECT count(*) FROM ({one_way.format(*pair)})")  # noqa: S608 - ours
            for pair in ((*entries, *indexed), (*indexed, *entries))
        )
        if thoroughly and not wrong:
            try:
                self._connection.execute(
                    "INSERT INTO entries_fts (entries_fts, rank) VALUES ('integrity-check', 1)"
                )
            except sqlite3.DatabaseError:
                return 1
        return wrong

    def make_search_index_anew(self) -> None:
        """Make the full-text index anew from the entries."""
        self._connection.execute("INSERT INTO entries_fts (entries_fts) VALUES ('rebuild')")

    def wrong_sums(self) -> int:
        """Count sums of owners, scopes and all that are not what their entries give."""
        kept = "SELECT kind, key, files, used_bytes FROM sums"
        return self._count(
            "SELECT count(*) FROM (SELECT kind, key FROM"  # noqa: S608 - ours
            f" (SELECT * FROM ({_COUNTED}) EXCEPT {kept}) UNION"
            f" SELECT kind, key FROM ({kept} EXCEPT SELECT * FROM ({_COUNTED})))"
        )

    def count_anew(self) -> None:
        """Make all sums anew."""
        with self._transaction():
            self._connection.execute("DELETE FROM sums")
            self._connection.execute(f"INSERT INTO sums (kind, key, files, used_bytes) {_COUNTED}")

    def wrong_attached_bytes(self) -> int:
        """Count entries whose attachments have other bytes than is noted."""
        return self._count(f"SELECT count(*) FROM entries WHERE attached_bytes <> {_ATTACHED}")  # noqa: S608

    def add_up_attachments(self) -> None:
        """Note the bytes of all attachments anew."""
        self._connection.execute(
            f"UPDATE entries SET attached_bytes = {_ATTACHED} WHERE attached_bytes <> {_ATTACHED}"  # noqa: S608
        )

    def sums(self, kind: Literal["owner", "scope"]) -> Iterator[tuple[str, int, int]]:
        """Return each key with its files and bytes."""
        yield from self._connection.execute(
            "SELECT key, files, used_bytes FROM sums WHERE kind = ? ORDER BY key", (kind,)
        )

    def list_digests(self) -> int:
        """Note all digests of this moment, without trust in any index; return their bytes in all."""
        self._connection.execute("DROP TABLE IF EXISTS temp.listed")
        self._connection.execute(
            "CREATE TEMP TABLE listed (digest TEXT PRIMARY KEY, least INTEGER, most INTEGER) WITHOUT ROWID"
        )
        self._connection.execute(
            "INSERT INTO listed"
            " SELECT digest, min(size), max(size) FROM (SELECT digest, size FROM entries NOT INDEXED"
            " UNION ALL SELECT digest, size FROM attachments NOT INDEXED) GROUP BY digest"
        )
        return self._count("SELECT coalesce(sum(most), 0) FROM listed")

    def digests(self, prefix: str) -> dict[Digest, tuple[int, int]]:
        """Return the noted digests with this prefix, each with its smallest and largest size."""
        rows = self._connection.execute(
            "SELECT digest, least, most FROM listed WHERE digest BETWEEN ? AND ?", (prefix, prefix + "g")
        )
        return {digest: (least, most) for digest, least, most in rows}

    def freed(self) -> set[Digest]:
        """Return digests of attachments that are gone, whose bytes may still be there."""
        return {digest for (digest,) in self._connection.execute("SELECT digest FROM freed_blobs")}

    def refers_to(self, digest: Digest) -> bool:
        """Tell whether some entry or attachment refers to the digest now."""
        return any(
            self._count(f"SELECT count(*) FROM {table} WHERE digest = ?", digest)  # noqa: S608 - ours
            for table in ("entries", "attachments")
        )

    def names(self, digest: Digest, most: int) -> list[str]:
        """Return names and owners of at most ``most`` files with these bytes."""
        rows = self._connection.execute(
            "SELECT '', name, owner, room FROM entries WHERE digest = ?1 UNION ALL"
            " SELECT attachments.name || ' of ', entries.name, owner, room FROM attachments"
            " JOIN entries ON entries.id = entry_id WHERE attachments.digest = ?1 LIMIT ?2",
            (digest, most),
        )
        return [
            f"{part}{name} of {owner}" + (f" in {room}" if room else "") for part, name, owner, room in rows
        ]

    def set_size(self, digest: Digest, size: int) -> None:
        """Note the true size of these bytes. The sums are to be made anew."""
        for table in ("entries", "attachments"):
            self._connection.execute(
                f"UPDATE {table} SET size = ? WHERE digest = ?",  # noqa: S608 - ours
                (size, digest),
            )

    def _count(self, statement: str, *parameters: str) -> int:
        [(number,)] = self._connection.execute(statement, parameters).fetchall()
        return int(number)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


@contextmanager
def inspected(path: Path, *, mend: bool) -> Iterator[CatalogInspection]:
    """Open the catalog at ``path``, which is there; only with ``mend`` it can be written.

    Raises sqlite3.Error.
    """
    with closing(writing(path) if mend else reading(path)) as connection:
        yield CatalogInspection(connection)


def writing(path: Path) -> sqlite3.Connection:
    """Open a database that is there, to write. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
