"""Nothing missed in a room whose files are kept: what was posted there while the bot was away."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOM
from tests.servers import private_server
from tests.support.fake_clock import ServerClock
from tests.support.hidden_room import HIDDEN_ROOM_USERS, OCCUPANT, HiddenRoom, hidden_room_in
from tests.support.waiting import until

pytestmark = pytest.mark.needs("occupant-id")


async def keeping(den: HiddenRoom) -> None:
    """The bot is there, and keeps what is posted."""
    await den.let_the_bot_in()
    await switch(den, "on")


async def switch(den: HiddenRoom, setting: str) -> None:
    den.alice.say(f"!room set archive {setting}", ROOM, mtype="groupchat")
    await den.heard(den.alice, "groupchat")


def stored(den: HiddenRoom) -> Counter[str]:
    """How often each file is in the catalog."""
    with closing(sqlite3.connect(den.folder / "data" / "catalog.sqlite")) as catalog:
        return Counter(
            name for (name,) in catalog.execute("SELECT name FROM entries WHERE room = ?", [ROOM])
        )


async def until_stored(den: HiddenRoom, *names: str) -> None:
    try:
        await until(lambda: stored(den) == Counter(names), 20)
    except TimeoutError:
        raise AssertionError(f"{stored(den)}; {[*den.bot.log][-20:]}") from None


async def test_what_was_posted_in_the_absence_is_kept_once_and_its_poster_s(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.post(den.bob, "long ago.txt")
        await keeping(den)
        await den.post(den.bob, "before.txt")
        await until_stored(den, "before.txt")
        await den.bot.kill()
        for number in range(60):  # more than a page
            den.alice.say(f"talk {number}", ROOM, mtype="groupchat")
        await den.post(den.bob, "missed.txt")
        await den.post(den.alice, "missed too.txt")
        await den.bot.start()
        await until_stored(den, "before.txt", "missed.txt", "missed too.txt")
        assert "Only" in await den.ask(den.bob, "rm missed too.txt")
        assert "missed.txt" in await den.ask(den.bob, "rm missed.txt")
        # Messages that were handled are not handled again after a restart.
        await den.post(den.alice, "last.txt")
        await until_stored(den, "before.txt", "missed too.txt", "last.txt")
        await den.bot.stop()
        await den.bot.start()
        await den.post(den.bob, "after.txt")
        await until_stored(den, "before.txt", "missed too.txt", "last.txt", "after.txt")


async def test_nothing_is_caught_up_that_was_posted_while_the_archive_was_off(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await keeping(den)
        await den.post(den.bob, "before.txt")
        await until_stored(den, "before.txt")
        await switch(den, "off")
        await den.bot.kill()
        await den.post(den.bob, "unasked.txt")
        await den.bot.start()
        await switch(den, "on")
        await den.bot.stop()
        await den.bot.start()
        await den.post(den.bob, "after.txt")
        await until_stored(den, "before.txt", "after.txt")


async def test_who_wants_nothing_kept_has_nothing_kept_of_an_absence_either(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await keeping(den)
        assert "keep" in await den.ask(den.bob, "archive off for me")
        await den.bot.kill()
        await den.post(den.bob, "bob's.txt")
        await den.post(den.alice, "alice's.txt")
        await den.bot.start()
        await until_stored(den, "alice's.txt")


@pytest.mark.needs("a clock that can be set")
async def test_old_commands_of_a_room_are_summed_up_there(tmp_path: Path) -> None:
    clock = ServerClock(tmp_path)
    server = private_server(tmp_path / "server", users=HIDDEN_ROOM_USERS, place=clock.place)
    async with hidden_room_in(tmp_path, server=server) as den:
        await keeping(den)
        await den.post(den.bob, "a.txt")
        await until_stored(den, "a.txt")
        assert "a.txt" in await den.ask(den.bob, "ls")
        await asyncio.sleep(1.0)  # the mark is saved
        await den.bot.stop()
        for peer in (den.alice, den.bob):
            peer.say("!rm a.txt", ROOM, mtype="groupchat")
            await peer.until_taken()
        clock.an_hour_passes()
        den.bob.messages.clear()
        den.bob._read = 0
        await den.bot.start()
        told = (await den.heard(den.bob, "groupchat")).body
        assert "2 messages" in told
        assert "rm a.txt" in told
        assert stored(den) == Counter(["a.txt"])
        den.bob.say("!ls", ROOM, mtype="groupchat")
        assert "a.txt" in (await den.heard(den.bob, "groupchat")).body
        assert sum(each.sender == OCCUPANT and bool(each.body) for each in den.bob.messages) == 2
