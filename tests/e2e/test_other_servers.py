"""Friends and rooms on another server than the bot's, on two real ones that know each other."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from slixmpp import JID

from filebot.localserver.botprocess import BotProcess, write_config
from filebot.localserver.peer import Peer, Received
from tests.e2e.conftest import USERS, bot_config, sha256
from tests.servers.federation import DOWN, ELSEWHERE, Federation, federation_in

pytestmark = pytest.mark.needs("modules of our own", "an account")

DEN = f"den@conference.{ELSEWHERE}"


@dataclass(frozen=True)
class Two:
    """A bot at home, Alice at home and Carol elsewhere."""

    servers: Federation
    bot: str
    alice: Peer
    carol: Peer
    folder: Path

    async def told(self, peer: Peer, words: str = "") -> str:
        """Return the next message of the bot with these words."""

        def fits(heard: Received) -> bool:
            return JID(heard.sender).bare == self.bot and heard.kind == "chat" and words in heard.body

        return (await peer.next_message(fits)).body

    async def ask(self, peer: Peer, text: str, words: str = "") -> str:
        peer.say(text, self.bot)
        return await self.told(peer, words)

    async def drop(self, peer: Peer, name: str) -> bytes:
        content = os.urandom(20_000)
        (self.folder / name).write_bytes(content)
        await peer.drop(self.folder / name, self.bot)
        assert "Stored" in await self.told(peer, name)
        return content


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(federation_in(tmp_path, users=USERS, others=("carol",)))
        config = bot_config(servers.home)
        config["access"]["allow"] = ["*@localhost", f"*@{ELSEWHERE}", f"*@{DOWN}"]
        config["xmpp"]["ca_file"] = servers.ca_file
        bot = BotProcess(write_config(tmp_path / "config.toml", config))
        await stack.enter_async_context(bot)
        alice = await stack.enter_async_context(await Peer.of(servers.home, "alice"))
        carol = await stack.enter_async_context(await Peer.of(servers.elsewhere, "carol"))
        yield Two(servers, servers.home.jid("filebot"), alice, carol, tmp_path)


async def test_a_friend_elsewhere_gets_a_file_and_sends_one(two: Two) -> None:
    content = await two.drop(two.alice, "plan.bin")
    carol = two.servers.elsewhere.jid("carol")
    two.alice.say(f"send plan.bin to {carol}", two.bot)
    heard = await two.carol.next_message(lambda each: each.url is not None)
    assert heard.url is not None
    assert sha256(await two.alice.download(heard.url)) == sha256(content)
    assert f'Sent "plan.bin" to "{carol}"' in await two.told(two.alice, "plan.bin")
    await two.drop(two.carol, "answer.bin")
    assert "answer.bin" in await two.ask(two.carol, "ls", "answer.bin")


async def test_nobody_and_nowhere_are_told_as_not_sent(two: Two) -> None:
    await two.drop(two.alice, "plan.bin")
    for target, why in ((f"nobody@{ELSEWHERE}", "there is no such address"), (f"dave@{DOWN}", DOWN)):
        said = await two.ask(two.alice, f"send plan.bin to {target}", "could not send")
        assert said.startswith(f'I could not send "plan.bin" to {target}: ')
        assert why in said


async def test_a_server_that_went_away_is_told_as_not_reached(two: Two) -> None:
    await two.drop(two.alice, "plan.bin")
    carol = two.servers.elsewhere.jid("carol")
    assert "Sent" in await two.ask(two.alice, f"send plan.bin to {carol}", "Sent")
    await two.servers.elsewhere.kill()
    said = await two.ask(two.alice, f"send plan.bin to {carol}", "could not send")
    assert carol in said


async def test_a_room_elsewhere_gets_a_file_of_whoever_shows_who_they_are(two: Two) -> None:
    """Its service is a stranger's: real addresses in it are nobody's word, and a code has to be shown."""
    await two.carol.join(DEN, "Carol")
    assert f'I am in "{DEN}" now' in await two.ask(two.alice, f"join {DEN}", DEN)
    await two.alice.join(DEN, "Alice")
    await two.drop(two.alice, "plan.bin")
    said = await two.ask(two.alice, f"send plan.bin to {DEN}", DEN)
    assert "send me this as a private message: claim" in said
    two.alice.say("claim", f"{DEN}/filebot")
    answer = await two.alice.next_message(
        lambda each: each.sender == f"{DEN}/filebot" and "claim" in each.body
    )
    code = re.search(r"claim (\w{4}-\w{4})", answer.body)
    assert code is not None
    assert "you can send files there" in await two.ask(two.alice, f"claim {code[1]}", DEN)
    two.alice.say(f"send plan.bin to {DEN}", two.bot)
    heard = await two.carol.next_message(lambda each: each.url is not None and each.kind == "groupchat")
    assert JID(heard.sender).bare == DEN
    two.carol.say("!ls", DEN, mtype="groupchat")
    listed = await two.carol.next_message(lambda each: each.kind == "groupchat" and "plan.bin" in each.body)
    assert "plan.bin" in listed.body
