"""A plugin with tables of its own, in a bot that is killed, stopped, and started without it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from filebot.localserver.peer import Peer
from tests.e2e.conftest import World, world_in
from tests.support.manual import write_tags


async def test_tables_of_a_plugin_survive_kills_and_its_absence(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    write_tags(plugins)
    async with world_in(tmp_path, plugins={"paths": [str(plugins)]}) as world:
        alice = await world.login("alice")
        async with alice:
            (tmp_path / "a.txt").write_text("a")
            await alice.drop(tmp_path / "a.txt", world.bot_jid)
            await alice.next_message(world.from_bot)
            await hears(world, alice, "tag a.txt as invoice", "is tagged")
            await world.bot.kill()
            await world.bot.start()
            await hears(world, alice, "tagged invoice", "1 files.")

            await without(world, plugins)
            await hears(world, alice, "tagged invoice", "do not understand")
            await world.bot.stop()
            assert rows(world) == [("invoice",)]

            broken = plugins / "tags_migrations" / "0002_no.py"
            broken.write_text(
                "revision, down_revision = '0002', '0001'\n"
                "def upgrade():\n"
                "    from alembic import op\n"
                "    op.drop_table('tags_words')\n"
                "    op.drop_table('people')\n"
            )
            (plugins / "tags.py.off").rename(plugins / "tags.py")
            await world.bot.start()
            await hears(world, alice, "tagged invoice", "do not understand")
            await hears(world, alice, "ls", "a.txt")
            [line] = [each for each in world.bot.log if "plugin tags cannot be used" in each]
            assert "its migrations change people, which is not its own" in line

            await world.bot.stop()
            broken.unlink()
            await world.bot.start()
            await hears(world, alice, "tagged invoice", "1 files.")


async def hears(world: World, peer: Peer, text: str, words: str) -> None:
    """Write to the bot and wait for these words; after a kill it may say once more what it had said."""
    peer.say(text, world.bot_jid)
    await peer.next_message(lambda heard: world.from_bot(heard) and words in heard.body)


async def without(world: World, plugins: Path) -> None:
    """Start the bot again without the plugin."""
    await world.bot.stop()
    (plugins / "tags.py").rename(plugins / "tags.py.off")
    await world.bot.start()


def rows(world: World) -> list[object]:
    with closing(sqlite3.connect(world.data / "catalog.sqlite")) as catalog:
        return catalog.execute("SELECT word FROM tags_words").fetchall()
