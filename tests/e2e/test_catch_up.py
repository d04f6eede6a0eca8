"""Nothing missed: what came while the bot was away, stopped or killed, on a real server with an archive."""

import asyncio
import os
import random
import re
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import SubElement

import pytest
from slixmpp import JID

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer
from plugins.announce.gathering import GATHER_S
from tests.e2e.conftest import ROOM, USERS, World, bot_config
from tests.servers import private_server
from tests.support.fake_clock import ServerClock
from tests.support.waiting import POLL_S, until

pytestmark = pytest.mark.needs("an archive of its own")

PEOPLE = ("alice", "bob", "carol")
LIMIT_S = 40.0
PATIENT = {"max_file_size": "2 MB", "idle_timeout": "20 s"}
KILLS = int(os.environ.get("KILLS", "5"))
"""``KILLS=50`` makes the last tests such of 300 files, and of five minutes each."""


class Drop(NamedTuple):
    """A file of somebody's, and where it went."""

    person: str
    name: str
    in_room: bool = False


@dataclass(frozen=True)
class Absence:
    """A bot that comes and goes, and three people who are there all the time."""

    world: World
    people: dict[str, Peer]
    clock: ServerClock

    @property
    def bot(self) -> BotProcess:
        return self.world.bot

    async def drop(self, person: str, name: str, *, in_room: bool = False) -> None:
        path = self.world.folder / name
        path.write_bytes(os.urandom(2_000))
        if in_room:
            await self.people[person].drop(path, ROOM, mtype="groupchat")
        else:
            await self.people[person].drop(path, self.world.bot_jid)

    def say(self, person: str, text: str) -> None:
        self.people[person].say(text, self.world.bot_jid)

    async def until_taken(self) -> None:
        """Wait until the server keeps all that was said to the bot."""
        for peer in self.people.values():
            await peer.until_taken()

    def heard(self, person: str) -> list[str]:
        """All that the bot said to somebody."""
        return [each.body for each in self.people[person].messages if self.world.from_bot(each)]

    async def until_heard(self, person: str, count: int) -> list[str]:
        return await self._until(person, lambda heard: len(heard) >= count)

    async def until_said(self, person: str, *words: str) -> list[str]:
        """Wait until each of the words was said to somebody, beside commands that are repeated to them."""

        def all_said(heard: list[str]) -> bool:
            said = "\n".join(heard).replace('"rm ', "")
            return all(word in said for word in words)

        return await self._until(person, all_said)

    async def _until(self, person: str, wanted: Callable[[list[str]], bool]) -> list[str]:
        try:
            await until(lambda: wanted(self.heard(person)), LIMIT_S)
        except TimeoutError:
            raise AssertionError(f"{person} heard {self.heard(person)}; {[*self.bot.log][-20:]}") from None
        return self.heard(person)

    def answers(self, drop: Drop) -> list[str]:
        """All that was said to somebody of a file; of one in a room, anything that was announced there."""
        if drop.in_room:
            return [each for each in self._room_heard() if "in this room:" in each]
        return [each for each in self.heard(drop.person) if drop.name in each]

    def announced(self) -> int:
        """How many new files the room was told of."""
        told = [re.match(r"(\d+|One) new files? in this room", each) for each in self._room_heard()]
        return sum(1 if match[1] == "One" else int(match[1]) for match in told if match)

    def _room_heard(self) -> list[str]:
        return [each.body for each in self.people["alice"].messages if each.sender == f"{ROOM}/filebot"]

    async def gather_in_a_room(self) -> None:
        """Alice, who is the first, owns it."""
        for person in PEOPLE:
            await self.people[person].join(ROOM, person)

    async def keep_what_is_posted(self) -> None:
        for setting in ("archive on", "announce on"):
            self.people["alice"].say(f"!room set {setting}", ROOM, mtype="groupchat")
            await self.people["alice"].next_message(lambda each: each.sender == f"{ROOM}/filebot")

    def stored(self) -> Counter[Drop]:
        """How often each file of each person is in the catalog."""
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog:
            rows = catalog.execute("SELECT owner, name, room FROM entries").fetchall()
        # Where people are known by ids, their files tell who they are.
        return Counter(
            Drop(name.partition("-")[0] if room else owner.partition("@")[0], name, bool(room))
            for owner, name, room in rows
        )

    async def begin(self) -> None:
        """Start the bot for the first time, and let it know a message of its archive."""
        await self.bot.start()
        self.say("alice", "quota")
        await self.until_heard("alice", 1)
        await self.until_saved()
        self.people["alice"].messages.clear()

    async def until_saved(self) -> None:
        """Wait until the mark does not change any more."""
        last, since = None, time.monotonic()
        while time.monotonic() - since < 0.5:
            await asyncio.sleep(POLL_S)
            with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog:
                mark = catalog.execute("SELECT last_id, ahead FROM marks").fetchall()
            if mark != last:
                last, since = mark, time.monotonic()

    def saved_position(self) -> list[tuple[str, ...]]:
        """The saved positions of all archives."""
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog:
            return catalog.execute("SELECT archive, last_id, at, ahead FROM marks").fetchall()

    def put_back(self, position: list[tuple[str, ...]]) -> None:
        """Let the bot, which is killed, have these saved positions alone."""
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog, catalog:
            catalog.execute("DELETE FROM marks")
            catalog.executemany(
                "INSERT INTO marks (archive, last_id, at, ahead) VALUES (?, ?, ?, ?)", position
            )

    def told_of(self, files: Iterable[Drop]) -> str:
        """All that can be known afterwards of files that went wrong."""
        archive = (self._archive().read_text()).split("\n\n") if self._archive().exists() else []
        with closing(sqlite3.connect(self.world.data / "catalog.sqlite")) as catalog:
            lines = [f"marks: {catalog.execute('SELECT * FROM marks').fetchall()}"]
        for drop in sorted(files):
            lines.append(f"--- {drop}: {self.stored()[drop]} times stored")
            lines += [f"said: {each}" for each in self.answers(drop)]
            lines += [f"archived: {each}" for each in archive if drop.name in each]
        return "\n".join([*lines, "--- the bot's log", *self.bot.log])

    def _archive(self) -> Path:
        return self.world.server.folder / "data" / "localhost" / "archive" / "filebot.list"


@pytest.fixture
async def absence(tmp_path: Path) -> AsyncIterator[Absence]:
    async with AsyncExitStack() as stack:
        clock = ServerClock(tmp_path)
        server = private_server(tmp_path / "prosody", users=USERS, place=clock.place)
        await stack.enter_async_context(server)
        bot = BotProcess(write_config(tmp_path / "config.toml", bot_config(server, limits=PATIENT)))
        people = {each: await stack.enter_async_context(await Peer.of(server, each)) for each in PEOPLE}
        stack.push_async_callback(bot.stop)
        yield Absence(World(server, bot, tmp_path), people, clock)


@pytest.mark.needs("a clock that can be set")
async def test_files_are_kept_and_old_commands_are_summed_up(absence: Absence) -> None:
    await absence.begin()
    await absence.bot.stop()
    for number in range(3):
        for person in PEOPLE:
            await absence.drop(person, f"{person}-{number}.bin")
            absence.say(person, f"rm {person}-{number}.bin")
    dead = "https://localhost:1/gone.bin"
    message = absence.people["bob"].client.make_message(JID(absence.world.bot_jid), dead, mtype="chat")
    SubElement(SubElement(message.xml, "{jabber:x:oob}x"), "{jabber:x:oob}url").text = dead
    message.send()
    await absence.until_taken()
    absence.clock.an_hour_passes()
    await absence.bot.start()
    for person in PEOPLE:
        names = [f'"{person}-{number}.bin"' for number in range(3)]
        heard = await absence.until_said(person, *names, "away", *(["Nothing answers"] * (person == "bob")))
        stored = [each for each in heard if each.startswith("Stored")]
        assert [sum(name in each for each in stored) for name in names] == [1, 1, 1]
        [summary] = [each for each in heard if "away" in each]
        assert "3 messages" in summary
        assert f"rm {person}-0.bin" in summary
    files = {Drop(person, f"{person}-{number}.bin") for person in PEOPLE for number in range(3)}
    assert absence.stored() == Counter(files)
    # Messages that were handled are not handled again after a restart.
    before = [len(absence.heard(person)) for person in PEOPLE]
    await absence.bot.stop()
    await absence.bot.start()
    absence.say("alice", "ls")
    assert "3 files" in (await absence.until_heard("alice", before[0] + 1))[-1]
    assert [len(absence.heard(person)) for person in PEOPLE] == [before[0] + 1, *before[1:]]


@pytest.mark.smoke
async def test_a_command_of_just_now_is_carried_out_after_a_short_absence(absence: Absence) -> None:
    await absence.begin()
    await absence.bot.kill()
    absence.say("alice", "ls")
    await absence.until_taken()
    await absence.bot.start()
    [answer] = await absence.until_heard("alice", 1)
    assert "away" not in answer


@pytest.mark.needs("a clock that can be set")
async def test_more_than_a_page_is_read_to_its_end(absence: Absence) -> None:
    await absence.begin()
    await absence.bot.stop()
    for number in range(130):
        absence.say(PEOPLE[number % 3], f"get {number}")
    await absence.drop("carol", "last.bin")
    await absence.until_taken()
    absence.clock.an_hour_passes()
    await absence.bot.start()
    for person in PEOPLE:
        heard = await absence.until_heard(person, 1 + (person == "carol"))
        assert sum("messages" in each for each in heard) == 1
    assert absence.stored() == Counter([Drop("carol", "last.bin")])


@pytest.mark.needs("a clock that can be set")
async def test_the_first_start_begins_with_what_the_server_kept_and_not_with_history(
    absence: Absence,
) -> None:
    async with await absence.world.login("filebot") as another:
        absence.say("alice", "this went to another client")
        await another.next_message()
    await absence.drop("bob", "kept.bin")
    await absence.until_taken()
    absence.clock.an_hour_passes()
    await absence.bot.start()
    assert "Stored" in (await absence.until_heard("bob", 1))[0]
    await absence.until_saved()
    await absence.bot.kill()
    await absence.bot.start()
    absence.say("bob", "ls")
    await absence.until_heard("bob", 2)
    assert (len(absence.heard("alice")), len(absence.heard("bob"))) == (0, 2)


@pytest.mark.parametrize("by", ["its owner", "its sender, twice"])
async def test_a_file_that_was_removed_stays_away_if_the_position_was_not_saved(
    absence: Absence, by: str
) -> None:
    await absence.begin()
    position = absence.saved_position()
    await absence.drop("alice", "secret.bin")
    await absence.until_heard("alice", 1)
    if by == "its sender, twice":
        await absence.people["alice"].drop(absence.world.folder / "secret.bin", absence.world.bot_jid)
        assert "already" in (await absence.until_heard("alice", 2))[-1]
    absence.say("alice", "rm secret.bin")
    heard = len(absence.heard("alice")) + 1
    assert "Deleted" in (await absence.until_heard("alice", heard))[-1]
    await absence.bot.kill()
    absence.put_back(position)
    await absence.bot.start()
    # A later message is handled later: all before it has been met again by then.
    await absence.drop("alice", "later.bin")
    await absence.until_heard("alice", heard + 1)
    await absence.until_saved()
    assert absence.saved_position() != position
    assert [each for each in absence.heard("alice")[heard:] if "later.bin" not in each] == []
    assert absence.stored() == Counter([Drop("alice", "later.bin")])


@pytest.mark.needs("occupant-id")
async def test_a_file_that_was_removed_from_a_room_stays_away_if_the_position_was_not_saved(
    absence: Absence,
) -> None:
    await absence.gather_in_a_room()
    await absence.begin()
    await absence.keep_what_is_posted()
    await absence.until_saved()
    position = absence.saved_position()
    await absence.drop("bob", "bob-secret.bin", in_room=True)
    secret, later = (Drop("bob", f"bob-{name}.bin", in_room=True) for name in ("secret", "later"))
    await until(lambda: absence.stored() == Counter([secret]), LIMIT_S)
    absence.people["bob"].say("!rm bob-secret.bin", ROOM, mtype="groupchat")
    await until(lambda: not absence.stored(), LIMIT_S)
    await absence.bot.kill()
    absence.put_back(position)
    await absence.bot.start()
    await absence.drop("bob", "bob-later.bin", in_room=True)
    await until(lambda: absence.stored()[later] == 1, LIMIT_S)
    await absence.until_saved()
    assert absence.saved_position() != position
    assert absence.stored() == Counter([later])


@pytest.mark.timeout(180 + 15 * KILLS)
@pytest.mark.parametrize(
    "places",
    [
        pytest.param(("in private",), id="in private"),
        pytest.param(
            ("in a room", "in private"),
            id="in a room and in private",
            marks=pytest.mark.needs("occupant-id"),
        ),
    ],
)
async def test_killed_at_random_moments_every_file_is_stored_once_and_answered(
    absence: Absence, places: tuple[str, ...]
) -> None:
    kills, files = KILLS, 3 * max(15, 2 * KILLS)
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - to be seen when it fails
    chance = random.Random(seed)
    if "in a room" in places:
        await absence.gather_in_a_room()
    await absence.begin()
    if "in a room" in places:
        await absence.keep_what_is_posted()
    posted = [
        Drop(person, f"{person}-{number}.bin", places[number % len(places)] == "in a room")
        for number in range(files // 3)
        for person in PEOPLE
    ]

    async def post(person: str) -> None:
        for each in posted:
            if each.person == person:
                await asyncio.sleep(chance.uniform(0, 6.0 * kills * 3 / files))
                await absence.drop(person, each.name, in_room=each.in_room)

    posting = [asyncio.create_task(post(person)) for person in PEOPLE]
    for _ in range(kills):
        # Long enough that some of what was missed is dealt with, and seldom all of it.
        await asyncio.sleep(chance.uniform(0, 3.0))
        await absence.bot.kill()
        await asyncio.sleep(chance.uniform(0, 1.5))
        await absence.bot.start()
    await asyncio.gather(*posting)
    in_room = sum(each.in_room for each in posted)
    until = time.monotonic() + LIMIT_S + 2.5 * GATHER_S * bool(in_room)
    while time.monotonic() < until and (
        absence.announced() < in_room or not all(absence.answers(each) for each in posted)
    ):
        await asyncio.sleep(POLL_S)
    unanswered = [each for each in posted if not absence.answers(each)]
    wanted, stored = Counter(posted), absence.stored()
    if stored != wanted or unanswered or absence.announced() < in_room:
        wrong = {*unanswered, *(wanted - stored), *(stored - wanted)}
        raise AssertionError(f"{absence.announced()} of {in_room} announced\n{absence.told_of(wrong)}")
    said = sum(len(absence.answers(each)) for each in posted if not each.in_room)
    print(f"{kills} kills; {said} answers to {len(posted) - in_room} files in private")  # noqa: T201
    print(f"{absence.announced()} announced of {in_room} files in the room")  # noqa: T201
