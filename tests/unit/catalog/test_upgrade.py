"""Catalogs of each earlier version are brought up to date without the loss of a row."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from filebot.catalog import open_catalog
from filebot.catalog.database import known_migrations
from tests.support.old_catalogs import all_rows, make_filled_catalog, oldest_and_newest, setting_rows

VERSIONS: Final = sorted(each.revision for each in known_migrations().walk_revisions())

NEW_TABLES: Final = {
    "0004": ("opt_outs", "room_settings", "fillings"),
    "0005": ("marks",),
    "0008": ("subscriptions",),
    "0009": ("unwanted",),
    "0010": ("jobs",),
    "0012": ("plugin_data",),
    "0013": ("plugin_tables",),
    "0014": ("tombstones", "destroyed_rooms"),
    "0015": ("attachments", "freed_blobs"),
    "0016": ("outbox",),
    "0020": ("sent_files",),
}
"""Tables by the migration that made them."""

Rows = list[dict[str, Any]]


def upgraded(before: dict[str, Rows], version: str) -> dict[str, Rows]:
    """Return the rows that a catalog of this version has today: what each migration makes of them."""
    after = dict(before)
    if version < "0004":
        after["entries"] = [row | {"archived": 0} for row in after["entries"]]
    if version < "0005":
        after["entries"] = [row | {"brought_by": None} for row in after["entries"]]
    if version < "0006":
        after["rooms"] = [row | {"invited_by": None} for row in after["rooms"]]
    for since, tables in NEW_TABLES.items():
        if version < since:
            after |= {table: [] for table in tables}
    if version < "0015":
        after["entries"] = [row | {"attached_bytes": 0} for row in after["entries"]]
    if version < "0017":
        after["entries"] = [row | {"weight": 100} for row in after["entries"]]
    if version < "0020":
        after["entries"] = [row | {"shared_by": ""} for row in after["entries"]]
    if "0004" <= version < "0011":
        after["room_settings"] = [each for row in before["room_settings"] for each in setting_rows(row)]
    return after


@pytest.mark.parametrize("version", oldest_and_newest([each for each in VERSIONS if each >= "0003"]))
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
