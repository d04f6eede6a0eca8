"""Somebody whom a room hides keeps a file there, and claims it: on a real server, as people do it."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from filebot.demo.botprocess import BotProcess, write_config
from filebot.demo.peer import Peer, Received
from tests.e2e.conftest import ROOM, bot_config
from tests.servers import private_server


@pytest.mark.needs("occupant-id")
async def test_what_somebody_keeps_in_a_semi_anonymous_room_is_claimed_in_a_private_chat(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        users = ["alice", "bob", "filebot"]
        server = await stack.enter_async_context(private_server(tmp_path / "server", users=users))
        alice, bob = [
            await stack.enter_async_context(await Peer.of(server, user)) for user in ("alice", "bob")
        ]
        # Who comes first owns the room; the bot is no moderator, and the room hides people from it.
        await alice.join(ROOM, "Alice")
        await bob.join(ROOM, "Bob")
        config = write_config(tmp_path / "config.toml", bot_config(server))
        await stack.enter_async_context(BotProcess(config))
        bot, occupant = server.jid("filebot"), f"{ROOM}/filebot"

        async def heard(peer: Peer, sender: str) -> Received:
            return await peer.next_message(
                lambda each: each.sender.startswith(sender) and bool(each.body) and each.kind != "error"
            )

        path = tmp_path / "plan.txt"
        path.write_bytes(b"the plan")
        await bob.drop(path, ROOM, mtype="groupchat")
        bob.say("!keep", ROOM, mtype="groupchat")
        assert "plan.txt" in (await heard(bob, occupant)).body
        bob.say("claim", occupant)
        code = re.search(r"claim (\w{4}-\w{4})", (await heard(bob, occupant)).body)
        assert code is not None
        bob.say("ls", bot)
        assert "plan.txt" not in (await heard(bob, bot)).body
        bob.say(f"claim {code[1]}", bot)
        assert (await heard(bob, bot)).body.startswith(f'One file in "{ROOM}" is yours now')
        bob.say("rm plan.txt", occupant)
        assert "Only the person" in (await heard(bob, occupant)).body
