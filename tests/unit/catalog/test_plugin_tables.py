"""Tables of plugins: their migrations, and what these must not do."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from filebot.catalog import open_catalog, plugin_transaction
from filebot.catalog.sqlite.inspection import inspected
from filebot.catalog.sqlite.memory_tables import MemoryPluginTables
from filebot.catalog.sqlite.plugin_migrations import migrate_plugin
from filebot.errors import PluginError
from filebot.model import BlobRef, NewEntry
from tests.support.old_catalogs import all_rows, image_of, put
from tests.unit.catalog.test_database import NEW

WORDS = sa.table("tags_words", sa.column("entry_id", sa.Integer), sa.column("word", sa.Text))

MAKE = """
op.create_table(
    "tags_words",
    sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id", ondelete="CASCADE")),
    sa.Column("word", sa.Text, nullable=False, unique=True),
)
op.create_index("tags_by_entry", "tags_words", ["entry_id"])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalog with one entry."""
    path = tmp_path / "catalog.sqlite"
    put(path, with_an_entry())
    return path


@cache
def with_an_entry() -> bytes:
    async def make(path: Path) -> None:
        async with open_catalog(path) as catalog:
            await catalog.add(NEW)

    return image_of(lambda path: asyncio.run(make(path)))


def migrations(path: Path, *bodies: str, folder: str = "tags_migrations") -> Path:
    """Write a migration for each body; return their folder."""
    place = path.with_name(folder)
    place.mkdir(exist_ok=True)
    for number, body in enumerate(bodies, 1):
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        (place / f"{number:04}_step.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            f"revision = '{number:04}'\n"
            f"down_revision = {f'{number - 1:04}' if number > 1 else None!r}\n"
            f"def upgrade():\n{lines}\n"
        )
    return place


def schema(path: Path) -> set[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_migrations_make_the_tables_and_later_ones_keep_their_rows(path: Path) -> None:
    migrate_plugin(path, "tags", migrations(path, MAKE))
    run(path, "INSERT INTO tags_words VALUES (1, 'invoice')")
    two = migrations(path, MAKE, 'op.add_column("tags_words", sa.Column("by", sa.Text))')
    for _ in range(2):
        migrate_plugin(path, "tags", two)
    rows = all_rows(path)
    assert rows["tags_words"] == [{"entry_id": 1, "word": "invoice", "by": None}]
    assert rows["alembic_version_tags"] == [{"version_num": "0002"}]
    assert [row["name"] for row in rows["plugin_tables"]] == ["alembic_version_tags", "tags_words"]
    assert {row["plugin"] for row in rows["plugin_tables"]} == {"tags"}


FOREIGN = "not its own; its tables begin with tags_"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("op.get_bind().commit()", "end the transaction in which they run"),
        ("op.get_bind().rollback()", "end the transaction in which they run"),
        ("op.execute('commit')", "end the transaction in which they run"),
        ("op.execute(' ROLLBACK')", "end the transaction in which they run"),
        ("with op.get_context().autocommit_block(): pass", "AssertionError"),
        ("raise SystemExit('out')", "SystemExit: out"),
        ('op.create_table("words", sa.Column("a", sa.Text))', FOREIGN),
        ('op.create_table("entries", sa.Column("a", sa.Text))', "table entries already exists"),
        ('op.create_table("tagsy", sa.Column("a", sa.Text))', FOREIGN),
        ('op.add_column("entries", sa.Column("tag", sa.Text))', FOREIGN),
        ('op.create_index("tags_index", "entries", ["owner"])', FOREIGN),
        ('op.drop_table("people")', FOREIGN),
        ('op.drop_table("opt_outs")', FOREIGN),
        ('op.rename_table("people", "tags_people")', FOREIGN),
        ('op.execute("CREATE TRIGGER tags_t AFTER INSERT ON entries BEGIN SELECT 1; END")', FOREIGN),
        ('op.drop_table("notes_pages")', FOREIGN),
        ('op.create_table("notes_pages", sa.Column("a", sa.Text))', "table notes_pages already exists"),
        ("op.drop_table('alembic_version_notes')", FOREIGN),
        ("op.drop_table('plugin_tables')", ""),
        ('op.execute("DELETE FROM entries")', FOREIGN),
        ('op.execute("DELETE FROM tags_more_pages")', FOREIGN),
        ("op.execute(\"INSERT INTO people VALUES ('a@b', 'en')\")", FOREIGN),
        ('op.execute("/* now */ COMMIT")', "end the transaction in which they run"),
        ('op.execute("; COMMIT")', "end the transaction in which they run"),
        ('op.execute("PRAGMA user_version = 77")', "or leave its bounds"),
        ("op.execute(\"ATTACH ':memory:' AS other\")", "or leave its bounds"),
        (
            'op.create_table("tags_k", sa.Column("e", sa.Integer, sa.ForeignKey("entries.id")))',
            "the key of its table tags_k to entries would keep files from being removed",
        ),
    ],
)
def test_a_migration_that_fails_or_touches_what_is_not_its_own_changes_nothing(
    path: Path, body: str, words: str
) -> None:
    other = migrations(path, 'op.create_table("notes_pages", sa.Column("a", sa.Text))', folder="notes")
    migrate_plugin(path, "notes", other)
    longer = migrations(path, 'op.create_table("tags_more_pages", sa.Column("a", sa.Text))', folder="more")
    migrate_plugin(path, "tags_more", longer)
    before = schema(path), all_rows(path)
    with pytest.raises(PluginError) as refused:
        migrate_plugin(path, "tags", migrations(path, MAKE, body))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (schema(path), all_rows(path)) == before
    migrate_plugin(path, "tags", migrations(path, MAKE, "pass"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "0002_step.py").write_text("def :"), "cannot be read: SyntaxError"),
        (lambda folder: (folder / "0002_step.py").write_text("raise ValueError('x')"), "ValueError: x"),
        (
            lambda folder: (folder / "0002_step.py").write_text("revision = 'b'\ndown_revision = None"),
            "have 2 heads; join them",
        ),
        (lambda folder: (folder / "0001_step.py").unlink(), "have 0 heads"),
    ],
)
def test_migrations_that_cannot_be_read_are_refused_in_one_line(
    path: Path, change: Any, words: str
) -> None:
    folder = migrations(path, MAKE)
    change(folder)
    before = schema(path)
    with pytest.raises(PluginError) as refused:
        migrate_plugin(path, "tags", folder)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert schema(path) == before


def test_tables_of_a_newer_version_are_left_alone(path: Path) -> None:
    migrate_plugin(path, "tags", migrations(path, MAKE, "pass"))
    folder = migrations(path, MAKE)
    (folder / "0002_step.py").unlink()
    before = schema(path), all_rows(path)
    with pytest.raises(PluginError, match=r"of a newer version of it \(0002\); install that one"):
        migrate_plugin(path, "tags", folder)
    assert (schema(path), all_rows(path)) == before


def test_a_table_that_was_the_cores_is_adopted_by_its_plugin_with_its_rows(path: Path) -> None:
    run(path, "INSERT INTO opt_outs VALUES ('den@muc.example.org', 'alice@example.org')")
    adopt = 'op.add_column("opt_outs", sa.Column("at", sa.Text))'
    migrate_plugin(path, "archive", migrations(path, "pass", adopt, folder="archive"))
    [row] = all_rows(path)["opt_outs"]
    assert row == {"room": "den@muc.example.org", "person": "alice@example.org", "at": None}


async def test_plugins_read_and_write_in_transactions_of_the_catalog(path: Path) -> None:
    async with open_catalog(path) as catalog:
        tables = catalog.plugin_tables
        await tables.prepare("tags", migrations(path, MAKE))

        def add(db: Any, word: str) -> int:
            db.execute(sa.insert(WORDS).values(entry_id=1, word=word))
            return int(db.scalar(sa.select(sa.func.count()).select_from(WORDS)))

        assert await tables.write("tags", lambda db: add(db, "a")) == 1
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT word FROM tags_words").fetchall() == [("a",)]

        def fail(db: Any) -> None:
            add(db, "lost")
            raise ZeroDivisionError

        outcomes = await asyncio.gather(
            tables.write("tags", lambda db: add(db, "b")),
            tables.write("tags", fail),
            tables.write("tags", lambda db: add(db, "a")),
            tables.write("tags", lambda db: add(db, "c")),
            catalog.set_language("alice@example.org", "zh"),
            return_exceptions=True,
        )
        kinds = [type(each) for each in outcomes]
        assert kinds == [int, ZeroDivisionError, IntegrityError, int, type(None)]
        words = await tables.read("tags", lambda db: db.scalars(sa.select(WORDS.c.word)).all())
        assert sorted(words) == ["a", "b", "c"]
        with pytest.raises(
            PluginError, match=r"'tags' changes tags_words in ctx\.db\.read; write ctx\.db\.write"
        ):
            await tables.read("tags", lambda db: add(db, "d"))
        await catalog.remove(1)
        assert await tables.read("tags", lambda db: db.scalars(sa.select(WORDS.c.word)).all()) == []
        assert not hasattr(await tables.read("tags", lambda db: db), "commit")


def executing(statement: str) -> Callable[[Any], object]:
    return lambda db: db.execute(sa.text(statement))


OTHERS: Final = ("people", "entries", "jobs", "sqlite_master", "alembic_version_other", "other_words")


@pytest.mark.parametrize("table", OTHERS)
async def test_a_plugin_neither_sees_nor_changes_what_is_not_its_own(path: Path, table: str) -> None:
    async with open_catalog(path) as catalog:
        tables = catalog.plugin_tables
        await tables.prepare("tags", migrations(path, MAKE))
        await tables.prepare("other", migrations(path, MAKE.replace("tags_", "other_"), folder="other"))
        foreign = f"plugin 'tags' uses {table}, which is not a table of its own"
        for statement in (
            f"SELECT count(*) FROM {table}",
            f"SELECT word FROM tags_words WHERE EXISTS (SELECT * FROM {table})",
            f"SELECT 1 FROM {table}",
        ):
            for call in (tables.read, tables.write):
                with pytest.raises(PluginError, match=foreign):
                    await call("tags", executing(statement))
        with pytest.raises(PluginError, match=foreign):
            await tables.having("tags", sa.select(sa.column("rowid")).select_from(sa.table(table)))
        assert await catalog.entry(1) is not None


@pytest.mark.parametrize("statement", ["DROP TABLE tags_words", "PRAGMA user_version = 3", "COMMIT"])
async def test_a_plugin_selects_and_changes_rows_and_nothing_more(path: Path, statement: str) -> None:
    async with open_catalog(path) as catalog:
        tables = catalog.plugin_tables
        await tables.prepare("tags", migrations(path, MAKE))
        with pytest.raises(PluginError, match=r"plugin 'tags' does more in ctx\.db than select"):
            await tables.write("tags", executing(statement))


async def test_a_plugin_changes_no_table_of_others(path: Path) -> None:
    async with open_catalog(path) as catalog:
        await catalog.plugin_tables.prepare("tags", migrations(path, MAKE))
        for statement in ("DELETE FROM entries", "UPDATE entries SET owner = 'me'", "DELETE FROM jobs"):
            with pytest.raises(PluginError, match="is not a table of its own"):
                await catalog.plugin_tables.write("tags", executing(statement))
        assert await catalog.entry(1) is not None


async def test_a_wrong_statement_is_the_plugins_mistake(path: Path) -> None:
    async with open_catalog(path) as catalog:
        tables = catalog.plugin_tables
        await tables.prepare("tags", migrations(path, MAKE))
        for statement, mistake in (
            ("SELECT * FROM tags_nothing", "no such table: tags_nothing"),
            ("SELECT other FROM tags_words", "no such column: other"),
            ("SELEKT", "syntax error"),
        ):
            with pytest.raises(PluginError, match=rf"plugin 'tags' failed in ctx\.db: .*{mistake}"):
                await tables.read("tags", executing(statement))


ENDLESS: Final = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize("writes", [False, True])
async def test_an_endless_statement_ends_and_harms_nobody(
    path: Path, writes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_transaction, "LIMIT_S", 0.3)

    def stubborn(db: Any) -> None:
        with suppress(Exception):
            db.execute(sa.text(f"INSERT INTO tags_words (word) {ENDLESS}" if writes else ENDLESS))

    def restless(db: Any) -> None:
        while True:
            db.execute(sa.select(WORDS))

    async with open_catalog(path) as catalog:
        tables = catalog.plugin_tables
        await tables.prepare("tags", migrations(path, MAKE))
        call = tables.write if writes else tables.read
        outcomes = await asyncio.gather(
            catalog.set_language("alice@example.org", "zh"),
            call("tags", stubborn),
            call("tags", restless),
            catalog.set_language("bob@example.org", "zh"),
            return_exceptions=True,
        )
        assert [str(each) for each in outcomes] == [
            "None",
            "plugin 'tags' took over 0.3 s in ctx.db",
            "plugin 'tags' took over 0.3 s in ctx.db",
            "None",
        ]
        assert await catalog.language("alice@example.org") == "zh"
        assert await catalog.language("bob@example.org") == "zh"
        assert await tables.read("tags", lambda db: db.scalars(sa.select(WORDS.c.word)).all()) == []


async def test_tables_of_a_plugin_that_is_not_loaded_stay_as_they_are(path: Path) -> None:
    migrate_plugin(path, "tags", migrations(path, MAKE))
    run(path, "INSERT INTO tags_words VALUES (1, 'invoice')")
    before = schema(path), all_rows(path)
    async with open_catalog(path) as catalog:
        second = NewEntry("b.txt", NEW.owner, None, "", BlobRef("1" * 64, 1), "text/plain", NEW.created_at)
        await catalog.remove((await catalog.add(second)).id)
    assert schema(path) == before[0]
    assert all_rows(path)["tags_words"] == before[1]["tags_words"]


NOTES = 'op.create_table("notes_of", sa.Column("room", sa.Text), sa.Column("text", sa.Text))'


async def test_rows_of_a_room_go_with_it_whether_their_plugin_is_loaded_or_not(path: Path) -> None:
    migrate_plugin(path, "notes", migrations(path, NOTES, folder="notes"))
    rooms = [("den@muc.example.org",), ("attic@muc.example.org",)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO notes_of VALUES (?, 'a')", rooms)
        connection.executemany("INSERT INTO opt_outs VALUES (?, 'alice@example.org')", rooms)
        connection.executemany("INSERT INTO unwanted VALUES (?, 'ab', 'alice@example.org')", rooms)
    async with open_catalog(path) as catalog:
        await catalog.clear_room("den@muc.example.org")
    rows = all_rows(path)
    for table in ("notes_of", "opt_outs", "unwanted"):
        assert [row["room"] for row in rows[table]] == ["attic@muc.example.org"]
    assert [row["room"] for row in rows["entries"]] == [NEW.room]


def count(db: Any) -> Any:
    return db.scalar(sa.text("SELECT count(*) FROM notes_of"))


async def test_a_catalog_in_memory_has_tables_of_plugins_too(path: Path) -> None:
    tables, folder = MemoryPluginTables(), migrations(path, NOTES, folder="notes")
    with pytest.raises(PluginError, match="not its own"):
        await tables.prepare("tags", folder)
    await tables.prepare("notes", folder)
    for room in ("den@muc.example.org", "attic@muc.example.org"):
        await tables.write(
            "notes",
            lambda db: db.execute(sa.text("INSERT INTO notes_of VALUES (:room, 'a')"), {"room": room}),  # noqa: B023 - at once
        )
    with pytest.raises(ZeroDivisionError):
        await tables.write("notes", lambda db: (db.execute(sa.text("DELETE FROM notes_of")), 1 / 0))
    assert await tables.read("notes", count) == 2
    await tables.prepare("tags", migrations(path, MAKE))
    assert await tables.read("notes", count) == 2
    assert await tables.read("tags", lambda db: db.scalar(sa.text("SELECT count(*) FROM tags_words"))) == 0
    tables.clear_room("den@muc.example.org")
    assert await tables.read("notes", count) == 1
    other = MemoryPluginTables()
    await other.prepare("notes", folder)
    assert await other.read("notes", count) == 0


def test_fsck_finds_and_removes_rows_of_plugins_whose_entry_is_gone(path: Path) -> None:
    migrate_plugin(path, "tags", migrations(path, MAKE))
    run(
        path,
        "INSERT INTO tags_words VALUES (1, 'kept'), (7, 'gone')",
        "INSERT INTO plugin_data VALUES ('tags', 'entry', '7', 'a', 7, '1', 257)",
    )
    with inspected(path, mend=True) as catalog:
        assert catalog.orphaned_plugin_rows() == 2
        catalog.remove_orphaned_plugin_rows()
        assert catalog.orphaned_plugin_rows() == 0
    rows = all_rows(path)
    assert [row["word"] for row in rows["tags_words"]] == ["kept"]
    assert rows["plugin_data"] == []
