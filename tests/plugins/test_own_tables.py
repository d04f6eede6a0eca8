"""A plugin with tables of its own, from its file to its answers."""

from pathlib import Path

import pytest

from filebot.plugin import Context, Plugin
from filebot.plugin_loader import load, weaknesses, with_tables
from filebot.replies import Replies
from filebot.testing import ALICE, FakeBot, open_catalog
from tests.support.manual import write_tags


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the plugin of the manual and its migration."""
    folder = tmp_path / "plugins"
    write_tags(folder)
    return folder


def tags(folder: Path) -> Plugin[None]:
    [loaded] = [each for each in load({}, Replies(), paths=[folder]) if each.plugin.name == "tags"]
    return loaded.plugin


async def test_the_example_of_tables_works(folder: Path, tmp_path: Path) -> None:
    async with open_catalog(tmp_path / "catalog.sqlite") as catalog:
        async with FakeBot(tags(folder), catalog=catalog) as bot:
            await bot.drop("a.txt", b"a", ALICE)
            assert await bot.say("tag a.txt as invoice", ALICE) == ['"a.txt" is tagged.']
            assert await bot.say("tagged invoice", ALICE) == ["1 files."]
        async with FakeBot(catalog=catalog) as without:
            assert "do not understand" in (await without.say("tagged invoice", ALICE))[0]
        async with FakeBot(tags(folder), catalog=catalog) as again:
            assert await again.say("tagged invoice", ALICE) == ["1 files."]
            await again.say("rm a.txt", ALICE)
            assert await again.say("tagged invoice", ALICE) == ["0 files."]


async def test_a_plugin_whose_tables_cannot_be_made_is_left_out_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "tags_migrations" / "0002_no.py").write_text(
        "revision, down_revision = '0002', '0001'\ndef upgrade():\n    raise ValueError('no')\n"
    )
    plugins = load({}, Replies(), paths=[folder])
    told = list[str]()
    async with open_catalog(tmp_path / "catalog.sqlite") as catalog:
        left = await with_tables(plugins, catalog.plugin_tables, told.append)
    assert [each for each in plugins if each not in left] == [
        each for each in plugins if each.plugin.name == "tags"
    ]
    [line] = told
    assert line.startswith("plugin tags cannot be used: its tables cannot be brought up to date: ")
    place = f"{folder}/tags_migrations/0002_no.py, line 3"
    assert line.endswith(f"ValueError: no ({place}); going on without it")


@pytest.mark.parametrize("place", ["no.such.package", "json.tool", Path("/no/such/folder")])
def test_a_plugin_without_its_migrations_is_not_loaded(tmp_path: Path, place: str | Path) -> None:
    (tmp_path / "lost.py").write_text(
        "from pathlib import *\nfrom filebot.plugin import Plugin\n"
        f"plugin = Plugin('lost', api=1, migrations={place!r})\n"
    )
    told = list[str]()
    assert "lost" not in {
        each.plugin.name for each in load({}, Replies(), paths=[tmp_path], left_out=told.append)
    }
    assert f"there is no package or folder {place} with its migrations" in told[0]


def test_migrations_that_others_may_write_keep_the_plugins_from_being_run(folder: Path) -> None:
    assert list(weaknesses([folder])) == []
    (folder / "tags_migrations").chmod(0o777)
    assert any("tags_migrations" in each for each in weaknesses([folder]))


async def test_a_coroutine_is_given_no_transaction(folder: Path, tmp_path: Path) -> None:
    plugin, errors = tags(folder), list[Exception]()

    @plugin.command("wrong", usage="wrong")
    async def wrong(ctx: Context[None]) -> None:
        """Try it."""

        async def change(db: object) -> None:
            return None

        try:
            _: object = await ctx.db.write(change)
        except TypeError as error:
            errors.append(error)

    async with (
        open_catalog(tmp_path / "catalog.sqlite") as catalog,
        FakeBot(plugin, catalog=catalog) as bot,
    ):
        await bot.say("wrong")
    assert "write def, not async def" in str(errors[0])
