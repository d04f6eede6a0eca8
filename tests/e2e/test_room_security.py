"""errbot#334 and its relatives on a real server: nicks and addresses of rooms give nobody a right.

Anybody can have such a name. The bot of these tests is run as carelessly as its config lets its operator.
"""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from filebot.localserver.botprocess import BotEnded, BotProcess, write_config
from filebot.localserver.peer import Peer
from tests.e2e.conftest import World, bot_config, world_in
from tests.support.muc import configure, leave
from tests.support.room import BotRoom

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = iter([f"room{number}" for number in range(50)])
CARELESS = {
    "admins": ["alice@localhost", *(f"room{number}@conference.localhost" for number in range(50))],
    "allow": ["alice@localhost", "carol@localhost", "*@conference.localhost"],
}
PATIENT = {"commands_per_minute": 1000}
ELSEWHERE = "elsewhere@conference.localhost"
NOT_AN_ADMIN = "Only my operator can do that."
NOT_WHO_BROUGHT_IT = (
    "I only leave a room when the person who brought me there, "
    "one of its owners or admins, or my operator asks me to."
)
NOT_THE_OWNER = "Only the file's owner and the room's owners and admins can do that."
NOT_OF_THE_ROOM = "Only the room's owners and admins can do that"
NOT_FOR_HER = "You can get this room's files, but I keep none for you. If I should, ask my operator."
HIDDEN = "This room hides your address, so I cannot tell who you are. Write to me in a private chat."
NO_FILE = "I have no file called"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_in(tmp_path_factory.mktemp("careless"), access=CARELESS, limits=PATIENT) as made:
        yield made


@dataclass(frozen=True)
class Guarded:
    """A file of Alice's, and one of a room's, and how to see that they still are."""

    world: World
    alice: Peer
    carol: Peer
    here: BotRoom
    diary: str
    """Its number, with the sign before it."""

    async def is_untouched(self) -> None:
        assert "diary.txt" in (await self.world.ask(self.alice, f"info {self.diary}")).body
        listed = (await self.here.ask(self.carol, "!ls")).body
        assert "This room has one file" in listed
        assert "plan.txt" in listed
        assert "archive off:" in (await self.here.ask(self.carol, "!room")).body
        assert "I find no room" in (await self.world.ask(self.alice, f"leave {ELSEWHERE}")).body


@pytest_asyncio.fixture(loop_scope="module", params=["anyone", "moderators"])
async def guarded(
    world: World, alice: Peer, carol: Peer, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Guarded]:
    """Alice runs the bot, Carol owns the room; it shows real JIDs to everybody or to moderators only."""
    here = await world.room(alice, carol, next(NAMES), whois="anyone")
    plan, diary = tmp_path / "plan.txt", tmp_path / "diary.txt"
    plan.write_bytes(os.urandom(1_000))
    diary.write_bytes(os.urandom(1_000))
    assert "Stored" in await here.keep(carol, plan)
    await configure(carol, here.room, whois=request.param)
    await alice.drop(diary, world.bot_jid)
    stored = re.search(r"#[0-9]+", (await alice.next_message(world.from_bot)).body)
    assert stored is not None
    yield Guarded(world, alice, carol, here, stored[0])


async def refuses_all(guarded: Guarded, eve: Peer) -> None:
    """Whatever she orders there, aloud or in private, she has no more rights than anybody."""
    for order, refusal in {
        f"leave {guarded.here.room}": NOT_WHO_BROUGHT_IT,
        f"join {ELSEWHERE}": NOT_AN_ADMIN,
        "rm plan.txt": NOT_THE_OWNER,
        "rename plan.txt to evil.txt": NOT_THE_OWNER,
        "room set archive on": NOT_OF_THE_ROOM,
        f"rm {guarded.diary}": NO_FILE,
        f"get {guarded.diary}": NO_FILE,
        "get diary.txt": NO_FILE,
        f"send plan.txt to {eve.user}@localhost": NOT_FOR_HER,
    }.items():
        for answer in (
            await guarded.here.ask(eve, f"!{order}"),
            await guarded.here.ask_privately(eve, order),
        ):
            assert refusal in answer.body or answer.body == HIDDEN, order
    await guarded.is_untouched()


@pytest.mark.parametrize("nick", ["alice", "alice@localhost"])
async def test_errbot_334_an_occupant_with_the_nick_of_an_admin_gives_no_orders(
    guarded: Guarded, eve: Peer, nick: str
) -> None:
    await eve.join(guarded.here.room, nick)
    await refuses_all(guarded, eve)


async def test_errbot_334_who_takes_an_admins_nick_a_second_later_gives_no_orders(
    guarded: Guarded, alice: Peer, eve: Peer
) -> None:
    await alice.join(guarded.here.room, "boss")
    await guarded.here.ask_privately(alice, f"info {guarded.diary}")
    await leave(alice, guarded.here.room, "boss")
    await eve.join(guarded.here.room, "boss")
    await refuses_all(guarded, eve)


async def test_the_address_of_a_room_among_the_admins_makes_no_occupant_an_admin(
    guarded: Guarded, eve: Peer
) -> None:
    assert guarded.here.room in CARELESS["admins"]
    await eve.join(guarded.here.room, "eve")
    await refuses_all(guarded, eve)


async def test_the_address_of_a_room_among_the_allowed_lets_its_occupants_do_no_more(
    guarded: Guarded, eve: Peer, tmp_path: Path
) -> None:
    await eve.join(guarded.here.room, "eve")
    path = tmp_path / "evil.txt"
    path.write_bytes(b"evil")
    await eve.drop(path, guarded.here.bot)
    assert (await guarded.here.heard(eve, "chat")).body in {NOT_FOR_HER, HIDDEN}
    assert not guarded.world.keeps(path)
    await guarded.is_untouched()


@pytest.mark.parametrize("key", ["admins", "allow"])
async def test_the_address_of_an_occupant_in_the_config_is_refused_at_the_start(
    world: World, tmp_path: Path, key: str
) -> None:
    config = bot_config(world.server, access={key: ["open@conference.localhost/boss"]})
    with pytest.raises(BotEnded, match=rf"access\.{key}.*open@conference\.localhost/boss"):
        await BotProcess(write_config(tmp_path / "config.toml", config)).start()
