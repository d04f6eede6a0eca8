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
    "0018": ("file_messages",),
    "0020": ("sent_files",),
    "0021": ("proven_occupants",),
}
"""Tables by the migration that made them."""
NEW_COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "0004": {"archived": 0},
    "0005": {"brought_by": None},
    "0015": {"attached_bytes": 0},
    "0017": {"weight": 100},
    "0020": {"shared_by": ""},
}
"""Columns of entries, with what they hold at first, by the migration that made them."""

Rows = list[dict[str, Any]]


def upgraded(before: dict[str, Rows], version: str) -> dict[str, Rows]:
    """Return the rows that a catalog of this version has today: what each migration makes of them."""
    after = dict(before)
    for since, columns in NEW_COLUMNS.items():
        if version < since:
            after["entries"] = [row | columns for row in after["entries"]]
    if version < "0022":
        long_ago = {"first_chosen_at": "1970-01-01 00:00:00"}
        after["people"] = [row | long_ago for row in after["people"]]
    if version < "0006":
        after["rooms"] = [row | {"invited_by": None} for row in after["rooms"]]
    for since, tables in NEW_TABLES.items():
        if version < since:
            after |= {table: [] for table in tables}
    if "0004" <= version < "0011":
        after["room_settings"] = [each for row in before["room_settings"] for each in setting_rows(row)]
    if version < "0019":
        keys = [{"name_key": row["name"], "caption_key": row["caption"]} for row in after["entries"]]
        after["entries"] = [row | key for row, key in zip(after["entries"], keys, strict=True)]
        after["links"] = [row | {"name_key": row["name"]} for row in after["links"]]
    # The index of the texts is made anew where their keys change; its rows say nothing by themselves.
    return {table: rows for table, rows in after.items() if not table.startswith("entries_fts")}


@pytest.mark.parametrize("version", oldest_and_newest([each for each in VERSIONS if each >= "0003"]))
async def test_an_upgrade_keeps_every_row_of_every_table(tmp_path: Path, version: str) -> None:
    path = tmp_path / "catalog.sqlite"
    before = make_filled_catalog(path, version)
    assert min(map(len, before.values())) >= (3 if version >= "0007" else 1)
    async with open_catalog(path):
        pass
    with closing(sqlite3.connect(path)) as new:
        assert len(new.execute("SELECT rowid FROM entries_fts('caption')").fetchall()) == 3
        assert new.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert new.execute("PRAGMA foreign_key_check").fetchall() == []
    after = {table: rows for table, rows in all_rows(path).items() if not table.startswith("entries_fts")}
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


async def test_keys_of_names_are_computed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "catalog.sqlite"
    make_filled_catalog(path, "0017")
    names = ("My_Report.pdf", "\ufb01le.txt", "plain.txt")
    with closing(sqlite3.connect(path)) as old, old:
        for number, name in enumerate(names, 1):
            old.execute("UPDATE entries SET name = ?, name_key = ? WHERE id = ?", (name, name, number))
        old.execute("DELETE FROM links")
        for number, name in enumerate(("a_b", "a b", "A  B", "c_d", "c d"), 1):
            link = ("digest", name.lower(), name, f"https://host/{number}", f"2026-01-0{number} 00:00:00")
            old.execute("INSERT INTO links VALUES (?, ?, ?, ?, ?)", link)
    migration = known_migrations().get_revision("0019").module
    monkeypatch.setattr(migration, "_BATCH", 2)
    async with open_catalog(path):
        pass
    with closing(sqlite3.connect(path)) as new:
        found = new.execute("SELECT name, name_key FROM entries ORDER BY id").fetchall()
        assert found == list(zip(names, ("my report.pdf", "file.txt", "plain.txt"), strict=True))
        links = new.execute("SELECT name_key, url FROM links ORDER BY url").fetchall()
        assert links == [("a b", "https://host/3"), ("c d", "https://host/5")]
        assert new.execute("SELECT rowid FROM entries_fts('\"my report\"')").fetchall() == [(1,)]
