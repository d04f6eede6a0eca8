"""Catalogs of each earlier version are brought up to date without the loss of a row."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from filebot.catalog import open_catalog
from filebot.catalog.database import known_migrations
from tests.support.old_catalogs import all_rows, make_filled_catalog

VERSIONS: Final = sorted(each.revision for each in known_migrations().walk_revisions())

NEW_TABLES: Final = {
    "plugin_data": "0012",
    "plugin_tables": "0013",
    "attachments": "0015",
    "freed_blobs": "0015",
}
"""Empty tables, by the migration that made them."""

Rows = list[dict[str, Any]]


def upgraded(before: dict[str, Rows], version: str) -> dict[str, Rows]:
    """Return the rows that a catalog of this version has today: what each migration makes of them."""
    after = dict(before)
    if version < "0004":
        after["entries"] = [row | {"archived": 0} for row in after["entries"]]
        after |= {"opt_outs": [], "room_settings": [], "fillings": []}
    if version < "0005":
        after["entries"] = [row | {"brought_by": None} for row in after["entries"]]
        after["marks"] = []
    if version < "0006":
        after["rooms"] = [row | {"invited_by": None} for row in after["rooms"]]
    if version < "0008":
        after["subscriptions"] = []
    if version < "0009":
        after["unwanted"] = []
    if version < "0010":
        after["jobs"] = []
    after |= {table: [] for table, since in NEW_TABLES.items() if version < since}
    if version < "0015":
        after["entries"] = [row | {"attached_bytes": 0} for row in after["entries"]]
    if "0004" <= version < "0011":
        after["room_settings"] = [each for row in before["room_settings"] for each in setting_rows(row)]
    return after


def setting_rows(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the settings that a room had in one row of five columns, unless as by default."""
    for column, plugin, key, value in (
        ("members_only", "", "who-may-get", '"members"'),
        ("max_size", "", "max-size", row["max_size"]),
        ("announce", "announce", "announce", "true"),
        ("archive", "archive", "archive", "true"),
        ("retention_days", "retention", "retention", row["retention_days"]),
    ):
        if row[column]:
            consent = int(key == "archive")
            yield {"room": row["room"], "plugin": plugin, "key": key, "value": value, "consent": consent}


@pytest.mark.parametrize("version", [each for each in VERSIONS if each >= "0003"])
async def test_an_upgrade_keeps_every_row_of_every_table(tmp_path: Path, version: str) -> None:
    path = tmp_path / "catalog.sqlite"
    before = make_filled_catalog(path, version)
    assert min(map(len, before.values())) >= (3 if version >= "0007" else 1)
    async with open_catalog(path):
        pass
    with closing(sqlite3.connect(path)) as new:
        assert len(new.execute("SELECT rowid FROM entries_fts('caption AND key')").fetchall()) == 3
        assert new.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert new.execute("PRAGMA foreign_key_check").fetchall() == []
    after = all_rows(path)
    sums = after.pop("sums")
    assert before.pop("sums", sums) == sums
    of_each = 2 if version >= "0015" else 1  # a file, and its attachment
    assert {"kind": "all", "key": "", "files": 3, "used_bytes": of_each * 6 * 2**40} in sums
    before.pop("totals", None)
    job_sums = after.pop("job_sums")
    assert before.pop("job_sums", job_sums) == job_sums
    expected = upgraded(before, version)
    assert after.keys() == expected.keys()
    for table, rows in expected.items():
        assert sorted(after[table], key=repr) == sorted(rows, key=repr), table
