"""Somebody whom a room hides keeps a file there, and claims it: on a real server, as people do it."""

import re
from pathlib import Path

import pytest
from slixmpp import JID

from tests.e2e.conftest import ROOM
from tests.support.hidden_room import hidden_room_in


@pytest.mark.needs("occupant-id")
async def test_what_somebody_keeps_in_a_semi_anonymous_room_is_claimed_in_a_private_chat(
    tmp_path: Path,
) -> None:
    async with hidden_room_in(tmp_path, serves="bob@localhost") as den:
        await den.let_the_bot_in()

        async def ask_in_private(text: str) -> str:
            den.bob.say(text, den.bot_jid)
            return (await den.bob.next_message(lambda each: JID(each.sender).bare == den.bot_jid)).body

        await den.post(den.bob, "plan.txt")
        den.bob.say("!keep", ROOM, mtype="groupchat")
        assert "plan.txt" in (await den.heard(den.bob, "groupchat")).body
        code = re.search(r"claim (\w{4}-\w{4})", await den.ask(den.bob, "claim"))
        assert code is not None
        assert "plan.txt" not in await ask_in_private("ls")
        assert (await ask_in_private(f"claim {code[1]}")).startswith(f'One file in "{ROOM}" is yours now')
        assert "Only the file's owner" in await den.ask(den.bob, "rm plan.txt")
        # The room hides him still, but the bot knows now which occupant he is.
        (tmp_path / "beach.txt").write_bytes(b"sand")
        await den.bob.drop(tmp_path / "beach.txt", den.bot_jid)
        await den.bob.next_message(
            lambda each: "beach.txt" in each.body and JID(each.sender).bare == den.bot_jid
        )
        assert (await ask_in_private(f"send beach.txt to {ROOM}")).startswith('Sent "beach.txt"')
        posted = await den.alice.next_message(lambda each: each.url is not None and "beach" in each.body)
        assert posted.kind == "groupchat"
        # It also knows after a restart.
        await den.bot.kill()
        await den.bot.start()
        assert (await ask_in_private(f"send beach.txt to {ROOM}")).startswith('Sent "beach.txt"')
