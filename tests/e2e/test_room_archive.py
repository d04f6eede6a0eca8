"""A room whose files are kept with everybody's consent, those of its past as well: on a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from filebot.demo.botprocess import BotProcess, write_config
from filebot.demo.peer import Peer, Received
from filebot.demo.prosody import Prosody
from tests.e2e.conftest import ROOM, bot_config
from tests.e2e.test_session import presences, until

OCCUPANT = f"{ROOM}/filebot"


@dataclass(frozen=True)
class Den:
    """A semi-anonymous room that Alice owns; the bot came into it after the past had happened."""

    alice: Peer
    bob: Peer
    folder: Path

    async def post(self, peer: Peer, name: str) -> None:
        path = self.folder / name
        path.write_bytes(name.encode() * 100)
        await peer.drop(path, ROOM, mtype="groupchat")

    async def ask(self, peer: Peer, text: str) -> str:
        """Through the room, in private."""
        peer.say(text, OCCUPANT)
        return (await self.heard(peer, "chat")).body

    async def heard(self, peer: Peer, kind: str) -> Received:
        return await peer.next_message(
            lambda each: each.sender == OCCUPANT and bool(each.body) and each.kind == kind
        )


@pytest.fixture
async def den(tmp_path: Path) -> AsyncIterator[Den]:
    async with AsyncExitStack() as stack:
        server = Prosody(tmp_path / "server", users=["alice", "bob", "filebot"])
        await stack.enter_async_context(server)
        alice, bob = [
            await stack.enter_async_context(await Peer.of(server, user)) for user in ("alice", "bob")
        ]
        await alice.join(ROOM, "Alice")
        await bob.join(ROOM, "Bob")
        den = Den(alice, bob, tmp_path)
        for name in ("old1.txt", "old2.txt"):
            await den.post(bob, name)
        await den.post(alice, "old3.txt")
        config = bot_config(server)
        config["access"]["allow"] = ["nobody@localhost"]
        await stack.enter_async_context(BotProcess(write_config(tmp_path / "config.toml", config)))
        yield den


async def test_what_is_posted_in_a_room_is_kept_as_long_as_its_people_want_it(den: Den) -> None:
    came = presences(den.bob)
    assert "Only owners and admins" in await den.ask(den.bob, "room set archive on")
    den.alice.say("!room set archive on", ROOM, mtype="groupchat")
    assert "archive off for me" in (await den.heard(den.bob, "groupchat")).body
    shown = await until(came, lambda each: each.get("from") == OCCUPANT)
    assert "archive off for me" in "".join(shown.itertext())
    await den.post(den.bob, "new.txt")
    while "new.txt" not in await den.ask(den.bob, "ls"):
        pass
    assert "2 messages" not in await den.ask(den.alice, "archive history of 3 days")
    found = (await den.heard(den.alice, "chat")).body
    assert "3 files are kept" in found
    listed = await den.ask(den.bob, "ls")
    assert all(name in listed for name in ("new.txt", "old1.txt", "old2.txt", "old3.txt"))
    assert "3 files of yours" in await den.ask(den.bob, "archive off for me")
    await den.post(den.bob, "unwanted.txt")
    await den.post(den.alice, "last.txt")
    while "last.txt" not in (listed := await den.ask(den.bob, "ls")):
        pass
    assert "old3.txt" in listed
    assert not any(name in listed for name in ("new.txt", "old1.txt", "old2.txt", "unwanted.txt"))
