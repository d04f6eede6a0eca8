"""A room whose files are kept with everybody's consent, those of its past as well: on a real server."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOM
from tests.e2e.test_session import next_presence, presences
from tests.support.hidden_room import OCCUPANT, SECOND, hidden_room_in


@pytest.mark.smoke
@pytest.mark.needs("occupant-id")
async def test_what_is_posted_in_a_room_is_kept_as_long_as_its_people_want_it(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        for name in ("old1.txt", "old2.txt"):
            await den.post(den.bob, name)
        await den.post(den.alice, "old3.txt")
        await den.let_the_bot_in()
        came = presences(den.bob)
        assert "Only the room's owners and admins" in await den.ask(den.bob, "room set archive on")
        den.alice.say("!room set archive on", ROOM, mtype="groupchat")
        assert "archive off for me" in (await den.heard(den.bob, "groupchat")).body
        shown = await next_presence(came, lambda each: each.get("from") == OCCUPANT)
        assert "archive off for me" in "".join(shown.itertext())
        await den.post(den.bob, "new.txt")
        while "new.txt" not in await den.ask(den.bob, "ls"):
            pass
        assert "I am looking through" in await den.ask(den.alice, "archive history of 3 days")
        found = (await den.heard(den.alice, "chat")).body
        assert "I kept 3 files" in found
        listed = await den.ask(den.bob, "ls")
        assert all(name in listed for name in ("new.txt", "old1.txt", "old2.txt", "old3.txt"))
        assert "3 files of yours" in await den.ask(den.bob, "archive off for me")
        await den.post(den.bob, "unwanted.txt")
        await den.post(den.alice, "last.txt")
        while "last.txt" not in (listed := await den.ask(den.bob, "ls")):
            pass
        assert "old3.txt" in listed
        assert not any(name in listed for name in ("new.txt", "old1.txt", "old2.txt", "unwanted.txt"))


@pytest.mark.needs("occupant-id")
@pytest.mark.needs("an account")
async def test_what_bots_give_back_is_not_kept_as_theirs(tmp_path: Path) -> None:
    """Neither by the bot that gave it nor by another one, live or out of the room's past."""
    async with hidden_room_in(tmp_path, second_bot=True) as den:
        await den.let_the_bot_in()
        den.alice.say("!room set archive on", ROOM, mtype="groupchat")
        assert "archive off for me" in (await den.heard(den.bob, "groupchat")).body
        await den.post(den.bob, "bobs.txt")
        while "bobs.txt" not in await den.ask(den.bob, "ls"):
            pass
        # The other bot keeps nothing unasked here, but has this file, and gives it, too.
        await den.let_the_second_bot_in()
        await den.post(den.alice, "hers.txt")
        den.alice.say("second: keep", ROOM, mtype="groupchat")
        await den.alice.next_message(lambda each: "Stored" in each.body and each.sender == SECOND)
        for nick, name in (("filebot", "bobs.txt"), ("second", "hers.txt")):
            den.alice.say(f"{nick}: get {name}", ROOM, mtype="groupchat")
            await den.alice.next_message(
                lambda each: each.url is not None and each.sender == f"{ROOM}/{nick}"  # noqa: B023
            )
        await den.post(den.alice, "last.txt")
        while "last.txt" not in (listed := await den.ask(den.bob, "ls")):
            pass
        assert listed.count("bobs.txt") == listed.count("hers.txt") == 1
        assert "I deleted the one file of yours" in await den.ask(den.bob, "archive off for me")
        assert "I am looking through" in await den.ask(den.alice, "archive history of 3 days")
        found = (await den.heard(den.alice, "chat")).body
        assert "I kept 0 files" in found
        listed = await den.ask(den.bob, "ls")
        assert "bobs.txt" not in listed
        assert listed.count("hers.txt") == listed.count("last.txt") == 1


@pytest.mark.needs("occupant-id")
async def test_with_its_plugin_disabled_the_archive_of_a_room_ends(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        den.alice.say("!room set archive on", ROOM, mtype="groupchat")
        assert "archive off for me" in (await den.heard(den.bob, "groupchat")).body
        await den.post(den.bob, "first.txt")
        while "first.txt" not in await den.ask(den.bob, "ls"):
            pass
        plain = den.bot.config.read_text()

        await den.bot.stop()
        den.bot.config.write_text(plain + '[plugins]\ndisabled = ["archive"]\n')
        came = presences(den.bob)
        await den.bot.start()
        shown = await next_presence(
            came, lambda each: each.get("from") == OCCUPANT and each.get("type") is None
        )
        assert "archive off for me" not in "".join(shown.itertext())
        await den.post(den.bob, "between.txt")
        assert 'turned "archive" off' in await den.ask(den.alice, "room set archive on")
        assert "archive" not in await den.ask(den.alice, "room")
        with closing(sqlite3.connect(tmp_path / "data" / "catalog.sqlite")) as catalog:
            assert catalog.execute("SELECT * FROM marks WHERE archive = ?", [ROOM]).fetchall() == []

        await den.bot.stop()
        den.bot.config.write_text(plain)
        await den.bot.start()
        assert "archive off" in await den.ask(den.alice, "room")
        den.alice.say("!room set archive on", ROOM, mtype="groupchat")
        assert "archive off for me" in (await den.heard(den.bob, "groupchat")).body
        await den.post(den.bob, "last.txt")
        while "last.txt" not in (listed := await den.ask(den.bob, "ls")):
            pass
        assert "first.txt" in listed
        assert "between.txt" not in listed
