"""Questions asked back, on a real server: in private and in a room that hides who people are."""

from pathlib import Path

import pytest

from tests.e2e.conftest import ROOM, world_in
from tests.support.hidden_room import hidden_room_in


async def test_several_files_are_deleted_after_a_yes_and_a_restart_forgets_the_question(
    tmp_path: Path,
) -> None:
    async with world_in(tmp_path / "world") as world, await world.login("alice") as alice:
        for name in ("one.txt", "two.txt", "three.pdf"):
            path = tmp_path / name
            path.write_text(name)
            await alice.drop(path, world.bot_jid)
            assert "Stored" in (await alice.next_message(world.from_bot)).body
        asked = await world.ask(alice, "rm *.txt")
        assert asked.body.startswith("Delete 2 files, 14 bytes, for good?\n1. two.txt (7 bytes, ")
        assert asked.body.endswith("\nTo go on, type: yes")
        await world.bot.stop()
        await world.bot.start()
        assert "nothing to confirm" in (await world.ask(alice, "yes")).body
        assert len(world.blobs()) == 3
        assert (await world.ask(alice, "rm #1 #2")).body.startswith("Delete 2 files")
        assert (await world.ask(alice, "Yes.")).body.startswith("Deleted 2 files, 14 bytes:")
        assert len(world.blobs()) == 1
        assert "three.pdf" in (await world.ask(alice, "ls")).body


@pytest.mark.needs("occupant-id")
async def test_in_a_room_another_person_with_the_nick_cannot_say_yes(tmp_path: Path) -> None:
    async with hidden_room_in(tmp_path) as den:
        await den.let_the_bot_in()

        async def said(text: str) -> str:
            den.alice.say(text, ROOM, mtype="groupchat")
            return (await den.heard(den.alice, "groupchat")).body

        for name in ("one.txt", "two.txt"):
            await den.post(den.alice, name)
            assert name in await said("!keep")
        asked = await said("!rm *.txt")
        assert "Alice: Delete 2 files" in asked
        assert asked.endswith("To go on, type: !yes")
        await den.alice.join(ROOM, "Alicia")
        await den.bob.join(ROOM, "Alice")
        den.bob.say("!yes", ROOM, mtype="groupchat")
        assert "nothing to confirm" in (await den.heard(den.alice, "groupchat")).body
        assert "nothing to confirm" in await den.ask(den.alice, "yes"), "that is another conversation"
        assert "Deleted 2 files" in await said("!yes")
