"""Config and plugins are read anew while a real bot runs: by SIGHUP, and by the command."""

import os
import signal
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import ROOM, USERS, World, bot_config
from tests.e2e.test_session import next_presence, presences
from tests.servers import private_server
from tests.support.hidden_room import OCCUPANT, hidden_room_in
from tests.support.waiting import until

GREET = '''"""Greet, with a book that is open."""

from collections.abc import AsyncIterator
from pathlib import Path

from filebot.plugin import Context, Life, Plugin

WORD = "one"
BOOK = Path(__file__).with_name(f"{WORD}.txt")
plugin = Plugin[None]("greet", api=1, templates={"said": "{{ word }}"})


@plugin.lifespan
async def book(life: Life[None]) -> AsyncIterator[str]:
    BOOK.write_text("open")
    yield WORD
    BOOK.write_text("closed")


def word() -> str:
    return WORD


@plugin.command("greet", usage="greet")
async def greet(ctx: Context[None]) -> None:
    """Say a word, from three places."""
    words = (WORD, ctx.state(book), await ctx.run_isolated(word))
    await ctx.reply("greet/said", word=" ".join(words))
'''

BROKEN = "not reloaded, all stays as it was: plugin "


@pytest.mark.needs("an archive of its own")
async def test_a_changed_plugin_and_config_take_over_and_broken_ones_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    file = folder / "greet.py"
    file.write_text(GREET)
    async with private_server(tmp_path / "prosody", users=USERS) as server:

        def configure(**xmpp: str) -> Path:
            tables = bot_config(server, plugins={"paths": [str(folder)]}, xmpp=xmpp)
            if xmpp:
                tables["access"]["allow"] = ["alice@localhost"]
            return write_config(tmp_path / "config.toml", tables)

        async with (
            BotProcess(configure()) as bot,
            await Peer.of(server, "alice") as alice,
            await Peer.of(server, "bob") as bob,
        ):
            world = World(server, bot, tmp_path)
            assert (await world.ask(alice, "greet")).body == "one one one"

            file.write_text(GREET.replace('"one"', '"two"'))
            os.kill(bot.pid, signal.SIGHUP)
            await until(lambda: any(line.endswith(" reloaded") for line in bot.log), 30)
            assert any("plugins that are changed: greet" in line for line in bot.log)
            assert (await world.ask(alice, "greet")).body == "two two two"
            await until(lambda: (folder / "one.txt").read_text() == "closed", 10)
            assert (folder / "two.txt").read_text() == "open"

            file.write_text("def (")
            os.kill(bot.pid, signal.SIGHUP)
            [line] = await until(lambda: [each for each in bot.log if BROKEN in each], 30)
            assert f"{file} cannot be loaded: SyntaxError: " in line
            [first, second] = (await world.ask(alice, "reload")).body.splitlines()
            assert first == "All stays as it was, because of this:"
            assert second.startswith(f"- plugin {file} cannot be loaded: SyntaxError: ")
            assert (await world.ask(alice, "greet")).body == "two two two"
            assert (folder / "two.txt").read_text() == "open"

            file.write_text(GREET.replace('"one"', '"six"'))
            configure(nick="another")
            assert "files" in (await world.ask(bob, "ls")).body
            said = (await world.ask(alice, "reload")).body.splitlines()
            assert said[1:] == ["Changed: greet", "Restart needed for: xmpp.nick"]
            assert (await world.ask(alice, "greet")).body == "six six six"
            assert "I only serve certain people" in (await world.ask(bob, "ls")).body
            assert await bot.stop() == 0
    assert {each.read_text() for each in folder.glob("*.txt")} == {"closed"}


@pytest.mark.needs("occupant-id")
async def test_prefix_language_and_the_words_of_the_presence_are_taken_over(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        den.alice.say("!room set archive on", ROOM, mtype="groupchat")
        assert "!archive off for me" in (await den.heard(den.bob, "groupchat")).body
        came = presences(den.bob)
        plain = den.bot.config.read_text()
        changed = plain.replace("[rooms]\n", '[rooms]\ncommand_prefix = "+"\n')
        den.bot.config.write_text(f'{changed}\n[replies]\nlanguage = "zh_CN"\n')
        os.kill(den.bot.pid, signal.SIGHUP)
        shown = await next_presence(came, lambda each: each.get("from") == OCCUPANT)
        words = "".join(shown.itertext())
        assert "+archive off for me" in words
        assert "I keep" not in words
        den.alice.say("!ls", ROOM, mtype="groupchat")
        den.alice.say("+room", ROOM, mtype="groupchat")
        assert "archive" in (await den.heard(den.alice, "groupchat")).body
        assert not any("restart needed" in line for line in den.bot.log)
