"""A plugin of the manual that keeps what people post, with the room's consent: on a real server."""

from pathlib import Path

import pytest

from tests.e2e.test_room_catch_up import until_stored
from tests.e2e.test_session import next_presence, presences
from tests.support.hidden_room import OCCUPANT, hidden_room_in
from tests.support.manual import example_with


@pytest.mark.needs("occupant-id")
async def test_a_plugin_keeps_what_is_posted_also_what_it_missed(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o700)
    (plugins / "gallery.py").write_text(example_with('"gallery",'))
    async with hidden_room_in(tmp_path) as den:
        plain = den.bot.config.read_text()
        den.bot.config.write_text(f"{plain}[plugins]\npaths = ['{plugins}']\ndisabled = ['archive']\n")
        await den.post(den.bob, "before.png")
        await den.let_the_bot_in()
        came = presences(den.bob)
        assert "gallery on" in await den.ask(den.alice, "room set gallery on")
        shown = await next_presence(came, lambda each: each.get("from") == OCCUPANT)
        assert "gallery without me" in "".join(shown.itertext())
        await den.post(den.bob, "cat.png")
        await den.post(den.bob, "plan.txt")
        await until_stored(den, "cat.png")
        await den.bot.kill()
        await den.post(den.alice, "missed.png")
        await den.bot.start()
        await until_stored(den, "cat.png", "missed.png")
        assert " pictures in the gallery." in await den.ask(den.alice, "room")
        assert await den.ask(den.bob, "gallery without me") == "I keep none of yours. I removed 1."
        await den.post(den.bob, "later.png")
        assert "gallery off" in await den.ask(den.alice, "room set gallery off")
        await den.bot.kill()
        await den.post(den.alice, "never.png")
        await den.bot.start()
        assert "gallery on" in await den.ask(den.alice, "room set gallery on")
        await den.post(den.alice, "last.png")
        await until_stored(den, "missed.png", "last.png")
