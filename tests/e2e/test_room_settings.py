"""Settings by a room's admins hold for everybody there: on a real server."""

from pathlib import Path

import pytest

from filebot.localserver.peer import Received
from tests.e2e.conftest import ROOM
from tests.support.hidden_room import OCCUPANT, hidden_room_in
from tests.support.muc import affiliate


def is_a_file(heard: Received) -> bool:
    return heard.sender == OCCUPANT and heard.body.startswith("https://")


@pytest.mark.needs("occupant-id")
async def test_files_for_members_go_to_members_in_private_and_to_nobody_else(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()
        await den.post(den.alice, "plan.txt")
        den.alice.say("!keep", ROOM, mtype="groupchat")
        assert "plan.txt" in (await den.heard(den.alice, "groupchat")).body
        assert "Only the room's owners and admins" in await den.ask(den.bob, "room set who-may-get members")
        assert "only members" in await den.ask(den.alice, "room set who-may-get members")

        den.bob.say("!get plan.txt", ROOM, mtype="groupchat")
        assert "Only its members can get" in (await den.heard(den.bob, "chat")).body

        await affiliate(den.alice, ROOM, "bob@localhost", "member")
        den.bob.say("!get plan.txt", ROOM, mtype="groupchat")
        assert (await den.bob.next_message(is_a_file)).kind == "chat"

        await affiliate(den.alice, ROOM, "bob@localhost", "none")
        assert "Only its members can get" in await den.ask(den.bob, "get plan.txt")
