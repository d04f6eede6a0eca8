"""A room with a long past, whose files are kept with its people's consent: on a real server."""

import re
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from filebot.localserver.botprocess import BotProcess, write_config
from tests.e2e.conftest import ROOM, bot_config, sha256
from tests.servers import private_server
from tests.support.room import BotRoom
from tests.support.room_crowd import Crowd
from tests.support.room_history import content, file_host, speak
from tests.support.waiting import until

DOMAIN = "history.localhost"
PEOPLE = 3
MESSAGES = 10_000
FILES = 500
KILLED_AT = (150, 350)
"""Numbers of kept files at which the bot is killed."""
FILES_OF_A_PAGE = 3
"""Files among the fifty messages of one page of the archive."""
LIMIT_S = 60.0


class Past:
    """Crowd in a room with a history, with its talk with the bot and the files that the bot kept."""

    def __init__(self, people: Crowd, here: BotRoom, catalog: Path) -> None:
        self.people = people
        self.here = here
        self._catalog = catalog

    async def ask(self, person: int, text: str, answer: str) -> str:
        """The first of the bot's words to somebody alone after this, with this answer in them."""
        before = len(self.heard(person, "chat"))
        self.people.say(person, self.here.bot, text)
        return await self.until_heard(person, answer, before)

    async def until_heard(self, person: int, words: str, after: int = 0) -> str:
        def found() -> str | None:
            return next((each for each in self.heard(person, "chat")[after:] if words in each), None)

        await self.people.until(lambda: found() is not None)
        return found() or ""

    def heard(self, person: int, kind: str) -> list[str]:
        """Return the bot's messages to one person (``chat``) or to everybody (``groupchat``)."""
        heard = self.people.heard[person]
        return [each.body for each in heard if (each.sender, each.kind) == (self.here.bot, kind)]

    def kept(self) -> list[tuple[str, str, str]]:
        """Name, owner and SHA-256 of each file of the room's."""
        with closing(sqlite3.connect(self._catalog)) as catalog:
            return catalog.execute(
                "SELECT name, owner, digest FROM entries WHERE room = ? ORDER BY name", [self.here.room]
            ).fetchall()

    async def until_kept(self, count: int) -> None:
        await until(lambda: len(self.kept()) >= count, LIMIT_S)


@pytest.mark.needs("occupant-id")
@pytest.mark.timeout(300)
async def test_ten_thousand_messages_are_gone_through_by_a_bot_that_is_killed_meanwhile(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        server = private_server(
            tmp_path / "server", users=["filebot"], components=[DOMAIN], log_level="info", long_past=True
        )
        await stack.enter_async_context(server)
        host = await stack.enter_async_context(file_host())
        people = await stack.enter_async_context(Crowd(server.component(DOMAIN), PEOPLE))
        await people.enter(ROOM, range(PEOPLE))
        posted = await speak(people, ROOM, host, MESSAGES, FILES)
        assert len(posted) == FILES
        bot = BotProcess(write_config(tmp_path / "config.toml", bot_config(server)))
        await stack.enter_async_context(bot)
        past = Past(people, BotRoom(ROOM), tmp_path / "data" / "catalog.sqlite")
        # Whoever came first is the owner.
        await past.ask(0, "room set archive on", "archive on: I keep")
        await past.ask(0, "archive history of 3 days", "I am looking through")
        told = []
        for count in KILLED_AT:
            await past.until_kept(count)
            state = await past.ask(0, "room", "I am looking through what was posted before")
            told.append(int(re.findall("([0-9]+) messages so far", state)[0]))
            await bot.kill()
            await bot.start()
        assert "messages checked" in await past.until_heard(0, "Done:")
        # It went on where it was: what a page has of files, it may have fetched again.
        assert 0 < told[0] < told[1] < MESSAGES
        assert set(host.asked) == set(posted)
        assert host.asked.total() <= FILES + len(KILLED_AT) * FILES_OF_A_PAGE
        # Each file is kept once, and as that of the one who posted it.
        kept = past.kept()
        assert [(name, digest) for name, _, digest in kept] == sorted(
            (name, sha256(content(name))) for name in posted
        )
        owners = {(posted[name], owner) for name, owner, _ in kept}
        assert len(owners) == len({owner for _, owner in owners}) == PEOPLE
        of_one = [name for name, poster in posted.items() if poster == 1]
        await past.ask(1, "archive off for me", f"{len(of_one)} files of yours")
        assert sorted({*posted} - {*of_one}) == [name for name, _, _ in past.kept()]
        # In the room one sentence was said, and nothing to those who had asked for nothing.
        assert len(past.heard(0, "groupchat")) == 1
        assert [len(past.heard(person, "chat")) for person in (1, 2)] == [1, 0]
