"""The copy of the catalog before an upgrade."""

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from filebot.catalog import open_catalog
from filebot.catalog.database import known_migrations, migrate
from filebot.errors import CatalogUnavailable, StorageFull
from tests.support.old_catalogs import make_catalog

HEAD = known_migrations().get_current_head() or ""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.sqlite"
    make_catalog(path, "0007")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO people VALUES ('alice@example.org', 'zh')")
    return path


def copies(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.glob("*before*"))


def read(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


async def test_an_upgrade_leaves_a_copy_of_the_catalog_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as other:
        # The copy has rows of the log, too.
        other.execute("INSERT INTO people VALUES ('bob@example.org', 'en')")
        other.commit()
        async with open_catalog(old):
            pass
    copy = old.with_name(f"catalog.sqlite.before-{HEAD}")
    assert copies(old) == [copy.name]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert read(copy, "SELECT * FROM alembic_version") == [("0007",)]
    assert read(copy, "SELECT jid FROM people") == [("alice@example.org",), ("bob@example.org",)]
    assert read(copy, "PRAGMA integrity_check") == [("ok",)]
    assert read(old, "SELECT * FROM alembic_version") == [(HEAD,)]


async def test_a_new_catalog_and_one_of_this_version_are_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    for _ in range(2):
        async with open_catalog(path):
            pass
    assert copies(path) == []


async def test_one_copy_is_kept_and_unfinished_ones_go(old: Path) -> None:
    for name in ("before-0003", "before-0002.new", f"before-{HEAD}", f"before-{HEAD}.new"):
        old.with_name(f"catalog.sqlite.{name}").write_bytes(b"old")
    other = old.with_name("other.sqlite.before-0003")
    other.write_bytes(b"another program's")
    async with open_catalog(old):
        pass
    assert copies(old) == [f"catalog.sqlite.before-{HEAD}", other.name]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


async def test_without_space_for_the_copy_nothing_is_changed(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old.with_name("catalog.sqlite.before-0003")
    before.write_bytes(b"old")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 9, 1))
    with pytest.raises(
        StorageFull, match=r"there is no space for that: [0-9]+ bytes are needed, 1 are free"
    ):
        async with open_catalog(old, 2**20):
            pass
    assert read(old, "SELECT * FROM alembic_version") == [("0007",)]
    assert copies(old) == [before.name]
    assert not old.with_suffix(".reserve").exists()


def test_a_copy_that_fails_leaves_nothing_behind(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filebot.catalog.sqlite.upgrade_copy._sync", fail)
    with pytest.raises(CatalogUnavailable, match="unreadable"):
        migrate(old)
    assert copies(old) == []
    assert read(old, "SELECT * FROM alembic_version") == [("0007",)]


def fail(_: Path) -> None:
    raise OSError("unreadable")


async def test_a_catalog_of_a_newer_filebot_is_neither_copied_nor_changed(old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CatalogUnavailable, match="the catalog is of a newer filebot"):
        migrate(old)
    assert copies(old) == []
    assert read(old, "SELECT jid FROM people") == [("alice@example.org",)]
