"""People who use a bot that is killed again and again, and believe only what it says.

In the end the catalog has to agree with every acknowledgement.
"""

import asyncio
import os
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from typing import Any

from filebot.chat.late_commands import TEXTS_SHOWN
from filebot.localserver.botprocess import BotEnded, BotProcess
from filebot.localserver.peer import Peer, Received
from tests.e2e.conftest import ROOM, World, sha256

KILLS = int(os.environ.get("KILLS", "5"))
"""``KILLS=300`` makes a run of about half an hour."""
PEOPLE = ("alice", "bob", "carol")
ANSWER_LIMIT_S = 240.0 + 2 * KILLS
"""For one answer: each kill may come before it. A late command is summed up after seconds of quiet; many
lives are too short for that."""
LIFE_S = 3.0
"""Longest time between the bot's being ready and the next kill."""


@dataclass
class Person:
    """Somebody who does random things with files of their own, and notes what was acknowledged."""

    peer: Peer
    world: World
    chance: random.Random
    stored: dict[str, str] = field(default_factory=dict)
    """Digests of acknowledged files by name."""
    shared: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    fetched: int = 0
    summed_up: set[str] = field(default_factory=set)
    """Names in commands that came too late, as the bot says: they may have been carried out, or not."""
    unanswered: list[str] = field(default_factory=list)
    _count: int = 0

    async def act(self, stopping: asyncio.Event) -> None:
        """Do one thing after the other until told to stop."""
        while not stopping.is_set():
            await self.chance.choices([self.drop, self.get, self.share, self.remove], [5, 2, 2, 2])[0]()

    async def drop(self) -> None:
        self._count += 1
        name = f"{self.peer.user}-{self._count}.bin"
        content = self.chance.randbytes(self.chance.choice([2_000, 60_000, 400_000]))
        path = self.world.folder / name
        path.write_bytes(content)
        await self.peer.drop(path, self.world.bot_jid)
        path.unlink()
        if await self._answered(f"drop {name}", lambda each: _says(each, ("Stored ",), name)) is not None:
            self.stored[name] = sha256(content)

    async def get(self) -> None:
        if (name := self._one_of_mine()) is None:
            return
        self.peer.say(f"get {name}", self.world.bot_jid)
        answer = await self._answered(f"get {name}", lambda each: name in (each.url or ""))
        if answer is not None and answer.url is not None:
            assert sha256(await self.peer.download(answer.url)) == self.stored[name], name
            self.fetched += 1

    async def share(self) -> None:
        if (name := self._one_of_mine()) is None or name in self.shared:
            return
        self.peer.say(f"send {name} to {ROOM}", self.world.bot_jid)
        if await self._answered(f"send {name}", lambda each: _says(each, ("Sent ",), name)) is not None:
            self.shared.add(name)

    async def remove(self) -> None:
        if (name := self._one_of_mine()) is None:
            return
        self.peer.say(f"rm {name}", self.world.bot_jid)
        # After a kill between the deed and its word, it is tried again: then there is no such file.
        words = ("Deleted ", "I have no file ")
        if await self._answered(f"rm {name}", lambda each: _says(each, words, name)) is not None:
            self.removed.add(name)

    def _one_of_mine(self) -> str | None:
        mine = sorted(self.stored.keys() - self.removed)
        return self.chance.choice(mine) if mine else None

    async def _answered(self, doing: str, fits: Callable[[Received], bool]) -> Received | None:
        """The answer; None if there is none, or a summary of what came while the bot was away."""

        def sums_up(heard: Received) -> bool:
            many = re.search(r"wrote (\d+) messages", heard.body)
            shows_all = many is None or int(many[1]) <= TEXTS_SHOWN
            is_late = re.match("I was (away|restarted)", heard.body) is not None
            return is_late and (doing in heard.body or not shows_all)

        try:
            answer = await self.peer.next_message(
                lambda each: each.sender.startswith(self.world.bot_jid) and (fits(each) or sums_up(each)),
                ANSWER_LIMIT_S,
            )
        except TimeoutError as error:
            self.unanswered.append(f"{doing}: {error}")
            return None
        if sums_up(answer):
            self.summed_up.add(doing.split()[1])
            return None
        return answer


def _says(heard: Received, beginnings: tuple[str, ...], name: str) -> bool:
    """Whether it is such an answer: after a kill, earlier ones may be said again."""
    return heard.body.startswith(beginnings) and name in heard.body


@dataclass(frozen=True)
class Kept:
    """A row of the catalog."""

    owner: str
    name: str
    in_room: bool
    digest: str


def catalog_of(world: World) -> list[Kept]:
    with closing(sqlite3.connect(world.data / "catalog.sqlite")) as catalog:
        rows = catalog.execute("SELECT owner, name, room IS NOT NULL, digest FROM entries").fetchall()
    return [
        Kept(owner.partition("@")[0], name, bool(in_room), digest) for owner, name, in_room, digest in rows
    ]


async def live(bot: BotProcess, kills: int, chance: random.Random) -> int:
    """Start a bot and kill it so often; return how many starts came to nothing."""
    lost = 0
    for _ in range(kills):
        while not await started(bot):
            lost += 1
            await asyncio.sleep(chance.uniform(0, 0.5))
        await asyncio.sleep(chance.uniform(0, LIFE_S))
        await bot.kill()
        await asyncio.sleep(chance.uniform(0, 0.5))
    return lost


async def started(bot: BotProcess) -> bool:
    """Start it, unless a rival has the data folder, or it waits for a service that is away."""
    try:
        await bot.start()
    except TimeoutError:
        return False
    except BotEnded as error:
        if "is in use by process" not in str(error):
            raise
        return False
    return True


async def play(world: World, seed: int, lives: Sequence[Coroutine[Any, Any, int]]) -> "Played":
    """Let people act while these lives of bots, and deaths of other things, go on; then check all.

    The bot runs before that for a moment, so that it owns the room and sees whose files are whose.
    """
    async with AsyncExitStack() as stack:
        people = [
            Person(
                await stack.enter_async_context(await world.login(each)),
                world,
                random.Random(f"{seed} {each}"),
            )
            for each in PEOPLE
        ]
        await world.bot.start()
        for each in people:
            await each.peer.join(ROOM, each.peer.user)
        await world.bot.kill()
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as acting:
            for each in people:
                acting.create_task(each.act(stopping))
            lost = sum(await asyncio.gather(*lives))
            await world.bot.start()
            stopping.set()
        await world.bot.stop()
    kept = catalog_of(world)
    for each in people:
        _check(each, [row for row in kept if row.owner == each.peer.user])
    return Played(people, kept, lost)


@dataclass(frozen=True)
class Played:
    """Outcome that was checked against what was acknowledged."""

    people: Sequence[Person]
    kept: Sequence[Kept]
    lost: int
    """Sum of what the lives returned."""

    def __str__(self) -> str:
        counts = {
            "drops": sum(len(each.stored) for each in self.people),
            "shares": sum(len(each.shared) for each in self.people),
            "removals": sum(len(each.removed) for each in self.people),
            "deliveries": sum(each.fetched for each in self.people),
        }
        told = ", ".join(f"{number} {name}" for name, number in counts.items())
        return f"{KILLS} kills, {self.lost} starts lost; {sum(counts.values())} acknowledged: {told}"


def _check(person: Person, kept: list[Kept]) -> None:
    """Compare what somebody was told with what is there."""
    assert not person.unanswered, "\n".join(person.unanswered)
    sure = [row for row in kept if row.name not in person.summed_up]
    own = Counter(row.name for row in sure if not row.in_room)
    assert own == Counter(person.stored.keys() - person.removed - person.summed_up)
    in_room = Counter(row.name for row in sure if row.in_room)
    assert in_room == Counter(person.shared - person.summed_up)
    assert {row.name: row.digest for row in kept}.items() <= person.stored.items()
