"""Files to addresses that do not exist, on a real server."""

from pathlib import Path

import pytest

from tests.e2e.conftest import world_in


@pytest.mark.smoke
async def test_a_file_to_nobody_is_told_as_not_sent(tmp_path: Path) -> None:
    allow = ["*@localhost", "*@nowhere.invalid"]
    async with world_in(tmp_path, access={"allow": allow}) as world, await world.login("alice") as alice:
        (tmp_path / "plan.txt").write_bytes(b"plan")
        await alice.drop(tmp_path / "plan.txt", world.bot_jid)
        await alice.next_message(world.from_bot)
        said = await world.ask(alice, "send plan.txt to nobody@localhost")
        assert said.body.startswith('I could not send "plan.txt" to nobody@localhost: there is no such')
        alice.say("send plan.txt to carol@nowhere.invalid", world.bot_jid)
        said = await alice.next_message(lambda each: world.from_bot(each) and "could not" in each.body)
        assert "I could not send" in said.body
        assert "nowhere.invalid" in said.body
