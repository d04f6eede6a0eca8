"""``filebot plugin purge``: all that is a plugin's goes, nothing else, and never by accident."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from filebot.catalog import open_catalog, plugin_purge
from filebot.cli import plugin_purge as tool
from filebot.config import load
from filebot.data_folder import open_data_folder
from filebot.errors import ConfigError
from filebot.plugin_loader import bundled, migrations_of
from filebot.storage.folder_lock import folder_lock
from tests.support.old_catalogs import all_rows
from tests.unit.catalog.test_database import NEW
from tests.unit.cli.conftest import GOOD, Call, Write

ROOMS: Final = ("team@conference.example.org", "other@conference.example.org")
SHARED, ALONE = "a" * 64, "b" * 64
MAKE: Final = """
import sqlalchemy as sa
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.create_table("tags_words", sa.Column("id", sa.Integer, primary_key=True), sa.Column("word", sa.Text))
    op.create_table("tags_uses", sa.Column("word", sa.Integer, sa.ForeignKey("tags_words.id")))
    op.execute("CREATE VIEW tags_seen AS SELECT word FROM tags_words")
    op.execute("INSERT INTO tags_words VALUES (1, 'red'), (2, 'blue')")
    op.execute("INSERT INTO tags_uses VALUES (1)")
"""
OUTBOX: Final[Any] = [["{}", "2026-01-01", None, None, [["tags", "a", None], ["claim", "b", None]]]]


async def fill(folder: Path, migrations: Path) -> None:
    """Make a data folder with rows of three plugins and of the core."""
    folder.mkdir(mode=0o700, exist_ok=True)
    async with open_data_folder(folder) as data:
        entry = await data.catalog.add(NEW)
        [archive] = [plugin for plugin in bundled() if plugin.name == "archive"]
        await data.catalog.plugin_tables.prepare("archive", migrations_of(archive))
        await data.catalog.plugin_tables.prepare("tags", migrations)
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        run = connection.execute
        run("PRAGMA foreign_keys = ON")
        run("CREATE VIRTUAL TABLE tags_index USING fts5(word)")
        run(
            "INSERT INTO plugin_tables SELECT name, 'tags' FROM sqlite_master"
            " WHERE type = 'table' AND name LIKE 'tags_index%'"
        )
        for plugin in ("tags", "archive", "claim"):
            for kind, owner, key, of in (
                ("entry", "1", "details", entry.id),
                ("person", "bob@example.org", "x", None),
                ("plugin", "", "y", None),
            ):
                run(
                    "INSERT INTO plugin_data VALUES (?, ?, ?, ?, ?, '{}', 66)",
                    (plugin, kind, owner, key, of),
                )
            run(
                "INSERT INTO jobs (plugin, name, state, run_at, tries, error, payload)"
                " VALUES (?, 'j', 'ready', '2026-01-01', 0, '', '{}')",
                (plugin,),
            )
        for room in ROOMS:
            run("INSERT INTO marks VALUES (?, 'id', '2026-01-01', '[]')", (room,))
            run("INSERT INTO tombstones VALUES (?, ?, '2026-01-01', 1)", (f"m-{room}", room))
            run("INSERT INTO room_settings VALUES (?, 'archive', 'archive', 'true', 1)", (room,))
            run("INSERT INTO room_settings VALUES (?, '', 'max-size', '5', 0)", (room,))
        run("INSERT INTO room_settings VALUES (?, 'other', 'listen', 'true', 1)", (ROOMS[1],))
        run("INSERT INTO opt_outs VALUES (?, 'bob@example.org')", (ROOMS[0],))
        run("INSERT INTO unwanted VALUES (?, 'd', 'bob@example.org')", (ROOMS[0],))
        run("INSERT INTO outbox (jobs) VALUES (?)", (json.dumps(OUTBOX),))
        run(
            "INSERT INTO outbox (jobs) VALUES (?)", (json.dumps([[*OUTBOX[0][:4], [["tags", "a", None]]]]),)
        )
        for plugin, digest in (
            ("tags", SHARED),
            ("claim", SHARED),
            ("tags", ALONE),
            ("tags", NEW.blob.digest),
        ):
            run(
                "INSERT INTO attachments VALUES (?, ?, ?, ?, 3, 'image/png')",
                (entry.id, plugin, digest[:4], digest),
            )
    for digest in (SHARED, ALONE, NEW.blob.digest):
        blob = folder / "blobs" / digest[:2] / digest
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(b"abc")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    migrations = folder / "tags_migrations"
    migrations.mkdir(mode=0o700)
    (migrations / "0001_first.py").write_text(MAKE)
    asyncio.run(fill(folder / "data", migrations))
    return folder / "data"


@pytest.fixture
def data(call: Call, config: Write, write: Write, tmp_path: Path, filled: Path) -> Path:
    """A data folder beside a config."""
    config('[plugins]\ndisabled = ["archive", "claim"]\n')
    write("tags_migrations/0001_first.py", MAKE)
    return shutil.copytree(filled, tmp_path / "data")


def rows(data: Path) -> dict[str, list[dict[str, Any]]]:
    return all_rows(data / "catalog.sqlite")


def of_plugin(found: dict[str, list[dict[str, Any]]], name: str) -> dict[str, int]:
    """Count the rows that name a plugin, by table."""
    counts = {table: sum(row.get("plugin") == name for row in each) for table, each in found.items()}
    return {table: count for table, count in counts.items() if count}


def blobs(data: Path) -> set[str]:
    return {path.name for path in (data / "blobs").rglob("*") if path.is_file()}


def test_it_is_only_shown_where_nobody_can_be_asked(call: Call, data: Path) -> None:
    before = rows(data)
    result = call("purge", "tags")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("tags: 3 values (")
    assert "1 of files" in lines[0]
    assert "1 of them details of files" in lines[0]
    assert "tags: 3 jobs" in lines
    assert "tags: 3 attachments of files, 9 Bytes" in lines
    assert "tags: table tags_words with 2 rows" in lines
    assert "tags: version 0001 of its migrations" in lines
    assert lines[-1] == "nothing was removed; --yes does it"
    assert rows(data) == before


def test_everything_of_a_plugin_goes_and_nothing_else(call: Call, data: Path) -> None:
    before = rows(data)
    assert of_plugin(before, "tags").keys() == {
        *("plugin_data", "jobs", "job_sums", "attachments", "plugin_tables"),
    }
    result = call("purge", "tags", "--yes")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == "removed"
    after = rows(data)
    assert of_plugin(after, "tags") == {}
    assert not any(table.startswith(("tags_", "alembic_version_tags")) for table in after)
    for name in ("claim", "archive", "other", ""):
        assert of_plugin(after, name) == of_plugin(before, name)
    for table in ("entries_fts", "marks", "tombstones", "opt_outs", "unwanted", "room_settings"):
        assert after.get(table) == before.get(table)
    assert [json.loads(row["jobs"]) for row in after["outbox"]] == [
        [[*OUTBOX[0][:4], [["claim", "b", None]]]]
    ]
    [entry] = after["entries"]
    assert entry["attached_bytes"] == 3
    assert after["freed_blobs"] == []
    with closing(sqlite3.connect(data / "catalog.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_bytes_go_that_nothing_else_refers_to(call: Call, data: Path) -> None:
    assert blobs(data) == {SHARED, ALONE, NEW.blob.digest}
    assert call("purge", "tags", "--yes").exit_code == 0
    assert blobs(data) == {SHARED, NEW.blob.digest}
    assert call("purge", "claim", "--yes").exit_code == 0
    assert blobs(data) == {NEW.blob.digest}


def test_bytes_stay_if_the_transaction_fails(
    call: Call, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(data)

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(plugin_purge, "_drop", fail)
    result = call("purge", "tags", "--yes")
    assert result.exit_code == 1
    assert "disk I/O error" in result.output
    assert rows(data) == before
    assert blobs(data) == {SHARED, ALONE, NEW.blob.digest}


def test_opt_outs_outlive_the_archive(call: Call, data: Path) -> None:
    before = rows(data)
    result = call("purge", "archive", "--yes")
    assert result.exit_code == 0
    assert "archive: table opt_outs with 1 rows, which stay" in result.output
    after = rows(data)
    for table in ("opt_outs", "unwanted", "alembic_version_archive", "fillings"):
        assert after[table] == before[table]
    assert of_plugin(after, "archive") == {"plugin_tables": 4}
    again = call("purge", "archive", "--yes")
    assert again.exit_code == 0
    assert "holds nothing of a plugin archive" in again.output
    assert "archive: table opt_outs with 1 rows, which stay" in again.output


def test_what_is_known_of_a_rooms_history_ends_with_the_consent(call: Call, data: Path) -> None:
    assert call("purge", "archive", "--yes").exit_code == 0
    after = rows(data)
    # The other room lets another plugin know what is posted there.
    assert [row["archive"] for row in after["marks"]] == [ROOMS[1]]
    assert [row["archive"] for row in after["tombstones"]] == [ROOMS[1]]


async def test_the_catalog_can_be_used_afterwards(data: Path, tmp_path: Path) -> None:
    plugin_purge.purge(data / "catalog.sqlite", "archive")
    plugin_purge.purge(data / "catalog.sqlite", "tags")
    [archive] = [plugin for plugin in bundled() if plugin.name == "archive"]
    async with open_catalog(data / "catalog.sqlite") as catalog:
        await catalog.plugin_tables.prepare("archive", migrations_of(archive))
        await catalog.plugin_tables.prepare("tags", tmp_path / "tags_migrations")
        await catalog.clear_room(ROOMS[0])
    assert len(rows(data)["tags_words"]) == 2


def test_a_plugin_that_is_enabled_is_not_purged(
    call: Call, config: Write, write: Write, data: Path
) -> None:
    before = rows(data)
    config('[plugins]\npaths = ["mine"]\n')
    write("mine/anything.py", GOOD.replace("greeting", "tags"))
    for name in ("tags", "archive"):
        result = call("purge", name, "--yes")
        assert result.exit_code == 2
        assert f'the plugin {name} is enabled; write [plugins] disabled = ["{name}"]' in result.output
    write("mine/anything.py", "1 / 0").chmod(0o666)
    result = call("purge", "tags", "--yes")
    assert result.exit_code == 2
    assert "plugins.paths" in result.output
    assert rows(data) == before


def test_while_a_bot_runs_nothing_is_purged(call: Call, data: Path) -> None:
    before = rows(data)
    with folder_lock(data):
        result = call("purge", "tags", "--yes")
        assert result.exit_code == 2
        assert "is in use by process " in result.output
        assert "stop it first" in result.output
        shown = call("purge", "tags")
        assert shown.exit_code == 0
        assert "tags: 3 jobs" in shown.output
    assert rows(data) == before


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_a_person_is_asked(
    call: Call, data: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("filebot.cli.plugin.is_terminal", lambda: True)
    before = rows(data)
    result = call("purge", "tags", answers=answer)
    assert result.exit_code == code
    assert "Remove it? This cannot be undone [y/N]" in result.output
    assert (rows(data) == before) is (code == 1)


def test_what_changed_while_somebody_was_asked_is_shown_again(call: Call, data: Path) -> None:
    def agrees() -> bool:
        with closing(sqlite3.connect(data / "catalog.sqlite")) as connection, connection:
            connection.execute("DELETE FROM jobs WHERE plugin = 'tags'")
        return True

    with pytest.raises(ConfigError, match="has changed meanwhile"):
        tool.purge_plugin(load(Path("config.toml"), {}), "tags", agrees)
    assert len(rows(data)["tags_words"]) == 2


@pytest.mark.parametrize(
    ("name", "says"), [("tgs", 'did you mean "tags"?'), ("zzz", "holds something of: ")]
)
def test_a_plugin_without_data_is_told(call: Call, data: Path, name: str, says: str) -> None:
    result = call("purge", name, "--yes")
    assert result.exit_code == 0
    assert f"the catalog holds nothing of a plugin {name}" in result.output
    assert says in result.output


@pytest.mark.parametrize("name", ["", "../x", "a b"])
def test_a_name_of_no_plugin_is_refused(call: Call, data: Path, name: str) -> None:
    before = rows(data)
    assert call("purge", "--yes", "--", name).exit_code == 2
    assert rows(data) == before


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (None, 0, "there is no catalog yet"),
        (b"", 0, "there is no catalog yet"),
        (b"nonsense" * 100, 2, "is no database"),
        ("newer", 2, "is of a newer filebot"),
        ("older", 2, "is of an older filebot; start the bot once"),
        ("cut", 2, "is cut off"),
        ("damaged", 1, "malformed"),
    ],
)
def test_a_catalog_that_cannot_be_used_is_told_and_left_alone(
    call: Call, data: Path, content: bytes | str | None, code: int, says: str
) -> None:
    path = data / "catalog.sqlite"
    if isinstance(content, str):
        spoil(path, content)
    else:
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    before = path.read_bytes() if path.exists() else None
    for words in ((), ("--yes",)):
        result = call("purge", "tags", *words)
        assert result.exit_code == code, result.output
        assert says in result.output
    assert (path.read_bytes() if path.exists() else None) == before


def spoil(path: Path, how: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        if how in {"newer", "older"}:
            version = "9999" if how == "newer" else "0015"
            connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'attachments'")
        [(size,)] = connection.execute("PRAGMA page_size")
    if how == "cut":
        path.write_bytes(path.read_bytes()[: 3 * size])
    elif how == "damaged":
        whole = bytearray(path.read_bytes())
        whole[(page - 1) * size : page * size] = b"\xff" * size
        path.write_bytes(whole)


def test_a_table_that_another_plugin_refers_to_stays(data: Path, write: Write) -> None:
    make = (
        'import sqlalchemy as sa\nfrom alembic import op\nrevision = "1"\ndown_revision = None\n'
        'def upgrade():\n    op.create_table("more_words", sa.Column("word", sa.Integer,'
        ' sa.ForeignKey("tags_words.id", ondelete="CASCADE")))\n'
    )
    folder = write("more_migrations/1_first.py", make).parent

    async def add() -> None:
        async with open_catalog(data / "catalog.sqlite") as catalog:
            await catalog.plugin_tables.prepare("more", folder)

    asyncio.run(add())
    with pytest.raises(
        Exception, match="more_words of the plugin more refers to tags_words; purge more first"
    ):
        plugin_purge.purge(data / "catalog.sqlite", "tags")
    assert len(rows(data)["tags_words"]) == 2
    plugin_purge.purge(data / "catalog.sqlite", "more")
    plugin_purge.purge(data / "catalog.sqlite", "tags")
    assert plugin_purge.plugins_in(data / "catalog.sqlite") == ["archive", "claim", "other"]
