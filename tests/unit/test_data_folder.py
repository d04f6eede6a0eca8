"""A data folder is opened only if its catalog can be believed."""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filebot import data_folder
from filebot.catalog import open_catalog
from filebot.data_folder import CATALOG, open_data_folder
from filebot.errors import CatalogDamaged, CatalogUnavailable, ConfigError
from filebot.files.unused_blobs import UnusedBlobs
from filebot.fsck.catalog_doubt import catalog_doubt
from filebot.model import Attachment, BlobRef, NewEntry
from filebot.ports import BlobStore
from filebot.storage import folder_lock
from tests.support.old_catalogs import make_catalog
from tests.unit.catalog.sqlite.test_integrity import empty_index

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("a", "anna@example.org", None, "", BlobRef("0" * 64, 1), "text/plain", NOW)


async def store_blob(store: BlobStore, data: bytes) -> BlobRef:
    async with store.create() as writer:
        await writer.write(data)
        await writer.seal()
        return await writer.commit()


async def fill(folder: Path, files: int, *, first: int = 0) -> None:
    """Store files as the bot does."""
    if not (folder / CATALOG).exists():
        make_catalog(folder / CATALOG)
    async with open_data_folder(folder) as data:
        for number in range(first, first + files):
            ref = await store_blob(data.store, str(number).encode())
            await data.catalog.add(replace(NEW, name=str(number), blob=ref))


def blobs(folder: Path) -> set[str]:
    return {file.name for file in (folder / "blobs").rglob("*") if file.is_file()}


def expected(numbers: range) -> set[str]:
    return {hashlib.sha256(str(number).encode()).hexdigest() for number in numbers}


def lose(folder: Path) -> None:
    for file in folder.glob(f"{CATALOG}*"):
        file.unlink()


def empty(folder: Path) -> None:
    lose(folder)
    (folder / CATALOG).touch()


@pytest.mark.parametrize("lost", [lose, empty])
async def test_a_catalog_that_is_missing_or_empty_beside_files_stops_each_start(
    tmp_path: Path, lost: object
) -> None:
    await fill(tmp_path, 3)
    assert callable(lost)
    lost(tmp_path)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"is missing or empty.*filebot fsck"):
            async with open_data_folder(tmp_path):
                pass
    assert blobs(tmp_path) == expected(range(3))
    assert (tmp_path / CATALOG).exists() == (lost is empty)
    assert not (tmp_path / CATALOG).exists() or not (tmp_path / CATALOG).stat().st_size


async def test_the_catalog_of_an_older_backup_stops_the_start_until_the_newer_one_is_back(
    tmp_path: Path,
) -> None:
    await fill(tmp_path, 3)
    shutil.copy(tmp_path / CATALOG, tmp_path / "backup")
    await fill(tmp_path, 21, first=3)
    (tmp_path / CATALOG).rename(tmp_path / "newer")
    (tmp_path / "backup").rename(tmp_path / CATALOG)
    with pytest.raises(ConfigError, match=r"does not know 21 of 24 files.*filebot fsck"):
        async with open_data_folder(tmp_path):
            pass
    assert blobs(tmp_path) == expected(range(24))
    (tmp_path / "newer").replace(tmp_path / CATALOG)
    async with open_data_folder(tmp_path) as data:
        assert data.unreferenced == ()


async def test_attachments_that_a_kill_left_do_not_stop_the_start(tmp_path: Path) -> None:
    """Many files of a destroyed room go in one transaction, and the bytes of their thumbnails after it."""
    async with open_data_folder(tmp_path) as data:
        for number in range(30):
            ref = await store_blob(data.store, str(number).encode())
            entry = await data.catalog.add(replace(NEW, name=str(number)))
            attached = Attachment(entry.id, "thumbs", "small", ref, "image/png")
            await data.catalog.attachments.attach(attached)
            if number:
                await data.catalog.remove(entry.id)
    assert catalog_doubt(tmp_path) is None
    async with open_data_folder(tmp_path) as data:
        assert data.unreferenced == ()
        assert len(await data.store.aside()) == 29
        assert await data.catalog.attachments.freed(99) == []
    assert blobs(tmp_path) == expected(range(1))


async def test_an_index_that_lost_its_rows_stops_the_start(tmp_path: Path) -> None:
    await fill(tmp_path, 25)
    empty_index(tmp_path / CATALOG, "ix_entries_digest")
    with pytest.raises(ConfigError, match="25 of 25"):
        async with open_data_folder(tmp_path):
            pass
    assert blobs(tmp_path) == expected(range(25))


async def test_with_a_damaged_index_nobody_removes_the_bytes_of_others(tmp_path: Path) -> None:
    async with open_data_folder(tmp_path) as data:
        ref = await store_blob(data.store, b"of both")
        mine = await data.catalog.add(replace(NEW, blob=ref))
        theirs = await data.catalog.add(replace(NEW, blob=ref, owner="bob@example.org"))
    empty_index(tmp_path / CATALOG, "ix_entries_digest")
    async with open_data_folder(tmp_path) as data:
        # SQLite may notice the damage by itself; then nothing is removed at all.
        with suppress(CatalogUnavailable):
            await data.catalog.remove(mine.id)
        await UnusedBlobs(data.store, data.catalog, data.catalog).forget(ref.digest)
        assert await data.catalog.entry(theirs.id) == theirs
        await data.store.verify(ref.digest)


@pytest.mark.parametrize("place", ["blobs", "blobs/7f", "incoming"])
async def test_what_is_in_the_way_of_a_folder_is_a_mistake_with_a_remedy(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("in the way")
    with pytest.raises(ConfigError, match=f"{place}.*move away what is in the way"):
        await fill(tmp_path, 0)


async def test_files_that_are_missing_are_told_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(tmp_path, 3)
    assert "are missing" not in caplog.text
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    await fill(tmp_path, 0)
    assert (
        f"3 files of the catalog are missing in {tmp_path / 'blobs'}; is a disk not there?" in caplog.text
    )


@pytest.mark.parametrize("place", ["alembic_version", "ix_entries_digest"])
async def test_a_damaged_catalog_stops_each_start_with_the_remedy(tmp_path: Path, place: str) -> None:
    await fill(tmp_path, 3)
    with closing(sqlite3.connect(tmp_path / CATALOG)) as connection:
        found = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (place,))
        [(page,)] = found.fetchall()
    with (tmp_path / CATALOG).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    for _ in range(2):
        with pytest.raises(
            ConfigError, match=r"is damaged: .*; restore data_dir from a backup, or ask filebot fsck"
        ):
            await fill(tmp_path, 0)
    assert blobs(tmp_path) == expected(range(3))


async def test_damage_that_shows_later_ends_the_run_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{CATALOG} is damaged: page 7; restore data_dir"):
        async with open_data_folder(tmp_path):
            raise CatalogDamaged("page 7")


async def test_blobs_left_by_a_kill_are_known_at_the_next_start(tmp_path: Path) -> None:
    await fill(tmp_path, 2)
    async with open_data_folder(tmp_path) as data:
        ref = await store_blob(data.store, b"left by a kill")
    async with open_data_folder(tmp_path) as data:
        assert data.unreferenced == (ref.digest,)
        assert blobs(tmp_path) == expected(range(2)) | {ref.digest}


async def test_the_first_file_of_all_may_be_cut_off(tmp_path: Path) -> None:
    async with open_data_folder(tmp_path) as data:
        ref = await store_blob(data.store, b"left by a kill")
    async with open_data_folder(tmp_path) as data:
        assert data.unreferenced == (ref.digest,)


async def test_what_was_set_aside_comes_back_with_the_catalog_that_knows_it(tmp_path: Path) -> None:
    await fill(tmp_path, 3)
    shutil.copy(tmp_path / CATALOG, tmp_path / "backup")
    async with open_catalog(tmp_path / CATALOG) as catalog:
        for entry in range(1, 4):
            await catalog.remove(entry)
    async with open_data_folder(tmp_path) as data:
        for digest in data.unreferenced:
            await data.store.set_aside(digest)
    assert blobs(tmp_path) == set()
    (tmp_path / "backup").replace(tmp_path / CATALOG)
    async with open_data_folder(tmp_path) as data:
        assert data.unreferenced == ()
    assert blobs(tmp_path) == expected(range(3))
    assert [file.name for file in (tmp_path / "unreferenced").iterdir()] == ["last-look"]


async def test_a_folder_in_use_is_not_opened_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "LOCK_TIMEOUT_S", 0.1)
    async with open_data_folder(tmp_path):
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()} on .*, since "):
            async with open_data_folder(tmp_path):
                pass
    async with open_data_folder(tmp_path):
        pass


async def test_a_folder_on_another_machine_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_data_folder(tmp_path):
        assert caplog.text == ""
    monkeypatch.setattr(data_folder, "remote_file_system", lambda _: "nfs4")
    async with open_data_folder(tmp_path):
        assert f"data_dir: {tmp_path} is on a file system (nfs4) where locks may not hold" in caplog.text
