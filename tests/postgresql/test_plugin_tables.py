"""Tables of plugins in PostgreSQL: their migrations, their statements, and what these must not do."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from filebot.catalog import plugin_transaction
from filebot.catalog.postgresql.database import open_postgresql
from filebot.errors import PluginError
from filebot.ports import Catalog
from tests.unit.catalog.test_database import NEW
from tests.unit.catalog.test_plugin_tables import MAKE, WORDS, executing, migrations

pytestmark = pytest.mark.thorough


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "beside"


async def tagged(catalog: Catalog, path: Path) -> None:
    await catalog.add(NEW)
    await catalog.plugin_tables.prepare("tags", migrations(path, MAKE))


def add(db: Any, word: str) -> int:
    db.execute(sa.insert(WORDS).values(entry_id=1, word=word))
    return int(db.scalar(sa.select(sa.func.count()).select_from(WORDS)))


async def test_plugins_read_and_write_in_transactions_of_the_catalog(
    postgres_url: sa.URL, path: Path
) -> None:
    async with open_postgresql(postgres_url) as catalog:
        await tagged(catalog, path)
        tables = catalog.plugin_tables
        assert await tables.is_current("tags", migrations(path, MAKE))
        outcomes = await asyncio.gather(
            tables.write("tags", lambda db: add(db, "a")),
            tables.write("tags", lambda db: add(db, "a")),
            tables.write("tags", lambda db: add(db, "b")),
            catalog.set_language("alice@example.org", "zh"),
            return_exceptions=True,
        )
        assert [type(each) for each in outcomes] == [int, IntegrityError, int, type(None)]
        with pytest.raises(PluginError, match=r"changes a table in ctx\.db\.read; write ctx\.db\.write"):
            await tables.read("tags", lambda db: add(db, "c"))
        words = sa.select(WORDS.c.word).order_by(WORDS.c.word)
        assert await tables.read("tags", lambda db: db.scalars(words).all()) == ["a", "b"]
        await catalog.remove(1)
        assert await tables.read("tags", lambda db: db.scalars(words).all()) == []


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT count(*) FROM people", "uses people, which is not a table of its own"),
        ("DELETE FROM people", "uses people, which is not a table of its own"),
        ("UPDATE entries SET owner = 'me'", "uses (entries|sums), which is not a table of its own"),
        ("DROP TABLE tags_words", "does more in ctx.db than"),
        ("CREATE TABLE tags_more (a int)", "does more in ctx.db than"),
        ("ALTER TABLE tags_words ADD a int", "does more in ctx.db than"),
        ("SELECT * FROM tags_nothing", "failed in ctx.db: .*tags_nothing"),
        ("SELEKT", "failed in ctx.db: .*syntax error"),
    ],
)
async def test_a_statement_that_is_wrong_or_not_allowed_changes_nothing(
    postgres_url: sa.URL, path: Path, statement: str, reason: str
) -> None:
    async with open_postgresql(postgres_url) as catalog:
        await tagged(catalog, path)
        await catalog.set_language("alice@example.org", "zh")
        with pytest.raises(PluginError, match=f"plugin 'tags' {reason}"):
            await catalog.plugin_tables.write("tags", executing(statement))
        assert await catalog.plugin_tables.write("tags", lambda db: add(db, "a")) == 1
        assert await catalog.language("alice@example.org") == "zh"
        entry = await catalog.entry(1)
        assert entry is not None
        assert entry.owner == NEW.owner


async def test_a_statement_that_takes_too_long_ends(
    postgres_url: sa.URL, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_transaction, "LIMIT_S", 0.3)
    async with open_postgresql(postgres_url) as catalog:
        await tagged(catalog, path)
        for call in (catalog.plugin_tables.read, catalog.plugin_tables.write):
            with pytest.raises(PluginError, match=r"took over 0\.3 s in ctx\.db"):
                await call("tags", executing("SELECT pg_sleep(20)"))
        await catalog.set_language("alice@example.org", "zh")


@pytest.mark.parametrize(
    "body",
    [
        "op.drop_table('people')",
        'op.add_column("entries", sa.Column("tag", sa.Text))',
        'op.create_index("tags_index", "entries", ["owner"])',
        'op.create_table("words", sa.Column("a", sa.Text))',
        'op.execute("DELETE FROM entries")',
        "op.execute(\"UPDATE entries SET owner = 'me'\")",
    ],
)
async def test_a_migration_that_touches_what_is_not_its_own_changes_nothing(
    postgres_url: sa.URL, path: Path, body: str
) -> None:
    async with open_postgresql(postgres_url) as catalog:
        entry = await catalog.add(NEW)
        with pytest.raises(PluginError, match="not its own; its tables begin with tags_"):
            await catalog.plugin_tables.prepare("tags", migrations(path, MAKE, body))
        assert await catalog.entry(entry.id) == entry
        await catalog.plugin_tables.prepare("tags", migrations(path, MAKE, "pass"))
