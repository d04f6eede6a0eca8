"""Each fault that fsck knows is found, mended if it can be, and never by a deletion."""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.data_folder import CATALOG, open_data_folder
from filebot.errors import ConfigError
from filebot.files.quota import StorageLimits
from filebot.fsck import blob_checks
from filebot.fsck.catalog_doubt import catalog_doubt
from filebot.fsck.command import Wishes, fsck
from filebot.fsck.position import FILE, Position
from filebot.model import Attachment, BlobRef, Digest, NewEntry, Scope
from filebot.storage import folder_lock, inspection
from filebot.storage.file_system import QUARANTINE
from tests.support.old_catalogs import make_catalog
from tests.unit.catalog.sqlite.test_integrity import empty_index
from tests.unit.catalog.test_sums import added_up, kept

NOW = datetime(2026, 2, 3, tzinfo=UTC)
NEW = NewEntry("a", "anna@example.org", None, "", BlobRef("0" * 64, 1), "text/plain", NOW)
LIMITS = StorageLimits(10**9, 10**9, 10**9, 10**9)
LOOK = Wishes()
REPAIR = Wishes(repair=True)

Say = Callable[[], str]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "LOCK_TIMEOUT_S", 0.1)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    return lambda: capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path, filled: Path) -> Path:
    """With thirty files of two people, some in a room."""
    return shutil.copytree(filled, tmp_path / "data")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "data"
    folder.mkdir()
    asyncio.run(fill(folder))
    return folder


async def fill(folder: Path) -> None:
    async with open_data_folder(folder) as data:
        for number in range(30):
            async with data.store.create() as writer:
                await writer.write(content(number))
                await writer.seal()
                ref = await writer.commit()
            room = "den@muc.example.org" if number % 3 else None
            owner = f"person{number % 2}@example.org"
            await data.catalog.add(replace(NEW, name=f"plan {number}", owner=owner, room=room, blob=ref))


def content(number: int) -> bytes:
    return f"content {number}".encode()


def digest(number: int) -> Digest:
    return hashlib.sha256(content(number)).hexdigest()


def blob(folder: Path, number: int) -> Path:
    return folder / "blobs" / digest(number)[:2] / digest(number)


def bytes_in(folder: Path) -> set[bytes]:
    """All bytes that are anywhere."""
    return {file.read_bytes() for file in folder.rglob("*") if file.is_file() and len(file.name) >= 64}


def check(folder: Path, wishes: Wishes = LOOK) -> int:
    return fsck(folder, LIMITS, 7, wishes)


def execute(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / CATALOG, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    file.write_bytes(data)


def test_a_healthy_folder_has_no_faults_and_is_left_unchanged(folder: Path, said: Say) -> None:
    def all_files() -> dict[str, bytes]:
        files = {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        return {name: data for name, data in files.items() if not name.endswith(("-wal", "-shm"))}

    before = all_files()
    for wishes in (LOOK, Wishes(quick=True)):
        assert check(folder, wishes) == 0
        unread = ", but the bytes were not read" if wishes.quick else ""
        assert said() == f"all is well{unread}\n"
        assert all_files() == before
    assert check(folder, REPAIR) == 0
    assert said() == "all is well\n"
    assert all_files().keys() == before.keys()
    assert bytes_in(folder) == {content(number) for number in range(30)}


def test_an_empty_folder_has_no_faults_and_stays_empty(tmp_path: Path, said: Say) -> None:
    assert check(tmp_path) == 0
    assert said() == "all is well\n"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_wrong_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        check(tmp_path / "nowhere")


# --- files and entries ----------------------------------------------------------------------------


async def test_without_a_catalog_the_choices_are_told_and_repair_lets_the_bot_start(
    folder: Path, said: Say
) -> None:
    shutil.move(folder / CATALOG, folder.parent / "backup")
    assert check(folder) == 1
    words = said()
    assert "30 of 30 files are in no entry" in words
    assert "put it in its place" in words
    assert "filebot fsck --repair" in words
    assert words.startswith("catalog.sqlite, which says whose the files are, is missing or empty")
    assert not (folder / CATALOG).exists()
    assert check(folder, REPAIR) == 0
    assert "moved to unreferenced/" in said()
    assert len([file for file in (folder / "unreferenced").iterdir() if len(file.name) == 64]) == 30
    async with open_data_folder(folder) as data:
        assert await data.catalog.used_in_all() == (0, 0)
    for file in folder.glob(f"{CATALOG}*"):
        file.unlink()
    shutil.move(folder.parent / "backup", folder / CATALOG)
    async with open_data_folder(folder):
        pass
    assert check(folder) == 0


async def test_a_catalog_that_knows_too_few_files_is_explained_and_accepted_by_repair(
    folder: Path, said: Say
) -> None:
    execute(folder, "DELETE FROM entries WHERE id > 5")
    with pytest.raises(ConfigError, match="filebot fsck"):
        async with open_data_folder(folder):
            pass
    assert check(folder) == 1
    assert "The bot does not start like this" in said()
    assert check(folder, REPAIR) == 0
    async with open_data_folder(folder) as data:
        assert data.unreferenced == ()
        assert await data.catalog.used_in_all() == (5, sum(len(content(number)) for number in range(5)))
    assert bytes_in(folder) == {content(number) for number in range(30)}


def test_a_few_files_without_an_entry_are_left_to_the_bot_or_moved(folder: Path, said: Say) -> None:
    execute(folder, "DELETE FROM entries WHERE id = 5")
    assert check(folder) == 1
    assert "when it starts" in said()
    assert check(folder, REPAIR) == 0
    assert (folder / "unreferenced" / digest(4)).read_bytes() == content(4)
    assert check(folder) == 0


def test_missing_bytes_are_named_with_their_file_and_a_remedy(folder: Path, said: Say) -> None:
    blob(folder, 4).unlink()
    for wishes in (LOOK, Wishes(quick=True), REPAIR):
        assert check(folder, wishes) == 1
        words = said()
        assert "plan 4 of person0@example.org in den@muc.example.org: its bytes are missing" in words
        assert "its owner can send the same file again" in words
        assert words.endswith("1 fault left\n"), "a repair would be in vain"


@pytest.mark.parametrize("where", ["unreferenced", "quarantine"])
def test_missing_bytes_are_brought_back_from_where_they_are(folder: Path, said: Say, where: str) -> None:
    (folder / where).mkdir()
    blob(folder, 4).rename(folder / where / digest(4))
    assert check(folder) == 1
    assert f"are in {where}/" in said()
    assert check(folder, REPAIR) == 0
    assert blob(folder, 4).read_bytes() == content(4)
    assert check(folder) == 0


def test_wrong_bytes_are_not_brought_back(folder: Path) -> None:
    (folder / "unreferenced").mkdir()
    flip(blob(folder, 4))
    blob(folder, 4).rename(folder / "unreferenced" / digest(4))
    assert check(folder, REPAIR) == 1
    assert not blob(folder, 4).exists()


@pytest.mark.parametrize("how", ["flip", "cut", "grow", "empty"])
def test_damaged_bytes_are_quarantined_and_their_entry_stays(folder: Path, said: Say, how: str) -> None:
    file = blob(folder, 4)
    if how == "flip":
        flip(file)
    else:
        file.write_bytes({"cut": content(4)[:-1], "grow": content(4) + b"x", "empty": b""}[how])
    damaged = file.read_bytes()
    assert check(folder) == 1
    assert "plan 4 of person0@example.org in den@muc.example.org: its bytes are damaged" in said()
    assert file.read_bytes() == damaged
    assert check(folder, Wishes(quick=True)) == (0 if how == "flip" else 1)
    assert check(folder, REPAIR) == 1
    assert "moved to quarantine/" in said()
    assert (folder / "quarantine" / digest(4)).read_bytes() == damaged
    assert check(folder) == 1
    with closing(sqlite3.connect(folder / CATALOG)) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (30,)


def test_damaged_bytes_are_replaced_by_a_good_copy(folder: Path) -> None:
    (folder / "unreferenced").mkdir()
    shutil.copy(blob(folder, 4), folder / "unreferenced" / digest(4))
    flip(blob(folder, 4))
    assert check(folder, REPAIR) == 0
    assert blob(folder, 4).read_bytes() == content(4)
    assert (folder / "quarantine" / digest(4)).exists()


def test_damaged_bytes_of_no_entry_are_quarantined(folder: Path) -> None:
    execute(folder, "DELETE FROM entries WHERE id = 5")
    flip(blob(folder, 4))
    assert check(folder, REPAIR) == 0
    assert (folder / "quarantine" / digest(4)).exists()
    assert check(folder) == 0


def test_two_damaged_copies_have_room_in_quarantine(folder: Path) -> None:
    for _ in range(2):
        blob(folder, 4).write_bytes(os.urandom(9))
        assert check(folder, REPAIR) == 1
    assert len(list((folder / "quarantine").iterdir())) == 2


def test_a_file_that_cannot_be_read_is_left_in_its_place(
    folder: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = inspection.digest_of

    def failing(file: Path, pace: inspection.ReadThrottle) -> tuple[str, int]:
        if file == blob(folder, 4):
            raise OSError(5, "Input/output error")
        return read(file, pace)

    monkeypatch.setattr(blob_checks, "digest_of", failing)
    assert check(folder, REPAIR) == 1
    assert "unreadable (Input/output error)" in said()
    assert blob(folder, 4).exists()


def test_strange_files_are_quarantined(folder: Path, said: Say) -> None:
    (folder / "blobs" / "00" / "notes.txt").write_text("mine")
    (folder / "blobs" / "00" / ("f" * 64)).write_text("in the wrong folder")
    (folder / "blobs" / "stray").write_text("also mine")
    (folder / "blobs" / "lost+found").mkdir()
    assert check(folder) == 1
    assert "3 faults left" in said()
    assert check(folder, REPAIR) == 0
    assert (folder / "quarantine" / "notes.txt").read_text() == "mine"
    assert check(folder) == 0


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_file_is_no_blob_whatever_its_name(folder: Path, said: Say, kind: str) -> None:
    place = blob(folder, 4)
    place.rename(folder / "moved")
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to(folder / "moved")
    else:
        place.mkdir()
    assert check(folder) == 1
    assert f"blobs/{digest(4)[:2]}/{digest(4)} is no file of the bot" in said()
    assert check(folder, REPAIR) == 1
    assert "its bytes are missing; its owner can send the same file again" in said()
    assert not os.path.lexists(place)
    assert (folder / "moved").read_bytes() == content(4)


def test_a_copy_that_cannot_be_read_stops_nothing(
    folder: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "quarantine").mkdir()
    blob(folder, 4).rename(folder / "quarantine" / digest(4))
    read = inspection.digest_of

    def failing(file: Path, pace: inspection.ReadThrottle) -> tuple[str, int]:
        if file.parent.name == "quarantine":
            raise PermissionError(13, "Permission denied")
        return read(file, pace)

    monkeypatch.setattr(blob_checks, "digest_of", failing)
    assert check(folder, REPAIR) == 1
    assert "its bytes are missing" in said()
    assert (folder / "quarantine" / digest(4)).exists()


@pytest.mark.parametrize("quick", [False, True])
def test_a_wrong_size_in_the_catalog_is_set_right(folder: Path, quick: bool) -> None:
    execute(folder, "UPDATE entries SET size = 7 WHERE id = 5")
    assert check(folder, Wishes(quick=quick)) == 1
    assert check(folder, Wishes(repair=True, quick=quick)) == 0
    assert kept(folder / CATALOG) == added_up(folder / CATALOG)
    assert check(folder) == 0


def test_control_characters_in_a_name_are_not_printed(folder: Path, said: Say) -> None:
    execute(
        folder, "UPDATE entries SET name = 'a' || char(27) || '[2J', name_key = 'a' || char(27) || '[2j'"
    )
    blob(folder, 4).unlink()
    assert check(folder) == 1
    assert "\x1b" not in said()


# --- the catalog itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("index", ["ix_entries_digest", "ix_entries_scope_id", "ix_entries_owner"])
def test_a_damaged_index_is_made_anew_and_moves_nothing(folder: Path, said: Say, index: str) -> None:
    empty_index(folder / CATALOG, index)
    assert check(folder) == 1
    words = said()
    assert f"missing from index {index}" in words
    assert "in no entry" not in words
    assert check(folder, REPAIR) == 0
    assert not (folder / "unreferenced").exists()
    assert check(folder) == 0


def test_a_damaged_table_is_left_and_moves_nothing(folder: Path, said: Say) -> None:
    execute(folder, "PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(folder / CATALOG)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entries'")
    with (folder / CATALOG).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    for wishes in (LOOK, REPAIR):
        assert check(folder, wishes) == 1
        assert "put a backup of catalog.sqlite in its place" in said().lower() or wishes != REPAIR
    assert not (folder / "unreferenced").exists()
    assert len(bytes_in(folder)) == 30


@pytest.mark.parametrize("noise", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_catalog_is_left_and_moves_nothing(folder: Path, said: Say, noise: bytes) -> None:
    for file in folder.glob(f"{CATALOG}-*"):
        file.unlink()
    (folder / CATALOG).write_bytes(noise)
    for wishes in (LOOK, REPAIR):
        assert check(folder, wishes) == 1
        assert "Put a backup" in said()
    assert (folder / CATALOG).read_bytes() == noise
    assert len(bytes_in(folder)) == 30


def test_sums_are_counted_anew(folder: Path, said: Say) -> None:
    execute(
        folder,
        "UPDATE sums SET used_bytes = used_bytes + 1 WHERE kind = 'all'",
        "DELETE FROM sums WHERE key = 'person1@example.org'",
        "INSERT INTO sums VALUES ('owner', 'nobody@example.org', 3, 99)",
    )
    assert check(folder) == 1
    assert "3 sums" in said()
    assert check(folder, REPAIR) == 0
    assert kept(folder / CATALOG) == added_up(folder / CATALOG)


@pytest.fixture
async def attached(folder: Path) -> Path:
    """A file that is attached to plan 4."""
    async with open_data_folder(folder) as data:
        async with data.store.create() as writer:
            await writer.write(b"a thumbnail")
            await writer.seal()
            ref = await writer.commit()
        await data.catalog.attachments.attach(Attachment(5, "thumbs", "thumbnail", ref, "image/png"))
    return folder / "blobs" / ref.digest[:2] / ref.digest


@pytest.mark.parametrize("wishes", [LOOK, REPAIR, Wishes(repair=True, quick=True)])
def test_bytes_of_attachments_belong_to_the_folder(
    folder: Path, attached: Path, said: Say, wishes: Wishes
) -> None:
    assert check(folder, wishes) == 0
    assert said().startswith("all is well")
    assert attached.read_bytes() == b"a thumbnail"
    assert catalog_doubt(folder) is None


def test_a_lost_attachment_is_told_by_its_name_and_file(folder: Path, attached: Path, said: Say) -> None:
    attached.unlink()
    assert check(folder) == 1
    assert "thumbnail of plan 4 of person0@example.org" in said()


def test_a_damaged_attachment_is_moved_and_never_deleted(folder: Path, attached: Path) -> None:
    flip(attached)
    check(folder, REPAIR)
    assert not attached.exists()
    assert list((folder / QUARANTINE).glob(f"{attached.name}*"))


def test_bytes_of_attachments_are_added_up_anew(folder: Path, attached: Path, said: Say) -> None:
    execute(
        folder,
        "UPDATE entries SET attached_bytes = 5 WHERE id = 7",
        "UPDATE attachments SET size = 12",
        "UPDATE sums SET used_bytes = 99 WHERE kind = 'all'",
    )
    assert check(folder) == 1
    assert "an entry counts other bytes than its attachments have" in said()
    assert check(folder, REPAIR) == 0
    assert attached.exists()
    assert kept(folder / CATALOG) == added_up(folder / CATALOG)
    assert check(folder) == 0


def test_one_wrong_sum_is_told_in_the_singular(folder: Path, said: Say) -> None:
    execute(folder, "UPDATE sums SET used_bytes = used_bytes + 1 WHERE kind = 'all'")
    assert check(folder) == 1
    assert said().startswith("✗ a sum of what people and rooms have stored is wrong\n")


async def test_the_search_index_is_made_anew(folder: Path, said: Say) -> None:
    execute(folder, "DELETE FROM entries_fts_docsize WHERE id < 4")
    assert check(folder) == 1
    assert "3 entries differ from the search index" in said()
    assert check(folder, REPAIR) == 0
    async with open_catalog(folder / CATALOG) as catalog:
        found = await catalog.search(Scope(room="den@muc.example.org"), ["plan"], limit=50)
        assert len(found) == 20
    assert check(folder) == 0


def test_words_that_are_missing_in_the_search_index_are_found_by_repair(folder: Path, said: Say) -> None:
    execute(folder, "DELETE FROM entries_fts_data WHERE id > 10")
    assert check(folder, REPAIR) == 0
    assert "made anew" in said()
    assert check(folder, REPAIR) == 0
    assert said() == "all is well\n"


async def test_entries_in_the_wrong_place_are_put_right(folder: Path) -> None:
    execute(
        folder,
        "UPDATE entries SET scope = 'owner:x' WHERE id = 1",
        "UPDATE entries SET name_key = 'other' WHERE id = 2",
        "UPDATE entries SET mark = 'abc' WHERE id = 3",
    )
    assert check(folder) == 1
    assert check(folder, REPAIR) == 0
    async with open_catalog(folder / CATALOG) as catalog:
        for entry in range(1, 4):
            room = "den@muc.example.org" if (entry - 1) % 3 else None
            scope = Scope(room=room) if room else Scope(owner="person0@example.org")
            found = await catalog.search(scope, [f"plan {entry - 1}"], limit=50)
            assert f"plan {entry - 1}" in [each.name for each in found]
    assert kept(folder / CATALOG) == added_up(folder / CATALOG)
    assert check(folder) == 0


def test_deliveries_without_an_entry_are_removed(folder: Path) -> None:
    execute(
        folder,
        "PRAGMA foreign_keys = OFF",
        "INSERT INTO parcels VALUES (1, 999, 'a@b.c', 'a@b.c', NULL, NULL, '2026-01-01', 0)",
    )
    assert check(folder) == 1
    assert check(folder, REPAIR) == 0
    assert check(folder) == 0


def test_quotas_that_are_exceeded_are_no_fault(folder: Path, said: Say) -> None:
    limits = StorageLimits(10**9, 50_000, 10**9, 1000)
    assert fsck(folder, limits, 7, LOOK) == 0
    words = said()
    assert words.count("over the quota") == 3
    assert "den@muc.example.org has 82.1 kB of 1.0 kB" in words


def test_a_catalog_of_an_older_filebot_is_brought_up_to_date_by_repair(tmp_path: Path, said: Say) -> None:
    path = tmp_path / CATALOG
    make_catalog(path, "0005")
    with pytest.raises(ConfigError, match="older filebot"):
        check(tmp_path)
    assert check(tmp_path, REPAIR) == 0
    assert check(tmp_path) == 0


@pytest.mark.parametrize("how", ["DELETE FROM alembic_version", "DROP TABLE alembic_version"])
def test_the_database_of_another_program_is_left_alone(folder: Path, how: str) -> None:
    execute(folder, how)
    for wishes in (LOOK, REPAIR):
        with pytest.raises(ConfigError, match="another program"):
            check(folder, wishes)


def test_a_catalog_of_a_newer_filebot_is_left_alone(folder: Path) -> None:
    execute(folder, "UPDATE alembic_version SET version_num = '9999'")
    for wishes in (LOOK, REPAIR):
        with pytest.raises(ConfigError, match="newer filebot"):
            check(folder, wishes)


# --- beside a running bot -------------------------------------------------------------------------


async def test_repair_needs_the_folder_for_itself_and_looking_does_not(folder: Path) -> None:
    async with open_data_folder(folder):
        assert check(folder) == 0
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()} .*stop it to repair"):
            check(folder, REPAIR)


async def test_files_in_flight_are_no_faults(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_data_folder(folder) as data:
        async with data.store.create() as writer:
            await writer.write(b"its row is not there yet")
            await writer.seal()
            await writer.commit()
        assert check(folder) == 0
        monkeypatch.setattr(blob_checks, "IN_FLIGHT_S", -1.0)
        assert check(folder) == 1
    monkeypatch.setattr(blob_checks, "IN_FLIGHT_S", 600.0)
    assert check(folder) == 1  # nothing is in flight any more


async def test_what_is_removed_meanwhile_is_no_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = inspection.list_shard

    def removing(root: Path, shard: str) -> inspection.Listed:
        found = listed(root, shard)
        if shard == "00":
            for number in (4, 5):
                execute(folder, f"DELETE FROM entries WHERE id = {number + 1}")
                blob(folder, number).unlink()
        return found

    monkeypatch.setattr(blob_checks, "list_shard", removing)
    async with open_data_folder(folder):
        assert check(folder) == 0


async def test_what_is_dropped_again_meanwhile_is_no_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip(blob(folder, 4))
    read = inspection.digest_of

    def healing(file: Path, pace: inspection.ReadThrottle) -> tuple[str, int]:
        found = read(file, pace)
        if found[0] != digest(4) and file == blob(folder, 4):
            (folder / "new").write_bytes(content(4))
            (folder / "new").rename(file)
        return found

    monkeypatch.setattr(blob_checks, "digest_of", healing)
    assert check(folder) == 0


def test_repair_by_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="run this as the user "):
        check(folder, REPAIR)


# --- interruptions and pace -----------------------------------------------------------------------


def test_fsck_resumes_and_keeps_the_damage_found_before(
    folder: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = sorted(digest(number) for number in range(30))
    number = next(number for number in range(30) if digest(number) == order[3])
    flip(blob(folder, number))
    read, files = inspection.digest_of, list[str]()

    def interrupted(file: Path, pace: inspection.ReadThrottle) -> tuple[str, int]:
        if file.name == order[20]:
            raise KeyboardInterrupt
        return read(file, pace)

    def noting(file: Path, pace: inspection.ReadThrottle) -> tuple[str, int]:
        files.append(file.name)
        return read(file, pace)

    monkeypatch.setattr(blob_checks, "digest_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check(folder)
    assert "the next fsck goes on there" in said()
    monkeypatch.setattr(blob_checks, "digest_of", noting)
    assert check(folder) == 1
    assert files == [order[3], *order[20:]]
    assert "1 fault left" in said()
    assert not (folder / FILE).exists()
    files.clear()
    assert check(folder) == 1
    assert files == order


def test_an_interrupted_fsck_forgets_nothing_that_it_could_not_read(
    folder: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = sorted(digest(number) for number in range(30))
    read, stop = inspection.digest_of, {order[20]}

    def failing(file: Path, pace: inspection.ReadThrottle) -> tuple[str, int]:
        if file.name in stop:
            raise KeyboardInterrupt
        if file.name == order[3]:
            raise OSError(5, "Input/output error")
        return read(file, pace)

    monkeypatch.setattr(blob_checks, "digest_of", failing)
    with pytest.raises(KeyboardInterrupt):
        check(folder)
    said()
    stop.clear()
    assert check(folder) == 1
    assert "unreadable (Input/output error)" in said()


def test_check_anew_starts_at_the_first_blob(folder: Path) -> None:
    for number in range(30):
        flip(blob(folder, number))
    position = Position(folder, "f" * 64)
    position.save()
    assert check(folder) == 0
    position.save()
    assert check(folder, Wishes(anew=True)) == 1


@pytest.mark.parametrize("text", ["", "{}", '{"after": 7, "damaged": []}', '{"after": "x", "damaged": []}'])
def test_an_invalid_position_is_the_beginning(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert Position.load(tmp_path).after == ""


def test_an_old_position_is_the_beginning(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"after": "a" * 64, "damaged": []}))
    assert Position.load(tmp_path).share == pytest.approx(0.667, abs=0.001)
    os.utime(tmp_path / FILE, (0, 0))
    assert Position.load(tmp_path).after == ""


def test_reading_keeps_to_the_rate(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(3_000_000))
    began = time.monotonic()
    moved = list[int]()
    inspection.digest_of(tmp_path / "file", inspection.ReadThrottle(10_000_000, moved.append))
    assert 0.25 < time.monotonic() - began < 2
    assert sum(moved) == 3_000_000
